#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""`tcphs live -i` on a terminal: however it is ended, the terminal is as it was. What is
typed is seen, and what is wrong with it.

usage: view.py DIRECTORY-OF-PROGRAMS
"""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import tempfile
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


def ask(keys, until):
    """What comes after these keys, at 20 columns, where no connection is shown."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
    with subprocess.Popen([TCPHS, "live", "-i", "-r", os.path.join(DATA, "loopback.tcphs"),
                           "port 9"], stdin=side, stdout=side, stderr=side,
                          env=dict(ENV, TERM="xterm", COLUMNS="20")) as p:
        take(main, b"connection")
        os.write(main, keys)
        text = take(main, until)
        p.send_signal(signal.SIGTERM)
        take(main, END)
        try:
            p.wait(10)
        except subprocess.TimeoutExpired:
            p.kill()
    os.close(side)
    os.close(main)
    return text


# The cause is longer than the row.
text = ask(b"/\x15port", b"pcap-filter")
say(b"pcap-filter" in text, "live -i: a wrong filter's cause is seen", text[-300:])
# So is what is typed.
sign = "\u20ac".encode()
text = ask(b"/\x15port 6001 and " + sign, sign)
say(sign in text, "live -i: what is typed is seen, past the edge and in UTF-8", text[-300:])
# One key takes a whole character away.
with tempfile.TemporaryDirectory() as work:
    path = work.encode() + b"/" + sign
    text = ask(b"s\x15" + path + sign + b"\x7f\r", b"written")
    say(os.listdir(work.encode()) == [sign], "live -i: a file's name in UTF-8", text[-300:])

for name, how in (("q", b"q"), ("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT),
                  ("SIGHUP", signal.SIGHUP), ("SIGQUIT", signal.SIGQUIT)):
    good, note = view(how)
    say(good, "live -i: the terminal is given back: " + name, note)
finish()
