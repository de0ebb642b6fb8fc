#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""`tcphs live -i` on a terminal: however it is ended, the terminal is as it was.

usage: view.py DIRECTORY-OF-PROGRAMS
"""
import os
import pty
import select
import signal
import subprocess
import termios
import time

from program import DATA, ENV, TCPHS
from tap import finish, say

# What xterm is told at the beginning and at the end of a screen of its own.
BEGIN, END = b"\x1b[?1049h", b"\x1b[?1049l"


def take(main, until, seconds=10):
    """What comes, until `until` does or the other side has gone."""
    text, late = b"", time.monotonic() + seconds
    while until not in text and time.monotonic() < late:
        if not select.select([main], [], [], 0.1)[0]:
            continue
        try:
            text += os.read(main, 4096)
        except OSError:
            break
    return text


def view(end):
    """Exit status, the terminal's settings before and after, and what came last."""
    main, side = pty.openpty()
    before = termios.tcgetattr(side)
    with subprocess.Popen([TCPHS, "live", "-i", "-r", os.path.join(DATA, "loopback.tcphs")],
                          stdin=side, stdout=side, stderr=side,
                          env=dict(ENV, TERM="xterm")) as p:
        text = take(main, b"help")
        if isinstance(end, bytes):
            os.write(main, end)
        else:
            p.send_signal(end)
        last = take(main, END)
        try:
            status = p.wait(10)
        except subprocess.TimeoutExpired:
            p.kill()
            status = None
    after = termios.tcgetattr(side)
    os.close(side)
    os.close(main)
    return BEGIN in text and status == 0 and before == after and END in last, \
        (status, before == after, text[:200], last[-200:])


for name, how in (("q", b"q"), ("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT),
                  ("SIGHUP", signal.SIGHUP), ("SIGQUIT", signal.SIGQUIT)):
    good, note = view(how)
    say(good, "live -i: the terminal is given back: " + name, note)
finish()
