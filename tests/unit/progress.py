#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Progress on a terminal while reading takes longer than two seconds: it is shown,
wiped, and not shown where nobody asked for it.

usage: progress.py DIRECTORY-OF-PROGRAMS
"""
import os
import pty
import struct
import subprocess
import time

from program import TCPHS
from recording import HEADER, read
from tap import finish, say


def syns(begin, end):
    """Records of SYNs that come to a listener."""
    return b"".join(
        struct.pack("=QQQIHBB4s12x4s12xHH", 1000 + n, n, 0, 1, 0, 2, 0,
                    b"\x0a\0\0\1", b"\x0a\0\0\2", 80, 1024 + n % 60000) +
        struct.pack("=BBBBIIIHH40s", 0, 0, 0x50, 2, n, 0, 0, 512, 0, b"")
        for n in range(begin, end))


def slow(pause, *args, term="xterm"):
    """What comes out on the terminal of standard error, from a slow pipe."""
    main, side = pty.openpty()
    p = subprocess.Popen([TCPHS, *args, "-r", "-"], stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, stderr=side,
                         env=dict(os.environ, TERM=term, LC_ALL="C.UTF-8"))
    os.close(side)
    p.stdin.write(read("loopback")[:HEADER] + syns(0, 10000))
    p.stdin.flush()
    time.sleep(pause)
    p.stdin.write(syns(10000, 20000))
    p.stdin.close()
    text = b""
    while True:
        try:
            more = os.read(main, 4096)
        except OSError:
            break
        if not more:
            break
        text += more
    return p.wait(), text.decode()


for command in ("timeline", "list"):
    status, text = slow(2.5, command)
    say(status == 0 and text.startswith("\rreading: "), command + ": progress", repr(text))
    say(text.endswith("\r\033[K") and "\n" not in text, command + ": it is wiped", repr(text))
status, text = slow(0, "list")
say((status, text) == (0, ""), "nothing when it is quick", repr(text))
status, text = slow(2.5, "list", term="dumb")
say((status, text) == (0, ""), "nothing on a terminal that cannot wipe", repr(text))
finish()
