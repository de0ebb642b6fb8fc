#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A steady stream of JSON: whole lines, without waiting; a reader that stops
reading, one that goes away, and one that stops when the stream is to end.

usage: feed.py DIRECTORY-OF-PROGRAMS
"""
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from program import ENV, TCPHS
from recording import HEADER, read, split
from tap import finish, say

sys.path.append("..")
from pipe import take

raw = read("behaviours")
records = split(raw)


def follow(path, *args):
    fd, to = os.pipe()
    # Before there is more in it than it is to hold.
    fcntl.fcntl(to, fcntl.F_SETPIPE_SZ, 4096)
    p = subprocess.Popen([TCPHS, "events", "--json", "-f", "-r", path, *args], env=ENV,
                         stdout=to, stderr=subprocess.PIPE)
    os.close(to)
    p.stdout = os.fdopen(fd, "rb")
    return p, fd


def wait(p):
    try:
        p.wait(30)
    except subprocess.TimeoutExpired:
        p.kill()
    return p.returncode, p.stderr.read().decode()


# ---- a few records at a time --------------------------------------------------

with tempfile.NamedTemporaryFile() as f:
    f.write(raw[:HEADER])
    f.flush()
    p, fd = follow(f.name)
    bad = ""
    told = 0
    for at in range(0, 60, 5):
        f.write(b"".join(records[at:at + 5]))
        f.flush()
        part = take(fd, 3)
        told += part.count(b"\n")
        if not part.endswith(b"\n"):
            bad = "%d: %r" % (at, part[-80:])
        for line in part.splitlines():
            json.loads(line)
    say(not bad, "whole lines only", bad)
    # A connect() whose port is not told yet may be held.
    say(told >= 58, "none waits for the next ones", told)

    # ---- nobody reads: it blocks, and grows no more --------------------------

    f.write(b"".join(records[60:]))
    f.flush()
    time.sleep(2)
    with open("/proc/%d/status" % p.pid, encoding="ascii") as status:
        before = [x for x in status if x.startswith("VmRSS")][0].split()[1]
    f.write(b"".join(records) * 200)
    f.flush()
    time.sleep(2)
    with open("/proc/%d/status" % p.pid, encoding="ascii") as status:
        after = [x for x in status if x.startswith("VmRSS")][0].split()[1]
    say(int(after) - int(before) < 1000, "nobody reads: its memory does not grow",
        "%s kB, then %s kB" % (before, after))
    p.send_signal(signal.SIGTERM)
    status, err = wait(p)
    say(status == 1 and "nobody took the last rows" in err,
        "SIGTERM while nobody reads: it ends, and says so", "%s %s" % (status, err))

# ---- who reads goes away -------------------------------------------------------

with tempfile.NamedTemporaryFile() as f:
    f.write(raw)
    f.flush()
    p, fd = follow(f.name)
    text = take(fd, 3)
    say(text.endswith(b"\n") and text.count(b"\n") >= len(records),
        "all of it, at once", text.count(b"\n"))
    p.stdout.close()
    say(wait(p) == (0, ""), "who reads goes away while nothing happens", p.returncode)

    p, fd = follow(f.name)
    os.read(fd, 1000)
    p.stdout.close()
    say(wait(p) == (0, ""), "who reads goes away in the middle", p.returncode)

finish()
