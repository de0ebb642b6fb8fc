#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does the tool's timeline say what rows.py expects? One result each.

usage: told.py [--listener] DIR

--listener: are the tool's counts at the flooded listeners those of nstat?
"""
import json
import os
import sys


def load(name):
    with open(os.path.join(sys.argv[-1], name)) as f:
        return [json.loads(line) for line in f if line.strip()]


def ends(row):
    return tuple(row[e][f] for e in ("client", "server")
                 for f in ("addr", "port"))


def problems(want, told):
    """What is wrong with a row of the timeline; told: all of these ports"""
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
        # Whole, or its gap is marked.
        check("record", row["record"], row["record"] in ("complete", "lossy"))
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
        says = [s["state"] for s in row[end]["states"] or ()]
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


def listener(flood, rows):
    """Results for one listener; whether something is wrong"""
    told = [r for r in rows if r["kind"] == "listener" and
            (r["addr"], r["port"]) == (flood["addr"], flood["port"])]
    if len(told) != 1:
        print("not ok there is one listener (%s)" % flood["name"])
        return True
    bad, lossy = 0, told[0]["record"] != "complete"
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
    rows = load("timeline.json")
    bad = [listener(r, rows) for r in load("truth.json")
           if r["kind"] == "flood"]
    if not bad:
        print("not ok there was a flood")
    return any(bad) or not bad


def main():
    if "--listener" in sys.argv:
        return listeners()
    told, bad = {}, 0
    for row in load("timeline.json"):
        if row["kind"] == "connection":
            told.setdefault(ends(row), []).append(row)
    for want in load("truth.json"):
        if want["kind"] != "expect":
            continue
        key = tuple(want["client"] + want["server"])
        found = problems(want, told.get(key, []))
        print("%s %s" % ("not ok" if found else "ok", want["name"]))
        for text in found:
            print("\t" + text)
        bad += bool(found)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
