#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The module is unloaded while its stream is read: who asked for more has status 1
and what was there, who had asked for the end has status 0. /proc/tcphs/events is a
pipe here, in a mount namespace of its own; live.sh has the real one.

usage: unload.py DIRECTORY-OF-PROGRAMS
"""
import json
import os
import signal
import subprocess
import tempfile
import time

from program import ENV, SANITIZED, TCPHS
from recording import read
from tap import finish, say

RAW = read("loopback")
# The sanitizers look into /proc, which is another one.
SPACE = ["unshare", "-m", "sh", "-c",
         'mount -t tmpfs none /proc && mkdir /proc/tcphs && '
         'ln -s "$0" /proc/tcphs/events && exec "$@"']


def follow(work, *args, what=RAW, stop=None):
    """Exit status, output and messages of one whose module goes when all is read."""
    pipe = os.path.join(work, "events")
    if not os.path.exists(pipe):
        os.mkfifo(pipe)
    # Not without a writer: that would be the end of it.
    fd = os.open(pipe, os.O_RDWR)
    with open(os.path.join(work, "out"), "w+", encoding="utf-8") as out, \
            subprocess.Popen([*SPACE, pipe, os.path.abspath(TCPHS), *args], env=ENV, stdout=out,
                             stderr=subprocess.PIPE) as p:
        os.write(fd, what)
        time.sleep(0.7)
        if stop:
            # It sleeps until something comes: it has not looked yet when the end does.
            p.send_signal(signal.SIGSTOP)
            p.send_signal(stop)
        os.close(fd)
        if stop:
            p.send_signal(signal.SIGCONT)
        err = p.stderr.read().decode()
        status = p.wait(10)
        out.seek(0)
        return status, out.read(), err


def main():
    with tempfile.TemporaryDirectory() as work:
        cut = os.path.join(work, "cut.tcphs")
        for args in (("record", "-d", "600", "-o", cut), ("record", "-o", cut),
                     ("record", "-n", "10000", "-o", cut), ("events", "--json", "-f"),
                     ("events", "-f", "-d", "600"), ("list", "-f"), ("timeline", "-f"),
                     ("live",), ("live", "--json")):
            if args[0] == "record" and os.path.exists(cut):
                os.unlink(cut)
            status, out, err = follow(work, *args)
            title = " ".join(a for a in args if a != cut)
            say(status == 1 and "the module was unloaded" in err, title + ": status 1", err)
            if args[0] == "record":
                with open(cut, "rb") as f:
                    say(f.read() == RAW, title + ": what was there is kept")
            elif args[:2] == ("events", "--json"):
                say(len(list(map(json.loads, out.splitlines()))) == 245,
                    title + ": what was there is told", out.count("\n"))
        for args in (("record", "-o", cut), ("events", "-f"), ("list", "-f"), ("live",)):
            status, _, err = follow(work, *args, stop=signal.SIGINT)
            say(status == 0, args[0] + ": the end was asked for: status 0", (status, err))
        status, out, err = follow(work, "events", "-f", "-n", "100")
        say((status, out.count("\n"), err) == (0, 100, ""), "-n was reached: status 0", err)
    finish()


if SANITIZED or subprocess.run([*SPACE, "x", "true"], capture_output=True).returncode:
    print("ok the module is unloaded # SKIP needs root, a mount namespace and no sanitizer")
else:
    main()
