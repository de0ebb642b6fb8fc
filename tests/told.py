#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does the tool's timeline say what rows.py expects? One result each.

usage: told.py [--listener | --ring] DIR

--ring: ring.json instead, from a ring that has lost its oldest records: of a real
connection there may be nothing left.
--listener: are the tool's counts at the flooded listeners those of nstat, and are
they the same in `timeline`, `stats` and `list`?
"""
import json
import os
import sys
from collections import Counter

from expect import without_expiry


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


def without_reset(row, end, says):
    """States as the tool has them, without the end of a TIME_WAIT that a RST ended
    after the peer's FIN had come twice (RFC 1337): on a machine so slow that it
    was sent again, the second one's ACK finds no socket any more. The steps are
    compared with tcpdump elsewhere."""
    peer = "server" if end == "client" else "client"
    sent = [s["flags"] for s in row["steps"] if s["from"] == peer]
    fins = sum("FIN" in flags for flags in sent)
    if [s["state"] for s in says[-2:]] == ["TIME_WAIT", "CLOSE"] and \
            fins > 1 and sent and "RST" in sent[-1]:
        return says[:-1]
    return says


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
        says = row[end]["states"] or []
        if good[-1] == "TIME_WAIT":
            says = without_reset(row, end, without_expiry(says))
        says = [s["state"] for s in says]
        check("the %s's way" % end, " ".join(says), says[-len(good):] == good)
    steps = row["steps"]
    for note in want.get("notes", ()):
        check("no step is called %s; notes" % note,
              [s["note"] for s in steps if s["note"]],
              any(note in (s["note"] or "") for s in steps))
    if "rst_by" in want:
        senders = {s["from"] for s in steps if "RST" in s["flags"]}
        check("the RSTs' sender", senders, senders == {want["rst_by"]} - {None})
    for end, comm in want.get("closed_by", {}).items():
        check("who closed the " + end, row[end]["closed_by"],
              (row[end]["closed_by"] or {}).get("comm") == comm)
    for end, count in want.get("bytes", {}).items():
        check("bytes of the " + end, row["bytes"][end],
              row["bytes"][end] == count)
    for field in ("isn", "isn_before"):
        for end, good in want.get(field, {}).items():
            check("%s of the %s" % (field, end), row[end][field],
                  row[end][field] == good)
    return wrong


def listener(flood, listeners, others):
    """Results for one listener; whether something is wrong"""
    told = [r for r in listeners if
            (r["addr"], r["port"]) == (flood["addr"], flood["port"])]
    if len(told) != 1:
        print("not ok there is one listener (%s)" % flood["name"])
        return True
    bad, lossy = 0, told[0]["record"] != "complete"
    # Those count the same.
    for name, found in others.items():
        other = [r for r in found if all(r[f] == told[0][f] for f in (
            "addr", "port", "netns"))]
        if other != told:
            print("not ok %s has the same (%s)" % (name, flood["name"]))
            print("\t%s" % other)
            bad = 1
    for field in sorted(set(told[0]) & set(flood) - {"kind", "addr", "port"}):
        says, good = told[0][field], flood[field]
        fits = says == good or lossy and (says is None or says < good)
        print("%s %s (%s): the tool says %s, the kernel %d%s" % (
            "ok" if fits else "not ok", field, flood["name"], says, good,
            ", records were lost" * lossy))
        bad += not fits
    # Else nothing would have been shown.
    well = flood["cookies_sent"] or flood["overflowed"]
    print("ok" if well else "not ok", "it was flooded (%s)" % flood["name"])
    return bool(bad or not well)


def listeners():
    told = [r for r in rows("timeline.json") if r["kind"] == "listener"]
    others = {"stats": load("stats.json")[0]["listeners"],
              "list": [r for r in rows("list.json") if r["kind"] == "listener"]}
    bad = [listener(r, told, others) for r in load("truth.json")
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
