#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Where output cannot go, and streams that no kernel makes: a message, the right
exit status, and no crash.

usage: outlets.py DIRECTORY-OF-PROGRAMS
"""
import os
import random
import resource
import struct
import subprocess
import tempfile

from program import DATA, ENV, SANITIZED, TCPHS
from recording import HEADER, RECORD, split
from tap import finish, say

COMMANDS = ("timeline", "list", "events", "live", "stats", "timeline --json",
            "list --json", "list --sort=bytes", "events --json", "live --json",
            "timeline --explain", "--help", "--version", "list --help",
            "record -o -", "stats --prometheus", "stats --prometheus -o -")


def run(command, path, **more):
    args = command.split() + ([] if command.endswith(("help", "version"))
                              else ["-r", path])
    more.setdefault("stdout", subprocess.PIPE)
    p = subprocess.run([TCPHS] + args, env=ENV, stderr=subprocess.PIPE,
                       timeout=120, **more)
    return p.returncode, p.stderr.decode()


good = os.path.join(DATA, "loopback.tcphs")
with open(good, "rb") as f:
    raw = f.read()

# ---- no room, nobody there ------------------------------------------------

for command in COMMANDS:
    with open("/dev/full", "wb") as full:
        status, err = run(command, good, stdout=full)
    say(status == 1 and "standard output: No space left" in err,
        "a full disk: " + command, "%d %s" % (status, err))
    status, err = run(command, good, stdout=None, preexec_fn=lambda: os.close(1))
    say(status == 1 and "standard output: " in err,
        "standard output closed: " + command, "%d %s" % (status, err))
    r, w = os.pipe()
    os.close(r)
    status, err = run(command, good, stdout=w)
    os.close(w)
    say(status == 0 and "standard output" not in err,
        "nobody reads: " + command, "%d %s" % (status, err))

with tempfile.TemporaryDirectory() as work:
    def limited(size):
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    out = os.path.join(work, "x.tcphs")
    status, err = run("record -o " + out, good, preexec_fn=limited(HEADER + 5000))
    with open(out, "rb") as f:
        written = f.read()
    say(status == 1 and "File too large" in err and "bytes are whole" in err,
        "a file that may not grow: record", "%d %s" % (status, err))
    say((len(written) - HEADER) % RECORD == 0 and raw.startswith(written) and
        len(written) > 4000, "a file that may not grow: what is there is whole",
        len(written))
    for suffix in ("pcapng", "svg", "png", "mmd"):
        out = os.path.join(work, "x." + suffix)
        status, err = run("export -o " + out, good, preexec_fn=limited(1000))
        say(status == 1 and "File too large" in err and not os.path.exists(out),
            "a file that may not grow: " + suffix, "%d %s" % (status, err))
        # Where it may not be standard output by accident.
        status, err = run("export -o " + out, good, stdout=None,
                          preexec_fn=lambda: os.close(1))
        say(status == 0 and not err, "standard output closed: " + suffix,
            "%d %s" % (status, err))
    for fd in (0, 2):
        p = subprocess.run([TCPHS, "list", "-r", good], env=ENV,
                           stdout=subprocess.PIPE, preexec_fn=lambda: os.close(fd))
        say(p.returncode == 0 and b"three-way" in p.stdout,
            "descriptor %d closed" % fd, p)
    with open(good, "rb") as f:
        p = subprocess.run([TCPHS, "list", "-r", "-"], env=ENV, stdin=f,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           preexec_fn=lambda: os.close(0))
        say(p.returncode == 1 and b"standard input" in p.stderr,
            "-r - and standard input closed", p)

# ---- an order that no kernel makes ----------------------------------------

records = split(raw)
rng = random.Random(1)
shuffled = records[:]
rng.shuffle(shuffled)
nearly = records[:]
for i in range(0, len(nearly) - 8, 8):
    part = nearly[i:i + 8]
    rng.shuffle(part)
    nearly[i:i + 8] = part
for name, order in (("shuffled", shuffled), ("reversed", records[::-1]),
                    ("nearly in order", nearly),
                    ("all twice", [r for r in records for _ in range(2)])):
    with tempfile.NamedTemporaryFile() as f:
        f.write(raw[:HEADER] + b"".join(order))
        f.flush()
        bad = [(c, s, e[:200]) for c in COMMANDS
               for s, e in (run(c, f.name),) if s]
        say(not bad, "records " + name, bad)
        with tempfile.TemporaryDirectory() as work:
            bad = [(s, e[:200]) for x in ("pcapng", "svg", "png", "mmd")
                   for s, e in (run("export -o %s/x.%s" % (work, x), f.name),)
                   if s]
            say(not bad, "records %s: export" % name, bad)

# ---- half-open connections ------------------------------------------------

COUNT = 20000 if SANITIZED else 200000
with tempfile.NamedTemporaryFile() as f:
    f.write(raw[:HEADER])
    for n in range(COUNT):
        f.write(struct.pack("=QQQIHBB4s12xI12xHH", 1000 + n, n, 0, 1, 0, 2, 0,
                            b"\x0a\0\0\1", 100000 + n, 80, 1024 + n % 60000) +
                struct.pack("=BBBBIIIHH40s", 0, 0, 0x50, 2, n * 7919 % 2**32, 0,
                            0, 512, 0, b""))
    f.flush()
    for command in ("timeline", "list", "list --json"):
        p = subprocess.Popen([TCPHS] + command.split() + ["-r", f.name], env=ENV,
                             stdout=subprocess.PIPE)
        told = sum(line.count(b"half-open") and b'"summary"' not in line and
                   not line.startswith(b"opened") for line in p.stdout)
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = 0
        say(status == 0 and told == COUNT,
            "%d half-open connections: %s" % (COUNT, command), "%d told" % told)
        # tcphs(8), OVERHEAD: 0.6 KB each, and what the program itself takes.
        if not SANITIZED:
            say(usage.ru_maxrss < 0.7 * COUNT + 30000,
                "%d half-open connections: %s: memory" % (COUNT, command),
                "%d KB" % usage.ru_maxrss)
finish()
