#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""`tcphs list`: its order, and its summary, against what the rows say.

usage: list.py DIRECTORY-OF-PROGRAMS
"""
import collections
import json
import math
import subprocess

from program import DATA, ENV, TCPHS
from tap import finish, say


def run(*args, env=ENV):
    p = subprocess.run([TCPHS, "list", *args], env=env,
                       capture_output=True, timeout=60)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def rows(*args):
    return [json.loads(line) for line in run("--json", *args)[1].splitlines()]


def known_sum(values):
    values = [v for v in values if v is not None]
    return sum(values) if values else None


def sent_again(copies):
    if None in (copies["syn"], copies["synack"], copies["fin"]):
        return None
    return known_sum(copies.values())


KEYS = {
    "start": lambda c: c["start"],
    "handshake": lambda c: c["open_us"],
    "duration": lambda c: c["duration_us"],
    "bytes": lambda c: known_sum(c["bytes"].values()),
    "retransmits": lambda c: sent_again(c["retransmits"]),
    "open": lambda c: ["three-way", "simultaneous", "fast-open", "syn-cookie",
                       "refused", "timed-out", "reset", "half-open",
                       None].index(c["open"]) if c["open"] != "unseen" else None,
    "client": lambda c: c["client"]["port"] and
    (":" in c["client"]["addr"], [int(x) for x in c["client"]["addr"].split(".")]
     if "." in c["client"]["addr"] else c["client"]["addr"], c["client"]["port"]),
}


def check(name, file):
    everything = rows("-r", file)
    connections = [r for r in everything if r["kind"] == "connection"]
    for key, value in KEYS.items():
        for reverse in (False, True):
            known = [c for c in connections if value(c) is not None]
            want = sorted(known, key=value, reverse=reverse)
            if reverse:
                # Equal ones keep their order.
                want = sorted(known[::-1], key=value)[::-1]
            want += [c for c in connections if value(c) is None]
            got = rows("-r", file, "--sort=%s%s" % ("-" if reverse else "", key))
            got = [c for c in got if c["kind"] == "connection"]
            say(got == want, "%s: --sort=%s%s" % (name, "-" * reverse, key),
                [(value(a), value(b)) for a, b in zip(got, want)])
    got = rows("-r", file, "--sort=-handshake", "-n", "3")
    want = sorted((c for c in connections if c["open_us"]),
                  key=lambda c: -c["open_us"])[:3]
    say([c for c in got if c["kind"] == "connection"] == want,
        name + ": the first three of an order")

    s = everything[-1]
    say([r["kind"] for r in everything].count("summary") == 1 and
        s["kind"] == "summary", name + ": one summary, at the end")
    say(s["connections"] == len(connections), name + ": connections", s)
    for what, field in (("opens", "open"), ("closes", "close"),
                        ("records", "record")):
        count = collections.Counter(c[field] for c in connections)
        count.pop(None, None)
        say(+collections.Counter(s[what]) == count, "%s: %s" % (name, what), s)
    times = sorted(c["open_us"] for c in connections if c["open_us"] is not None)
    t = s["open_us"]
    say((t["count"], t["min"], t["max"]) == (len(times), times[0], times[-1]),
        name + ": handshakes", t)
    for p in (50, 90, 99):
        exact = times[max(0, math.ceil(len(times) * p / 100) - 1)]
        say(abs(t["p%d" % p] - exact) <= exact / 100, "%s: p%d" % (name, p),
            "%s, exactly %s" % (t, exact))
    for bar in t["histogram"]:
        least = sum(bar["from"] * 1.01 < x < bar["to"] * 0.99 for x in times)
        most = sum(bar["from"] * 0.99 < x < bar["to"] * 1.01 for x in times)
        if not least <= bar["count"] <= most:
            say(False, name + ": histogram", bar)
    say(sum(b["count"] for b in t["histogram"]) == len(times) and
        t["histogram"][0]["count"] and t["histogram"][-1]["count"],
        name + ": the histogram has all, and no empty ends", t)

    status, text, err = run("-r", file)
    tail = text[text.rindex("\n\n"):]
    say(status == 0 and not err and "\nopened " in tail and
        all(len(line) <= 80 for line in tail.splitlines()),
        name + ": the summary fits into 80 columns", tail)
    _, ascii_text, _ = run("-r", file, "--ascii")
    say("#" in ascii_text and ascii_text.isascii() and "█" in text,
        name + ": bars, also in ASCII")


check("behaviours", DATA + "/behaviours.tcphs")
check("loopback", DATA + "/loopback.tcphs")
# Since the row before: never back in time, and from the first of both kinds on.
for how in ((), ("--sort=start",), ("--sort=-bytes",), ("--sort=client",)):
    for name in ("loopback", "behaviours"):
        text = run("-ttt", "-r", "%s/%s.tcphs" % (DATA, name), *how)[1]
        told = [line.split()[:2] for line in text[:text.index("\n\n")].splitlines()[1:]]
        first = [float(t) for t, kind in told if kind == "listener"][:1]
        say(len(told) > 10 and all(float(t) >= 0 for t, _ in told) and first in ([], [0]) and
            sum(float(t) == 0 for t, kind in told if kind != "listener") == 1,
            "%s: -ttt %s" % (name, " ".join(how)), told)
status, text, err = run("-r", DATA + "/loopback.tcphs", "port 1")
say(status == 0 and text.startswith("opened  nothing"), "nothing to sum up", text)
say(rows("-r", DATA + "/loopback.tcphs", "port 1")[-1]["open_us"]["p50"] is None,
    "nothing to sum up: null")
for args, word in ((["--sort=size"], "--sort=size: use one of start"),
                   (["--sort=", "-r", "x"], "--sort=: use one of"),
                   (["--sort=start", "-f"], "--sort does not go with -f")):
    status, text, err = run(*args)
    say(status == 2 and word in err, "usage: " + " ".join(args), err)
finish()
