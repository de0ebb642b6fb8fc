#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""`tcphs live` of recordings that end anywhere: a verdict for each connection that
is over by then and for no other, in their order, and a summary that agrees with
itself and with `list`.

usage: live.py DIRECTORY-OF-PROGRAMS
"""
import json
import os
import re
import subprocess
import tempfile

from program import DATA, ENV, TCPHS
from recording import HEADER, read, split
from tap import finish, say


def run(*args):
    p = subprocess.run([TCPHS, *args], env=ENV, capture_output=True, timeout=60)
    return p.stdout.decode(), p.stderr.decode()


def is_over(c):
    ends = [c[side]["states"] for side in ("client", "server") if c[side]["states"]]
    return all(states[-1]["state"] in ("CLOSE", "TIME_WAIT") for states in ends)


def numbers(line):
    return [int(n) for n in re.findall(r"\b(\d+) [a-z]", line)]


def check(path):
    """What is wrong, and how many are over."""
    rows, err = run("live", "-tt", "-r", path)
    over = [row for row in rows.splitlines() if " over   " in row]
    listed = [json.loads(line) for line in run("list", "--json", "-r", path)[0].splitlines()]
    listed = [c for c in listed if c["kind"] == "connection"]
    wrong = []
    want = sum(map(is_over, listed))
    if len(over) != want:
        wrong.append("%d verdicts, %d are over" % (len(over), want))
    count, *kinds = numbers(err.splitlines()[0])
    if count != sum(kinds) or count != len(listed):
        wrong.append("%s; %d listed" % (err.splitlines()[0], len(listed)))
    return wrong, over, listed


for name in ("loopback", "overwritten", "behaviours"):
    path = os.path.join(DATA, name + ".tcphs")
    wrong, over, listed = check(path)
    say(not wrong and len(over) == len(listed), name + ": all are over, and all are told",
        wrong or over)
seqs = [re.search(r" seq=(\d+)(?: \[\d+\])? ack=(\d+)", row)
        for row in run("live", "-r", os.path.join(DATA, "overwritten.tcphs"))[0].splitlines()]
mixed = [m[0] for m in seqs
         if m and (int(m[1]) < 1 << 20) != (int(m[2]) < 1 << 20)]
say(not mixed and any(seqs), "a row's numbers are relative, or none of them is", mixed)
times = [float(row.split()[0]) for row in check(os.path.join(DATA, "loopback.tcphs"))[1]]
say(times == sorted(times), "in the order in which they ended", times)

raw = read("loopback")
records = split(raw)
bad = ""
some = 0
with tempfile.TemporaryDirectory() as work:
    part = os.path.join(work, "part.tcphs")
    for at in range(1, len(records), 7):
        with open(part, "wb") as f:
            f.write(raw[:HEADER] + b"".join(records[:at]))
        wrong, over, listed = check(part)
        some += 0 < len(over) < len(listed)
        if wrong:
            bad += "%d records: %s\n" % (at, "; ".join(wrong))
    say(not bad and some > 5, "cut anywhere: what still lives has no verdict", bad or some)
    everything = run("live", "-r", os.path.join(DATA, "loopback.tcphs"))[0].count("\n")
    for count in (1, 50, everything - 1):
        rows, _ = run("live", "-n", str(count), "-r", os.path.join(DATA, "loopback.tcphs"))
        say(rows.count("\n") == count, "-n %d: so many rows" % count, rows.count("\n"))
    rows, err = run("live", "--json", "-r", os.path.join(DATA, "loopback.tcphs"))
    say(all(json.loads(line) for line in rows.splitlines()) and "10 connections" in err,
        "--json: records only", err)
finish()
