#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the command line cannot mean is refused with status 2 and one way of saying
so, before anything is read or written.

usage: usage.py DIRECTORY-OF-PROGRAMS
"""
import os
import subprocess
import tempfile

from program import DATA, ENV, TCPHS
from recording import read
from tap import finish, say

GOOD = os.path.join(DATA, "loopback.tcphs")


def run(*args, **more):
    p = subprocess.run([TCPHS, *args], env=ENV, capture_output=True, timeout=60, **more)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


REFUSED = (
    # One stream, read twice, would be two that lack records.
    (("-r", "-", "-r", "-", "list"), "-r - can come once only"),
    (("-r", "-", "-r", GOOD, "-r", "-", "events"), "-r - can come once only"),
    (("list", "-tttttt"), "-t comes five times at most"),
    (("events", "-t", "-tt", "-ttt"), "-t comes five times at most"),
    (("list", "-d", "5"), "list: -d goes with -f"),
    (("events", "-d", "5"), "events: -d goes with -f"),
    (("timeline", "-d", "5"), "timeline: -d goes with -f"),
    (("-d", "5"), "timeline: -d goes with -f"),
    (("list", "--bogus"), "--bogus"),
    (("list", "-Q"), "'Q'"),
    (("list", "--color"), "--color"),
    (("list", "-n"), "'n'"),
    (("list", "-n", "0"), "not a number above 0"),
    (("list", "-n", "99999999999999999999"), "not a number above 0 and below 2^64"),
    (("list", "-f", "-d", "2e9"), "not a number of seconds above 0, up to 1e9"),
    (("list", "-i"), "does not take -i"),
    (("nothing",), "unknown command"),
)

for args, words in REFUSED:
    more = () if "-r" in args else ("-r", GOOD)
    status, out, err = run(*more, *args, stdin=subprocess.DEVNULL)
    say(status == 2 and not out and words in err and err.startswith("tcphs: "),
        "refused: " + " ".join(a if a != GOOD else "FILE" for a in args), (status, out, err))

# Several -r: where the help says so, and nowhere else.
for command in ("timeline", "live", "list", "events", "record", "export", "stats"):
    args = (command, "-r", GOOD, "-r", GOOD)
    if command in ("record", "export"):
        args += ("-o", "/nowhere/at/all.mmd")
    refused = "reads only one -r FILE" in run(*args)[2]
    say(refused == ("several -r" not in run(command, "--help")[1]) and
        refused == (command in ("record", "stats")), command + ": several -r as its help says")

# What argp's own messages point to.
for args in (("list", "--bogus"), ("list", "-n")):
    status, out, err = run(*args)
    for word in ("--help", "--usage"):
        say("`tcphs %s'" % word in err and word in run("--help")[1] and
            run(word)[:2] == run("--help")[:2], " ".join(args) + ": points to " + word, err)

# What is not refused: the same, where it means something.
with tempfile.TemporaryDirectory() as work:
    with open(GOOD, "rb") as f:
        want = run("list", "-r", GOOD, "-r", GOOD)
        say(run("list", "-r", "-", "-r", GOOD, stdin=f) == want and want[0] == 0,
            "-r - once, and a file twice", want)
    for args in (("list", "-f", "-d", "0.3"), ("events", "-f", "-d", "0.3"),
                 ("timeline", "-f", "-d", "0.3"), ("live", "-d", "5"),
                 ("record", "-d", "5", "-o", os.path.join(work, "x.tcphs")),
                 ("list", "-ttttt")):
        status, _, err = run(*args, "-r", GOOD)
        say(status == 0, "taken: " + " ".join(args[:4]), (status, err))
    # -d also of a recording that goes on.
    p = subprocess.Popen([TCPHS, "live", "-d", "0.3", "-r", "-"], env=ENV, stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    raw, sent = read("loopback"), 0
    p.stdin.write(raw[:256])
    try:
        for sent in range(600):
            p.stdin.write(raw[256:256 + 128])
            p.stdin.flush()
            try:
                p.wait(0.05)
                break
            except subprocess.TimeoutExpired:
                pass
        p.stdin.close()
    except BrokenPipeError:
        pass
    err = p.stderr.read().decode()
    say(p.wait(10) == 0 and sent < 300, "live -d: a recording that goes on", (sent, err))
finish()
