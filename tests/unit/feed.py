#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A steady stream of JSON: whole lines, without waiting; a reader that stops
reading, one that goes away, and one that stops when the stream is to end.

usage: feed.py DIRECTORY-OF-PROGRAMS
"""
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

OUT = sys.argv[1]
TCPHS = os.path.join(OUT, "tcphs")
DATA = "../data/behaviours.tcphs"
HEADER, RECORD = 256, 128
ENV = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC",
           ASAN_OPTIONS="exitcode=99", UBSAN_OPTIONS="exitcode=99")
failed = False


def say(good, name, note=""):
    global failed
    print("%s %s" % ("ok" if good else "not ok", name))
    if not good:
        failed = True
        print("# " + str(note)[:500])


with open(DATA, "rb") as f:
    raw = f.read()
records = [raw[at:at + RECORD] for at in range(HEADER, len(raw), RECORD)]


def follow(path, *args):
    p = subprocess.Popen([TCPHS, "events", "--json", "-f", "-r", path, *args], env=ENV,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    fcntl.fcntl(p.stdout, fcntl.F_SETPIPE_SZ, 4096)
    return p, p.stdout.fileno()


def take(fd, seconds):
    """What comes until nothing has come for so long"""
    text = b""
    while select.select([fd], [], [], seconds)[0]:
        part = os.read(fd, 1 << 16)
        if not part:
            break
        text += part
    return text


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

sys.exit(failed)
