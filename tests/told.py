#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does the tool's timeline say what rows.py expects? One result each.

usage: told.py [--listener | --ring] DIR

--ring: ring.json instead, from a ring that has lost its oldest records: of a real
connection there may be nothing left.
--listener: are the tool's counts at the flooded listeners those of nstat?
"""
import json
import os
import sys
from collections import Counter

from expect import unexpired


def rows(name):
    with open(os.path.join(sys.argv[-1], name)) as f:
        for line in f:
            if line.strip():
                yield json.loads(line)


def load(name):
    return list(rows(name))


def ends(row):
    return tuple(row[e][f] for e in ("client", "server")
                 for f in ("addr", "port"))


def problems(want, told, gaps):
    """What is wrong with a row of the timeline; told: all of these ports;
    gaps: records were lost"""
    if want.get("none"):
        return ["it is told"] if told else []
    turn = want.get("turn", 0)
    if len(told) <= turn:
        return ["%d timelines of these ports" % len(told)]
    row, wrong = told[turn], []

    def check(what, says, good):
        if not good:
            wrong.append("%s is %s" % (what, says))
    if want.get("real"):
        # Whole; or its gap is marked, where the record has one.
        check("record", row["record"], row["record"] == "complete" or
              row["record"] == "lossy" and gaps)
        check("open", row["open"], row["record"] == "lossy" or
              row["open"] in ("three-way", "syn-cookie"))
        check("close", row["close"], row["record"] == "lossy" or
              row["close"] in ("three-segment", "four-way"))
        return wrong
    check("record", row["record"],
          row["record"] == want.get("record", "complete") or
          want.get("record") == "any")
    for field in ("open", "close"):
        if field in want:
            check(field, row[field], row[field] in want[field].split())
    if "not_close" in want:
        check("close", row["close"], row["close"] not in want["not_close"])
    for end in ("client", "server"):
        if end + "_states" not in want:
            continue
        good = want[end + "_states"].split()
        states = row[end]["states"] or []
        if good[-1] == "TIME_WAIT":
            states = unexpired(states)
        says = [s["state"] for s in states]
        check("the %s's way" % end, " ".join(says), says[-len(good):] == good)
    steps = row["steps"]
    for note in want.get("notes", ()):
        check("no step is called %s; notes" % note,
              [s["note"] for s in steps if s["note"]],
              any(note in (s["note"] or "") for s in steps))
    for end, count in want.get("bytes", {}).items():
        check("bytes of the " + end, row["bytes"][end],
              row["bytes"][end] == count)
    if want.get("again"):
        for end in ("client", "server"):
            check("isn_before of the " + end, row[end]["isn_before"],
                  row[end]["isn_before"] == told[turn - 1][end]["isn"])
    return wrong


def listener(flood, listeners, stats):
    """Results for one listener; whether something is wrong"""
    told = [r for r in listeners if
            (r["addr"], r["port"]) == (flood["addr"], flood["port"])]
    if len(told) != 1:
        print("not ok there is one listener (%s)" % flood["name"])
        return True
    bad, lossy = 0, told[0]["record"] != "complete"
    # `stats` counts the same.
    other = [r for r in stats if all(r[f] == told[0][f] for f in (
        "addr", "port", "netns"))]
    if other != told:
        print("not ok stats have the same (%s)" % flood["name"])
        print("\t%s" % other)
        bad = 1
    for field in sorted(set(told[0]) & set(flood) - {"kind", "addr", "port"}):
        says, good = told[0][field], flood[field]
        fits = says == good or lossy and says < good
        print("%s %s (%s): the tool says %d, the kernel %d%s" % (
            "ok" if fits else "not ok", field, flood["name"], says, good,
            ", records were lost" * lossy))
        bad += not fits
    # Else nothing would have been shown.
    well = flood["cookies_sent"] or flood["overflowed"]
    print("ok" if well else "not ok", "it was flooded (%s)" % flood["name"])
    return bool(bad or not well)


def listeners():
    told = [r for r in rows("timeline.json") if r["kind"] == "listener"]
    stats = load("stats.json")[0]["listeners"]
    bad = [listener(r, told, stats) for r in load("truth.json")
           if r["kind"] == "flood"]
    if not bad:
        print("not ok there was a flood")
    return any(bad) or not bad


def main():
    if "--listener" in sys.argv:
        return listeners()
    told, bad, ring = {}, 0, "--ring" in sys.argv
    wanted = [w for w in load("truth.json") if w["kind"] == "expect"]
    keys = {tuple(w["client"] + w["server"]) for w in wanted}
    for row in rows("ring.json" if ring else "timeline.json"):
        if row["kind"] == "connection" and ends(row) in keys:
            told.setdefault(ends(row), []).append(row)
    kinds = Counter()
    gaps = ring or load("stats.json")[0].get("records_lost")
    for want in wanted:
        key = tuple(want["client"] + want["server"])
        kinds.update("%s %s" % (r["open"], r["record"])
                     for r in told.get(key, ()))
        if ring and key not in told:
            kinds["gone"] += 1
            continue
        found = problems(want, told.get(key, []), gaps)
        print("%s %s" % ("not ok" if found else "ok", want["name"]))
        for text in found:
            print("\t" + text)
        bad += bool(found)
    print("# told: " + ", ".join("%d %s" % (n, k)
                                 for k, n in kinds.most_common()))
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
