#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Real recordings from which records are taken away, as a ring does that is
overwritten: of each CPU the oldest ones. What is told of the rest must be true
of the whole: no connection in two pieces, none called complete that misses a
record, no verdict but the true one or "unseen", no ends of another one's.

The records are dealt to two CPUs in three ways: as they were, in runs, and one
by one, where any order of loss can come about. The dice have seeds: a failure
names its own.

usage: loss.py DIRECTORY-OF-PROGRAMS [RECORDING SEED]	the latter leaves
						RECORDING.SEED.tcphs here
"""
import collections
import json
import random
import struct
import subprocess
import sys

from program import ENV, TCPHS
from recording import HEADER, read, split

TS, N, CPU, PAYLOAD = 0, 8, 28, 68
LOST = struct.Struct("=QQQIHBB36x4xQQQ32x")
KIND_LOST = 5
SEEDS = 200
failed = False


def say(problems, name):
    global failed
    print("%s %s" % ("not ok" if problems else "ok", name))
    for text in problems[:10]:
        failed = True
        print("# " + text)


def load(name):
    raw = read(name)
    return raw[:HEADER], split(raw)


def ts(record):
    return struct.unpack_from("=Q", record, TS)[0]


def deal(records, how, dice):
    """The records of each of two CPUs"""
    cpu, hands = dice.randrange(2), [[], []]
    for r in records:
        if how == "one by one" or how == "in runs" and dice.random() < 0.2:
            cpu = dice.randrange(2)
        elif how == "as they were":
            cpu = r[CPU] % 2
        hands[cpu].append(r)
    return hands


def lose(header, records, how, dice):
    """The recording of a reader that came when the ring had been overwritten"""
    rows, begin = [], ts(records[0]) - 1
    for cpu, hand in enumerate(deal(records, how, dice)):
        # The last record of a CPU is always there.
        cut = 0
        if hand and (cpu == 0 or dice.random() < 0.2):
            cut = dice.randrange(len(hand))
        if cut:
            rows.append(LOST.pack(begin, 0, 0, 0, cpu, KIND_LOST, 0, cut, 0,
                                  ts(hand[cut])))
        for n in range(cut, len(hand)):
            r = bytearray(hand[n])
            struct.pack_into("=Q", r, N, n)
            struct.pack_into("=H", r, CPU, cpu)
            rows.append(bytes(r))
    rows.sort(key=ts)
    return header + b"".join(rows)


def tell(raw, command):
    done = subprocess.run([TCPHS, "-r", "-", command, "--json"], input=raw,
                          stdout=subprocess.PIPE, env=ENV, check=False)
    if done.returncode:
        raise SystemExit("not ok tcphs ended with status %d" % done.returncode)
    return list(map(json.loads, done.stdout.splitlines()))


def connections(raw):
    return [c for c in tell(raw, "timeline") if c["kind"] == "connection"]


ENDS = ("saddr", "sport", "daddr", "dport")


def events(raw):
    """Of each record the ends that it is told with"""
    ends = collections.defaultdict(list)
    for r in tell(raw, "events"):
        if r["kind"] != "lost":
            ends[r["ts"], r["kind"], r["sock"], r.get("new")].append(
                tuple(r[f] for f in ENDS))
    return ends


def foreign(told, truth):
    """Ends that are another one's; a listener's address may be any"""
    return ["%s: %s, not %s" % (key, ends, truth[key][0])
            for key, all_ends in told.items() for ends in all_ends
            if not any(all(a in (None, b, "::", "0.0.0.0")
                           for a, b in zip(ends, true)) for true in truth[key])]


def end(side):
    return "%s:%s" % (side["addr"], side["port"])


def pair(con):
    """The same whoever is called the client; None: a port is not known"""
    if con["client"]["port"] and con["server"]["port"]:
        return tuple(sorted((end(con["client"]), end(con["server"]))))
    return None


def pieces(told, truth):
    """An end that is told more often than it lived"""
    def lives(rows):
        return collections.Counter((pair(c), end(c[s])) for c in rows
                                   for s in ("client", "server")
                                   if pair(c) and c[s]["states"])
    most = lives(truth)
    return ["%s of %s: %d times, not %d" % (who, " and ".join(of), n,
                                            most[of, who])
            for (of, who), n in lives(told).items() if n > most[of, who]]


def same(con, true):
    return all(con[f] == true[f] for f in ("open", "close")) and \
        len(con["steps"]) == len(true["steps"])


def may_be(con, true):
    """Where only one end is told of, that end's view counts: whose number was
    a cookie, and that the other one had timed out, it cannot know"""
    alone = not (con["client"]["states"] and con["server"]["states"])
    opens = {true["open"], "unseen"} | ({"three-way"} if alone else set())
    closes = {true["close"], "unseen", "open", None}
    if alone and (con["close"] or "").startswith("reset"):
        closes.add(con["close"])
    return con["open"] in opens and con["close"] in closes


def judge(told, truth):
    problems = pieces(told, truth)
    for con in told:
        if not pair(con):
            continue
        mine = [t for t in truth if pair(t) == pair(con)]
        text = "%s: %s, %s, %s" % (" and ".join(pair(con)), con["open"],
                                   con["close"], con["record"])
        if con["record"] != "lossy" and not any(same(con, t) for t in mine):
            problems.append(text)
        elif not any(may_be(con, t) for t in mine):
            problems.append("%s; in truth %s" % (text, " or ".join(
                "%s, %s" % (t["open"], t["close"]) for t in mine)))
    return problems


HOW = ("as they were", "in runs", "one by one")


def lost(name, seed):
    header, records = load(name)
    return lose(header, records, HOW[seed % 3], random.Random(seed))


def main():
    if len(sys.argv) > 2:
        name, seed = sys.argv[2], int(sys.argv[3])
        with open("%s.%d.tcphs" % (name, seed), "wb") as f:
            f.write(lost(name, seed))
        return 0
    for name in ("behaviours", "loopback"):
        header, records = load(name)
        truth = connections(header + b"".join(records))
        ends = events(header + b"".join(records))
        problems = collections.defaultdict(list)
        for seed in range(SEEDS):
            raw = lost(name, seed)
            problems[seed % 3] += ["seed %d: %s" % (seed, text) for text in
                                   judge(connections(raw), truth) +
                                   foreign(events(raw), ends)]
        for i, how in enumerate(HOW):
            say(problems[i], "%s, records lost, dealt %s: nothing is made up" %
                (name, how))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
