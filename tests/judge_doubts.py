#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Changes one thing at a time in what the tool said, and has judge.py judge it.
Prints "ok NAME" where that was found. usage: judge_doubts.py DIR
"""
import argparse
import copy
import os
import sys

import expect
import ladder
from judge import Judge, load


def verdict(world, rows, timeline):
    """The names of what the judge finds wrong"""
    args = argparse.Namespace(segments="handshake", lossy=False, netns=None,
                              ports=None)
    judge = Judge(world, rows, args)
    judge.events()
    ladder.judge(judge, timeline)
    return [name for wholes in (judge.problems, judge.general)
            for name, problems in wholes.items() if problems]


def first(rows, **fields):
    return next(i for i, r in enumerate(rows)
                if all(r.get(k) == v for k, v in fields.items()))


def doubts(rows, timeline):
    """(what is wrong, rows, timeline), one after the other"""
    def events(name, change):
        changed = copy.deepcopy(rows)
        change(changed)
        return name, changed, timeline

    def ladders(name, change):
        changed = copy.deepcopy(timeline)
        change(changed)
        return name, rows, changed

    established = first(rows, kind="transition", new="ESTABLISHED")
    request = first(rows, kind="transition", via="request")
    wait = first(rows, kind="transition", via="timewait", new="TIME_WAIT")
    syn = first(rows, kind="segment", dir="out", flags=["SYN"])
    reset = first(rows, kind="reset", dir="in")

    def put(i, **fields):
        return lambda r: r[i].update(fields)

    def add(i, field, value):
        return lambda r: r[i].update({field: r[i][field] + value})

    def twice(i):
        return lambda r: r.insert(i, copy.deepcopy(r[i]))

    def without(i):
        return lambda r: r.pop(i)

    for what, i in (("transition", established), ("request", request),
                    ("TIME_WAIT", wait), ("segment", syn), ("reset", reset)):
        yield events("a missing " + what, without(i))
        yield events("a repeated " + what, twice(i))
    yield events("another state", put(established, new="CLOSE_WAIT"))
    yield events("another socket", put(established, sock=1234567))
    yield events("port 0", put(established, sport=0))
    yield events("another port", add(established, "sport", 1))
    yield events("another address", put(established, daddr="192.0.2.77"))
    yield events("another family", put(established, family="inet6"))
    yield events("another process", put(established, pid=1, comm="init"))
    yield events("a wrong rcv_nxt", add(established, "rcv_nxt", 1))
    yield events("a wrong iss", add(established, "iss", 100000))
    yield events("an unknown snd_una", put(established, snd_una=None))
    yield events("a late transition", add(established, "ts", 10**9))
    yield events("a wrong seq", add(syn, "seq", 1))
    yield events("a wrong window", add(syn, "win", 1))
    yield events("the wrong direction", put(syn, dir="in"))
    yield events("a wrong MSS", lambda r: r[syn]["options"].update(mss=1))
    yield events("an invented retransmission", put(syn, retransmit=True))
    yield events("another netns", add(syn, "netns", 1))
    yield events("a lost record", lambda r: r.insert(
        5, {"kind": "lost", "cpu": 0, "count": 1, "n": 0, "ts": 0}))
    yield events("rows out of order", lambda r: r.reverse())

    con = first(timeline, kind="connection", close="four-way")
    listener = first(timeline, kind="listener")
    yield ladders("a missing timeline", without(con))
    yield ladders("a repeated timeline", twice(con))
    yield ladders("a missing listener", without(listener))
    yield ladders("another backlog", put(listener, backlog=1))
    for field, value in (("open", "fast-open"), ("close", "three-segment"),
                         ("record", "lossy"), ("family", "inet6"),
                         ("open_us", None), ("duration_us", 1)):
        yield ladders("another " + field, put(con, **{field: value}))
    for field, value in (("isn", 1), ("pid", 1), ("comm", "init"),
                         ("netns", 1)):
        yield ladders("another %s of the server" % field,
                      lambda r, f=field, v=value: r[con]["server"].update(
                          {f: v}))
    yield ladders("a missing state",
                  lambda r: r[con]["client"]["states"].pop(2))
    yield ladders("another state at the end",
                  lambda r: r[con]["server"]["states"][-1].update(
                      state="LAST_ACK"))
    yield ladders("bytes", lambda r: r[con]["bytes"].update(client=1))
    yield ladders("an invented retransmit",
                  lambda r: r[con]["retransmits"].update(syn=1))
    yield ladders("a missing step", lambda r: r[con]["steps"].pop(0))
    yield ladders("a repeated step", lambda r: r[con]["steps"].insert(
        0, copy.deepcopy(r[con]["steps"][0])))
    yield ladders("a step's wrong ack",
                  lambda r: r[con]["steps"][1].update(ack=1))
    yield ladders("a step from the wrong end",
                  lambda r: r[con]["steps"][0].update({"from": "server"}))
    yield ladders("steps out of order", lambda r: r[con]["steps"].reverse())


def main():
    path = sys.argv[1]
    world = expect.World(path)
    rows = load(os.path.join(path, "events.json"))
    timeline = load(os.path.join(path, "timeline.json"))
    good = set(verdict(world, rows, timeline))
    for name, changed, ladders in doubts(rows, timeline):
        try:
            found = set(verdict(world, changed, ladders)) - good
        except (KeyError, TypeError, IndexError) as err:
            found = repr(err)
        print("%s %s is found" % ("ok" if found else "not ok", name))


if __name__ == "__main__":
    main()
