#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Real recordings that are cut, as a ring that is overwritten, before it is read or
while it is, or a module that is loaded late cuts them. Every number that is told of the rest is null, or that
of the whole recording. (What is called complete is loss.py's to judge.)

usage: cuts.py DIRECTORY-OF-PROGRAMS [RECORDING lose|skip|late N]	the latter leaves
						RECORDING.HOW.N.tcphs here
"""
import collections
import json
import random
import re
import struct
import subprocess
import sys

from loss import CPU, HOW, KIND_LOST, LOST, N, deal, load, lose, pair, ts
from program import ENV, TCPHS
from tap import finish, say

LOADED, OPENED = 48, 56		# in the header
SEEDS, LOADS = 120, 120
WHAT = {"lose": "the oldest records lost", "skip": "records lost on the way",
        "late": "a late load"}
SIDE = ("isn", "netns", "uid", "cgroup", "mark", "isn_before")
COUNTS = ("syns", "synacks", "cookies_sent", "cookies_accepted",
          "cookies_failed", "dropped", "overflowed")


def late(header, records, first):
    """The recording of a module that was loaded just before this record"""
    head, next_n, rows = bytearray(header), collections.Counter(), []
    for at in (LOADED, OPENED):
        struct.pack_into("=Q", head, at, ts(records[first]) - 1)
    for record in records[first:]:
        row = bytearray(record)
        cpu = row[CPU]
        struct.pack_into("=Q", row, N, next_n[cpu])
        next_n[cpu] += 1
        rows.append(bytes(row))
    return bytes(head) + b"".join(rows)


def skip(header, records, how, dice):
    """The recording of a reader that a CPU overtook"""
    hands, rows = deal(records, how, dice), []
    for cpu, hand in enumerate(hands):
        first = last = 0
        if cpu == 0 and len(hand) > 2:
            first = dice.randrange(1, len(hand) - 1)
            last = dice.randrange(first + 1, min(len(hand), first + 60))
        for n, record in enumerate(hand):
            if n == first and first:
                rows.append(LOST.pack(ts(hand[n - 1]), n, 0, 0, cpu, KIND_LOST, 0,
                                      last - first, ts(hand[n - 1]), ts(hand[last])))
            if first <= n < last:
                continue
            row = bytearray(record)
            struct.pack_into("=Q", row, N, n)
            struct.pack_into("=H", row, CPU, cpu)
            rows.append(bytes(row))
    rows.sort(key=ts)
    return header + b"".join(rows)


def run(raw, *args):
    done = subprocess.run([TCPHS, "-r", "-", *args], input=raw,
                          stdout=subprocess.PIPE, env=ENV, check=False)
    if done.returncode:
        raise SystemExit("not ok tcphs ended with status %d" % done.returncode)
    return done.stdout.decode()


def tell(raw):
    return [json.loads(line) for line in
            run(raw, "timeline", "--json").splitlines()]


def of_kind(rows, kind):
    return [row for row in rows if row["kind"] == kind]


def first_end(con):
    return con["client"]["addr"], con["client"]["port"]


def numbers(con, swap):
    """Each number by its name, as if the sides were the other way round"""
    sides = {"client": "server", "server": "client"}
    found = {f: con[f] for f in ("duration_us", "half_close_bytes")}
    if not swap:
        found["open_us"] = con["open_us"]
    for side, other in sides.items():
        as_side = other if swap else side
        found["bytes of the " + as_side] = con["bytes"][side]
        for field in SIDE:
            found["%s's %s" % (as_side, field)] = con[side][field]
    for kind, count in con["retransmits"].items():
        found["retransmits of " + kind] = count
    for step in con["steps"]:
        sender = sides[step["from"]] if swap else step["from"]
        for field in ("retransmit", "lost"):
            found["%s of the %s's step at %d" % (field, sender, step["ts"])] = \
                step[field]
    return found


def false_numbers(told, truth):
    """What is told of connections and is neither null nor true"""
    whole = collections.defaultdict(list)
    for con in of_kind(truth, "connection"):
        whole[pair(con)].append(con)
    for con in of_kind(told, "connection"):
        # Of two with the same ports it is not clear which one is told of.
        if con["record"] == "complete" or len(whole[pair(con)]) != 1:
            continue
        (true,) = whole[pair(con)]
        good = numbers(true, False)
        for name, says in numbers(con, first_end(con) != first_end(true)).items():
            # A reset has no half-close, and a copy may stand at another time.
            if says is None or name not in good or \
                    name == "half_close_bytes" and good[name] is None:
                continue
            if isinstance(says, float) and good[name] is not None and \
                    abs(says - good[name]) < 0.01:
                continue
            if says != good[name]:
                yield "%s, %s: %s is %s, in truth %s" % (
                    " and ".join(pair(con)), con["record"], name, says,
                    good[name])


def place(row):
    return row["addr"], row["port"], row["netns"]


def false_counts(told, truth):
    """Listeners' counts: none where records were lost; no more than all"""
    whole = {place(row): row for row in of_kind(truth, "listener")}
    for row in of_kind(told, "listener"):
        for field in COUNTS:
            says = row[field]
            if row["record"] == "lossy":
                good = says is None
            else:
                good = place(row) not in whole or says == whole[place(row)][field] or \
                    row["record"] == "partial" and says < whole[place(row)][field]
            if not good:
                yield "listener %s:%s, %s: %s is %s" % (
                    row["addr"], row["port"], row["record"], field, says)


def accusations(raw):
    """What Prometheus is told that listeners did not do"""
    return {field: sum(map(int, re.findall(
        r"^tcphs_window_listener_%s\{.*\} ([0-9]+)$" % field,
        run(raw, "stats", "--prometheus"), re.M)))
            for field in ("unanswered", "cookies_failed")}


def cut(name, how, n):
    header, records = load(name)
    if how == "late":
        return late(header, records, n)
    return (lose if how == "lose" else skip)(header, records, HOW[n % 3],
                                             random.Random(n))


def main():
    if len(sys.argv) > 2:
        name, how, n = sys.argv[2], sys.argv[3], int(sys.argv[4])
        with open("%s.%s.%d.tcphs" % (name, how, n), "wb") as f:
            f.write(cut(name, how, n))
        return
    for name in ("behaviours", "loopback"):
        header, records = load(name)
        raw = header + b"".join(records)
        truth, most = tell(raw), accusations(raw)
        step = max(1, len(records) // LOADS)
        for how, all_n in (("lose", range(SEEDS)), ("skip", range(SEEDS)),
                           ("late", range(1, len(records), step))):
            wrong, counts, accused = [], [], []
            for n in all_n:
                part = cut(name, how, n)
                told = tell(part)
                wrong += ["%d: %s" % (n, text) for text in
                          false_numbers(told, truth)]
                counts += ["%d: %s" % (n, text) for text in
                           false_counts(told, truth)]
                if how != "late" and n % 4 == 0:
                    accused += ["%d: %d %s, not %d" % (n, says, field, most[field])
                                for field, says in accusations(part).items()
                                if says > most[field]]
            of = "%s, %s" % (name, WHAT[how])
            say(not wrong, of + ": each number is null or true", "\n".join(wrong))
            say(not counts, of + ": listeners' counts", "\n".join(counts))
            if how != "late":
                say(not accused, of + ": no listener is accused in Prometheus",
                    "\n".join(accused))


if __name__ == "__main__":
    main()
    finish()
