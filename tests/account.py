#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The whole account of a window with more connections than judge.py can tell
apart: what the tool recorded against what ftrace and tcpdump saw, as three
fractions; each must be full, and nothing may be told that was not seen.

usage: account.py [--no-verdicts] [--refused] DIR

	transitions	of each socket: the changes of state, in their order
	segments	each SYN, FIN and RST, where it was sent and where it came
	verdicts	of each connection: how it opened and closed, computed here
			from the captures alone

--refused: among the segments are some that no stack takes; of these a record may
be missing, and port 0 may be left out. What the traffic calls whole, though its
packets are odd, must be there. DIR is a window's work directory. Exit: 0 all is
well, 1 not, 2 a witness is broken.
"""
import argparse
import json
import os
import sys
from collections import Counter, namedtuple

import expect
import witness
from expect import before, seq_end
from judge import row_text

SHOWN = 12
Row = namedtuple("Row", "ts sk old new family saddr sport daddr dport")


class Account:
    def __init__(self, path):
        clock = []
        self.inode, self.whole, self.nobody = {}, Counter(), set()
        self.cut = {}			# ends -> since when nothing gets there
        for row in rows_of(path, "truth.json"):
            if row["kind"] == "clock":
                clock.append(row["real_minus_mono"])
            elif row["kind"] in ("begin", "end"):
                setattr(self, row["kind"], row["mono"])
            elif row["kind"] == "cut":
                self.cut[frozenset(map(tuple, row["ends"]))] = row["mono"]
            elif row["kind"] == "nobody":
                self.nobody.add(row["addr"])
            elif row["kind"] == "whole":
                self.whole[(row["netns"], "in", *row["dst"], *row["src"],
                            row["flags"], row["seq"], 0)] += 1
        if abs(clock[0] - clock[1]) > 10**6:
            raise witness.Broken("the wall clock was set during the test")
        with open(os.path.join(path, "netns")) as f:
            for line in f:
                name, inode = line.split()
                if name != "wire":	# what is forged there is nobody's
                    self.inode[int(inode)] = name
        self.path = path
        self.events = [e for e in witness.trace_events(
            os.path.join(path, "trace")) if self.within(e.ts)]
        self.captured = [s for s in witness.all_segments(path, -clock[1])
                         if self.within(s.ts)]
        rows = [r for r in rows_of(path, "events.json")
                if r["kind"] == "lost" or self.within(r["ts"])]
        # The trace knows no netns: what an earlier test has left may end only now.
        self.changed = [r for r in rows if r["kind"] == "transition"
                        and r["via"] == "tracepoint"]
        self.rows = [r for r in rows
                     if r["kind"] == "lost" or r["netns"] in self.inode]
        self.ended = {}
        self.bad = False

    def within(self, ts):
        return self.begin <= ts <= self.end

    # ------------------------------------------------------------ the results

    def compare(self, what, told, true):
        """Two Counters, that must be equal; prints the fraction"""
        missing, invented = true - told, told - true
        total = sum(true.values())
        good = total - sum(missing.values())
        well = total and not missing and not invented
        print("%s %s: %d of %d recorded, %d not seen by the witness" % (
            "ok" if well else "not ok", what, good, total,
            sum(invented.values())))
        for name, wrong in (("missing", missing), ("invented", invented)):
            for key in list(wrong)[:SHOWN]:
                print("\t%s: %s" % (name, " ".join(map(str, key))))
        self.bad = self.bad or not well
        return missing + invented

    def lost(self):
        lost = sum(r["count"] for r in self.rows if r["kind"] == "lost")
        print("%s no record was lost" % ("not ok" if lost else "ok"))
        self.bad = self.bad or bool(lost)

    # ------------------------------------------------------------ transitions

    @staticmethod
    def changes(lives):
        """(the socket's ends, its states) of each socket, once per change"""
        found = Counter()
        for life in lives:
            ends = life.end()[1:]
            if life.listens():
                # A listener's children show their addresses in its place.
                ends = (life.events[0].sport,)
            states = tuple("%s>%s" % (e.old, e.new) for e in life.events)
            found[ends + states] += len(states)
        return found

    def transitions(self):
        rows = [Row(r["ts"], (r["netns"], r["sock"]), r["old"], r["new"],
                    r["family"], r["saddr"], r["sport"], r["daddr"],
                    r["dport"])
                for r in self.changed]
        self.compare("transitions", self.changes(expect.lives_of(rows)),
                     self.changes(expect.lives_of(self.events)))

    # --------------------------------------------------------------- segments

    def segments(self, refused=False):
        told = Counter(
            (self.inode[r["netns"]], r["dir"], r["saddr"], r["sport"],
             r["daddr"], r["dport"], witness.flags_text(r["flags"]), r["seq"],
             r["ack"] or 0, r["len"]) for r in self.rows
            if r["kind"] == "segment" and
            set(r["flags"]) & {"SYN", "FIN", "RST"})
        true = Counter()
        self.local = {}
        for s in self.captured:
            if not s.flags & {"SYN", "FIN", "RST"}:
                continue
            rest = (witness.flags_text(s.flags), s.seq,
                    s.ack if "ACK" in s.flags else 0, max(s.len, 0))
            here, there = (s.src, s.sport), (s.dst, s.dport)
            # Forged on loopback it leaves there, too.
            if self.is_local(s.netns, s.src) or (
                    s.src in self.nobody and self.loopback(s.dst)):
                true[(s.netns, "out") + here + there + rest] += 1
            if self.is_local(s.netns, s.dst) and \
                    s.ts < self.cut.get(frozenset((here, there)), self.end):
                true[(s.netns, "in") + there + here + rest] += 1
        if refused:
            # Without a header's true length there is no length of its data.
            true, told = [sum((Counter({k[:-1]: n}) for k, n in c.items()),
                              Counter()) for c in (true, told)]
            true = true & told | self.whole
            told = Counter({k: n for k, n in told.items()
                            if k[3] and k[5]})
        self.compare("SYN, FIN and RST segments", told, true)

    @staticmethod
    def loopback(address):
        return address.startswith("127.") or address == "::1"

    def is_local(self, netns, address):
        """By the captures: a client's address is where its first SYN was seen
        first; loopback's are local where they are, spoofed ones nowhere"""
        if self.loopback(address):
            return True
        if address in self.nobody:
            return False
        if not self.local:
            for s in self.captured:
                self.local.setdefault(s.src, s.netns)
        return self.local.get(address) == netns

    # --------------------------------------------------------------- verdicts

    def connections(self):
        """The segments of each connection as their sender's side saw them, in
        their order: a SYN with a new number begins another one"""
        live, found = {}, []
        for s in self.captured:
            if not self.is_local(s.netns, s.src):
                continue
            here, there = (s.src, s.sport), (s.dst, s.dport)
            key = frozenset((here, there))
            con = live.get(key)
            if s.flags & {"SYN", "ACK", "RST"} == {"SYN"} and (
                    con is None or s.seq != con[1][0].seq):
                con = live[key] = (here + there, [])
                found.append(con)
            if con:
                con[1].append(s)
        return found

    def first_to_end(self, segs, ends):
        """Whose socket ended first: "client" or "server". By the trace: the
        capture of a loopback has a segment's time where it came out of a CPU's
        queue, and cannot tell which of two crossing resets was sent first"""
        if not self.ended:
            for life in expect.lives_of(self.events):
                self.ended.setdefault(life.end()[1:], []).append(
                    life.when("CLOSE"))
        when = [min((ts for ts in self.ended.get(e, ()) if ts and
                     ts > segs[0].ts), default=None)
                for e in (ends, ends[2:] + ends[:2])]
        if None in when:
            raise witness.Broken("no end of %s:%s" % ends[:2])
        return "client" if when[0] < when[1] else "server"

    def verdict(self, segs, ends):
        client = ends[:2]
        sent = {True: [], False: []}
        for s in segs:
            sent[(s.src, s.sport) == client].append(s)
        asked, answered = sent[True], sent[False]
        synack = expect.first_of(answered, "SYN", "ACK")
        through = synack and any(
            "ACK" in s.flags and "RST" not in s.flags and
            s.ack == seq_end(synack) for s in asked)
        if not through:
            if not synack:
                return ("refused" if expect.first_of(answered, "RST")
                        else "half-open"), None
            return ("reset" if expect.first_of(segs, "RST")
                    else "half-open"), None
        close = closed(segs, sent)
        if self.loopback(client[0]) and close.startswith("reset-by") and all(
                expect.first_of(side, "RST") for side in sent.values()):
            close = "reset-by-" + self.first_to_end(segs, ends)
        return "three-way", close

    def verdicts(self):
        true, told = Counter(), Counter()
        for ends, segs in self.connections():
            true[ends + (segs[0].seq,) +
                 self.verdict(segs, ends)] += 1
        for row in rows_of(self.path, "timeline.json"):
            if row["kind"] == "connection" and row["netns"] in self.inode:
                ends = tuple(row[e][f] for e in ("client", "server")
                             for f in ("addr", "port"))
                told[ends + (row["client"]["isn"], row["open"],
                             row["close"])] += 1
        for ends in sorted({key[:4] for key in self.compare(
                "verdicts", told, true)})[:SHOWN]:
            self.side_by_side(ends)
        kinds = Counter(key[-1] for key in true)
        print("# how they closed: " + ", ".join(
            "%s %d" % (k, n) for k, n in kinds.most_common()))

    def side_by_side(self, ends):
        """All that the witnesses and the tool have of a pair of ports"""
        both = {ends[:2], ends[2:]}
        found = [(s.ts, witness.segment_text(s)) for s in self.captured
                 if {(s.src, s.sport), (s.dst, s.dport)} == both]
        found += [(e.ts, witness.event_text(e))
                  for life in expect.lives_of(self.events)
                  if life.end()[1:] in (ends, ends[2:] + ends[:2])
                  for e in life.events]
        found += [(r["ts"], "\t|  " + row_text(r)) for r in self.rows
                  if r["kind"] in ("transition", "segment", "reset") and
                  {(r["saddr"], r["sport"]), (r["daddr"], r["dport"])} == both]
        print("\twitness  |  tool")
        for _, text in sorted(found):
            print("\t" + text)


def closed(segs, sent):
    """How a connection closed, from the segments in the order of sending"""
    fin = {side: expect.first_of(s, "FIN") for side, s in sent.items()}

    def over(at):
        """Were both FINs acknowledged by then?"""
        return all(f and any(
            "ACK" in s.flags and not before(s.ack, seq_end(f))
            for s in sent[not side] if s.ts < at)
            for side, f in fin.items())
    for s in segs:
        if "RST" in s.flags and not over(s.ts):
            return "reset-by-" + ("client" if s in sent[True] else "server")
    fins = sorted((f.ts, side) for side, f in fin.items() if f)
    if not fins:
        return "open"
    active = fins[0][1]
    first, second = fin[active], fin[not active]
    if second and before(second.ack, seq_end(first)):
        return "simultaneous"
    return expect.how_answered(sent[not active], first, second)


def rows_of(path, name):
    with open(os.path.join(path, name)) as f:
        for line in f:
            if line.strip():
                yield json.loads(line)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--no-verdicts", action="store_true")
    args.add_argument("--refused", action="store_true")
    args.add_argument("dir")
    args = args.parse_args()
    try:
        account = Account(args.dir)
    except witness.Broken as err:
        print("account.py: %s" % err, file=sys.stderr)
        return 2
    account.lost()
    account.transitions()
    account.segments(args.refused)
    if not args.no_verdicts:
        account.verdicts()
    return 1 if account.bad else 0


if __name__ == "__main__":
    sys.exit(main())
