#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares the text of /proc/tcphs/timeline, DIR/text, with the witnesses:
usage: proc_timeline.py DIR. Prints "ok NAME" or "not ok NAME".
"""
import os
import re
import sys
from collections import Counter

import expect
from witness import flags_text

HEAD = re.compile(r"A (\S+)(?:  B (\S+))?$")
ROW = re.compile(r" *(\d+\.\d+) ([AB]) (.*)$")
CHANGE = re.compile(r"(\w+) -> (\w+)(?: \((\w+)\))?(?: .*)?$")
OWNER = re.compile(r" pid (\d+) (\S+)$")
SEGMENT = re.compile(r"(in |out) (\S+) seq (\d+)(?: ack (\d+))?(?: len (\d+))?")


def end_text(end):
    return ("[%s]:%d" if ":" in end.addr else "%s:%d") % (end.addr, end.port)


def blocks_of(text):
    """[(A, B, [(time, end, what)])]"""
    found = []
    for line in text.splitlines():
        head, row = HEAD.match(line), ROW.match(line)
        if head:
            found.append((head.group(1), head.group(2), []))
        elif row and found:
            found[-1][2].append((float(row.group(1)),) + row.groups()[1:])
        elif line.strip():
            raise SystemExit("not ok a line of unknown form: " + line)
    return found


def problems_of(con, rows):
    wrong = []
    letter = {"A": con.client, "B": con.server}
    told = {"A": [], "B": []}
    segments = Counter()
    for _, who, what in rows:
        end = letter[who]
        change, segment = CHANGE.match(what), SEGMENT.match(what)
        if segment:
            way, flags, seq, ack, size = segment.groups()
            flags = flags_text(flags.split(","))
            segments[who, way.strip(), flags, int(seq),
                     int(ack or 0), int(size or 0)] += 1
        elif change:
            # The tracepoint's view of a birth and of TIME_WAIT is repeated by
            # the mini-socket's.
            old, new, via = change.groups()
            # Nor did any witness see it end, on a slow machine.
            if (old, new, via) == ("TIME_WAIT", "CLOSE", "timewait"):
                continue
            if (old, new, via) != ("LISTEN", "SYN_RECV", None) and old != new:
                told[who].append(new)
        owner = OWNER.search(what)
        if owner and owner.groups() != (str(end.truth["pid"]),
                                        end.truth["comm"]):
            wrong.append("%s is not %s: %s" % (who, end.truth["comm"], what))
    for who, end in letter.items():
        true = [s for _, s in end.states][1:]
        if true[-1:] == ["TIME_WAIT"]:
            true.insert(-1, "CLOSE")	# of the full socket
        if told[who] != true:
            wrong.append("%s went %s, in truth %s" % (who, told[who], true))
    may = Counter()
    for who, end in letter.items():
        for way, segs in (("out", end.sent), ("in", end.got)):
            for s in segs:
                may[who, way, flags_text(s.flags), s.seq,
                    s.ack if "ACK" in s.flags else 0, s.len] += 1
    must = Counter()
    for s in con.must():
        sent_by_a = s in con.client.sent
        for who, way in (("A", "out" if sent_by_a else "in"),
                         ("B", "in" if sent_by_a else "out")):
            must[who, way, flags_text(s.flags), s.seq,
                 s.ack if "ACK" in s.flags else 0, s.len] += 1
    wrong += ["missing: %s" % (k,) for k in must - segments]
    wrong += ["invented: %s" % (k,) for k in segments - may]
    times = [t for t, _, _ in rows]
    if times != sorted(times):
        wrong.append("not in the order of time")
    return wrong


def main():
    world = expect.World(sys.argv[1])
    with open(os.path.join(sys.argv[1], "text")) as f:
        text = f.read()
    blocks = blocks_of(text)
    for con in world.connections:
        mine = [rows for a, b, rows in blocks
                if (a, b) == (end_text(con.client), end_text(con.server))]
        wrong = ["%d blocks instead of one" % len(mine)] if len(mine) != 1 \
            else problems_of(con, mine[0])
        print("%s %s" % ("not ok" if wrong else "ok", con.name))
        for line in wrong:
            print("\t" + line)
    bad = re.findall(r"^.*(?:[\d\]]:0\b|\?).*$", text, re.M)
    print("%s no port 0, nothing unknown" % ("not ok" if bad else "ok"))
    for line in bad[:10]:
        print("\t" + line)


if __name__ == "__main__":
    main()
