#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares what the tool said with what the witnesses saw, both ways: nothing
missing, nothing invented. Prints "ok NAME" or "not ok NAME" for each connection
and for each whole, and where they differ both, side by side.

usage: judge.py [--segments all|handshake|none] [--only events|timeline]
		[--lossy] [--ports N,N...] [--netns NAME] DIR

--ports and --netns are the filter under which the tool recorded.

DIR is a window's work directory: truth.json, trace/, *.pcap, events.json,
timeline.json. Exit: 0 all is well, 1 something is not, 2 a witness is broken.
"""
import argparse
import json
import os
import statistics
import sys

import expect
import witness
from expect import seq_end

MS = 10**6


def load(path):
    with open(path) as f:
        return [json.loads(row) for row in f if row.strip()]


class Judge:
    # Both clocks are read within one call chain; an interrupt, or a virtual
    # CPU that does not run, may come in between. So the single row may be late,
    # the typical one not.
    LATE_ROW = 2000 * MS
    LATE_TYPICAL = 2 * MS

    def __init__(self, world, rows, args):
        self.world, self.rows, self.args = world, rows, args
        self.problems = {c.name: [] for c in world.connections}
        self.general = {}		# name of a whole -> problems
        self.late = []
        self.partner = {}		# id(witness row) -> tool rows
        self.of_life = {id(e.life): (c, n) for c in world.connections
                        for n, e in c.ends() if e.life}
        self.name_of = {inode: name for name, inode in world.inode.items()}
        self.repeated = {(c.name, n): expect.repeated(c.sent_by(e))
                         for c in world.connections for n, e in c.ends()}

    def blame(self, con, whole, text):
        """Notes a problem, at its connection where there is one"""
        self.general.setdefault(whole, [])
        if con:
            self.problems[con.name].append(text)
        else:
            self.general[whole].append(text)

    def near(self, con, whole, what, witness_ts, tool_ts):
        late = abs(tool_ts - witness_ts)
        self.late.append(late)
        if late > self.LATE_ROW:
            self.blame(con, whole, "%s: %.3f ms from the witness" %
                       (what, late / MS))

    # ------------------------------------------------------------ transitions

    def transitions(self):
        whole = "every state change of the trace is recorded, and no other"
        self.general.setdefault(whole, [])
        rows = [r for r in self.rows if r["kind"] == "transition"
                and r["via"] == "tracepoint"]
        free = {}
        for r in rows:
            if self.world.since <= r["ts"] <= self.world.end:
                free.setdefault((r["old"], r["new"]), []).append(r)
        life_of = {}
        for life in self.world.lives:
            for e in life.events:
                life_of[id(e)] = life
        pairs = []
        for e in self.world.events:
            if e.ts < self.world.since or self.kept_out(life_of[id(e)]):
                continue
            fits = [r for r in free.get((e.old, e.new), [])
                    if self.same_tuple(e, life_of[id(e)], r)]
            con = self.of_life.get(id(life_of[id(e)]), (None,))[0]
            if not fits:
                if not self.args.lossy:
                    self.blame(con, whole, "not recorded: " +
                               witness.event_text(e))
                continue
            r = min(fits, key=lambda r: abs(r["ts"] - e.ts))
            free[e.old, e.new].remove(r)
            self.partner.setdefault(id(e), []).append(r)
            self.near(con, whole, "%s -> %s" % (e.old, e.new), e.ts, r["ts"])
            pairs.append((e, life_of[id(e)], r))
        for rows in free.values():
            for r in rows:
                self.blame(self.con_of_row(r), whole,
                           "not in the trace: " + row_text(r))
        self.sockets(whole, pairs)
        for e, life, r in pairs:
            con, end = self.of_life.get(id(life), (None, None))
            if con:
                self.transition_facts(con, end, life, e, r)

    def kept_out(self, life):
        """Does the tool's filter keep this socket out? The trace knows no
        netns: those of the truth's addresses and ports are taken"""
        world = self.world
        if not world.only_netns and not world.only_ports:
            return False
        _, saddr, sport, _, dport = life.end()
        con, name = self.of_life.get(id(life), (None, None))
        if con:
            netns = con.end(name).truth["netns"]
        else:
            netns = next((t["server"]["netns"] for t in world.truth
                          if t["server"]["port"] == sport and saddr in (
                              None, t["server"]["addr"])), None)
        return not world.visible(netns, sport, dport)

    @staticmethod
    def same_tuple(event, life, row):
        """Does the row fit what the trace knew at the event, and say nothing
        that turned out otherwise?"""
        known = dict(zip(("family", "saddr", "sport", "daddr", "dport"),
                         life.end()))
        if event.new in ("LISTEN",) or event.old == "LISTEN" and \
                event.new == "CLOSE":
            known["daddr"] = known["dport"] = None
        for field in ("saddr", "sport", "daddr", "dport"):
            says = row[field]
            if says is None:
                # Without a port the local end as a whole is not chosen yet.
                if getattr(event, field) is not None and (
                        field != "saddr" or event.new != "SYN_SENT"
                        or row["sport"] is not None):
                    return False
            elif says != known[field] and not (
                    field in ("saddr", "daddr") and says in ("0.0.0.0", "::")
                    and known[field] is None):
                return False
        return row["family"] == known["family"] or row["daddr"] is None

    def con_of_row(self, row):
        for con in self.world.connections:
            for _, end in con.ends():
                peer = con.server if end is con.client else con.client
                if (row["saddr"], row["sport"], row["daddr"], row["dport"]) \
                        == (end.addr, end.port, peer.addr, peer.port):
                    return con
        return None

    def sockets(self, whole, pairs):
        """One socket of the kernel is one `sock` of the tool, in its order"""
        seen = {}
        order = {id(r): i for i, r in enumerate(self.rows)}
        for e, life, r in pairs:
            con = self.of_life.get(id(life), (None,))[0]
            if not r["sock"]:
                self.blame(con, whole, "no socket: " + row_text(r))
            before_, place = seen.setdefault(id(life), (r["sock"], -1))
            if before_ != r["sock"]:
                self.blame(con, whole, "the socket's name changed: " +
                           row_text(r))
            if order[id(r)] < place:
                self.blame(con, whole, "out of order: " + row_text(r))
            seen[id(life)] = (before_, order[id(r)])
        alive = {}
        for life in self.world.lives:
            sock = seen.get(id(life), (None, 0))[0]
            span = (life.events[0].ts, life.events[-1].ts)
            for other, (begin, end) in alive.get(sock, []):
                if sock and begin < span[1] and span[0] < end:
                    self.blame(None, whole, "two sockets are called %s" % sock)
            alive.setdefault(sock, []).append((life, span))

    def transition_facts(self, con, name, life, event, row):
        """Numbers and owner: the true ones or none, and where they are due"""
        whole = "numbers and owners"
        end = con.client if name == "client" else con.server
        peer = con.server if name == "client" else con.client
        what = "%s %s -> %s: " % (name, event.old, event.new)

        def wrong(field, good):
            self.blame(con, whole, "%s%s %s, but it is %s" %
                       (what, field, row[field], good))

        unborn = event.old in ("CLOSE", "LISTEN")
        for field, side, other in (
                ("iss", end, peer), ("snd_nxt", end, peer),
                ("snd_una", end, peer), ("write_seq", end, peer),
                ("irs", peer, end), ("rcv_nxt", peer, end)):
            value = row[field]
            if value is None:
                # An ISN is due when it was fixed, not for ever after.
                due = event.new == "ESTABLISHED" if field in (
                    "iss", "irs") else not unborn
                if con.open == "simultaneous":
                    # SYN_SENT -> SYN_RECV comes before the peer's number is
                    # taken, and snd_una is past the own one afterwards.
                    due = due and field not in ("iss", "rcv_nxt")
                if field in ("irs", "rcv_nxt") and not expect.first_of(
                        end.got, "SYN"):
                    due = False		# it was lost on its way
                if due and side.isn is not None:
                    wrong(field, "known by then")
                continue
            if side.isn is None:
                wrong(field, "unknown: that end sent no SYN")
            elif field in ("iss", "irs"):
                if value != side.isn:
                    wrong(field, side.isn)
            elif (value - side.isn) & 0xffffffff > side.bytes + 2:
                wrong(field, "within %d..%d" % (side.isn,
                                                side.isn + side.bytes + 2))
        fin, fin_in = end.fin(), peer.fin()
        exact = []
        if event.new == "ESTABLISHED":
            exact = [("rcv_nxt", peer.isn + 1), ("snd_una", end.isn + 1)]
        elif event.new in ("FIN_WAIT1", "LAST_ACK") and fin and \
                event.old != event.new:
            exact = [("write_seq", fin.seq + fin.len)]
        elif event.new == "FIN_WAIT2" and event.old != event.new and fin:
            exact = [("snd_una", seq_end(fin))]
        elif event.new in ("CLOSE_WAIT", "CLOSING") and fin_in:
            exact = [("rcv_nxt", seq_end(fin_in))]
        for field, good in exact:
            if row[field] != good & 0xffffffff:
                wrong(field, good & 0xffffffff)
        if row["pid"] is not None and (row["pid"], row["comm"]) != \
                (end.truth["pid"], end.truth["comm"]):
            self.blame(con, whole, "%sby %s/%s, but the process is %s/%s" %
                       (what, row["comm"], row["pid"], end.truth["comm"],
                        end.truth["pid"]))
        if row["pid"] is None and (event.new == "SYN_SENT" or (
                event.old, event.new) == ("ESTABLISHED", "FIN_WAIT1")):
            self.blame(con, whole, what + "has no owner")
        if row["uid"] is not None and row["uid"] != end.truth["uid"]:
            wrong("uid", end.truth["uid"])

    def mini_sockets(self):
        """via=request: one SYN_RECV per connection, when its SYN arrives;
        via=timewait: the TIME_WAIT that must be there"""
        whole = "mini-sockets"
        self.general.setdefault(whole, [])
        for via in ("request", "timewait"):
            rows = [r for r in self.rows if r["kind"] == "transition"
                    and r["via"] == via and r["netns"] in self.name_of
                    and self.world.since <= r["ts"] <= self.world.end]
            used = set()
            for con in self.world.connections:
                for name, end in con.ends():
                    state = "SYN_RECV" if via == "request" else "TIME_WAIT"
                    if via == "request" and con.open == "simultaneous":
                        continue	# a whole socket was in SYN_RECV
                    due = [s for s in end.states[1:] if s[1] == state and
                           s[0] >= self.world.since and not con.hidden]
                    peer = con.server if name == "client" else con.client
                    mine = [r for r in rows if r["new"] == state and
                            self.row_is(r, end, peer)]
                    if len(mine) != len(due) and not (
                            self.args.lossy and len(mine) < len(due)):
                        self.blame(con, whole, "%s: %d transitions to %s via "
                                   "%s, not %d" % (name, len(mine), state, via,
                                                   len(due)))
                    for r, (ts, state) in zip(mine, due):
                        self.near(con, whole, "%s %s" % (name, state), ts,
                                  r["ts"])
                        used.add(id(r))
            for r in rows:
                # A TIME_WAIT of nobody, or a request without a SYN
                if id(r) not in used and r["new"] in ("SYN_RECV", "TIME_WAIT"):
                    self.blame(self.con_of_row(r), whole,
                               "nobody's: " + row_text(r))

    @staticmethod
    def row_is(row, end, peer):
        return (row["saddr"], row["sport"], row["daddr"], row["dport"]) == \
            (end.addr, end.port, peer.addr, peer.port)

    # --------------------------------------------------------------- segments

    def segments(self):
        """Each captured segment is one row where it was sent and one where it
        arrived; loopback's one line stands for both"""
        whole = "every captured segment is recorded at both ends, and no other"
        self.general.setdefault(whole, [])
        mode = self.args.segments
        due = {}
        for con in self.world.connections:
            must = {self.identity(s) for s in con.must()}
            for name, end in con.ends():
                again = self.repeated[con.name, name]
                for way, segs in (("out", end.sent), ("in", end.got)):
                    for s in segs:
                        if s.ts < self.world.since or con.hidden or \
                                not end.visible:
                            continue
                        key = self.key(s, s.netns, way)
                        need = mode == "all" or (
                            mode == "handshake" and self.identity(s) in must)
                        due.setdefault(key, []).append(
                            (con, s, need, s.frame in again))
        got = {}
        for r in self.rows:
            if r["kind"] != "segment" or not \
                    self.world.since <= r["ts"] <= self.world.end:
                continue
            name = self.name_of.get(r["netns"])
            if name is None:
                continue
            key = (name, r["dir"], r["saddr"], r["sport"], r["daddr"],
                   r["dport"], frozenset(r["flags"]), r["seq"],
                   r["ack"] or 0, r["len"], r["win"])
            got.setdefault(key, []).append(r)
        for key, wanted in due.items():
            rows = got.pop(key, [])
            con = wanted[0][0]
            need = sum(w[2] for w in wanted)
            if len(rows) < need and not self.args.lossy:
                self.blame(con, whole, "%s: recorded %d of %d: %s" % (
                    key[1], len(rows), need,
                    witness.segment_text(wanted[0][1])))
            for r, (con, s, due_, copy) in zip(rows,
                                               self.chosen(rows, wanted)):
                self.partner.setdefault(id(s), []).append(r)
                self.near(con, whole, "segment " + key[1], s.ts, r["ts"])
                self.segment_facts(con, whole, s, r, copy, due_)
            for r in rows[len(wanted):]:
                self.blame(con, whole, "recorded too often: " + row_text(r))
        for rows in got.values():
            for r in rows:
                self.blame(self.con_of_row(r), whole,
                           "not captured: " + row_text(r))

    @staticmethod
    def identity(s):
        return (s.src, s.sport, s.dst, s.dport, s.flags, s.seq, s.ack, s.len)

    @staticmethod
    def key(s, netns, way):
        near, far = ((s.src, s.sport), (s.dst, s.dport))
        if way == "in":
            near, far = far, near
        return (netns, way) + near + far + (s.flags, s.seq, s.ack if "ACK" in
                                            s.flags else 0, s.len, s.win)

    @staticmethod
    def chosen(rows, wanted):
        """Of several like segments, not all of which must be recorded, those
        that the rows are: an ACK and its copy differ in their options"""
        if len(rows) >= len(wanted):
            return wanted
        rest, found = list(wanted), []
        for r in rows:
            same = [w for w in rest if w[1].hlen == r["header"] and all(
                r["options"].get(field) == w[1].options.get(field)
                for field in ("tsval", "tsecr"))]
            found.append((same or rest)[0])
            rest.remove(found[-1])
        return found

    def segment_facts(self, con, whole, seg, row, copy, due):
        for field, good in seg.options.items():
            says = row["options"].get(field)
            if field == "fastopen":
                fits = bool(says) == bool(good)
            elif field in ("sack_permitted", "mptcp"):
                fits = bool(says) == good
            else:
                fits = says == good
            if not fits:
                self.blame(con, whole, "option %s %s, but it is %s: %s" % (
                    field, says, good, row_text(row)))
        if row["header"] != seg.hlen:
            self.blame(con, whole, "header %s, but it is %d: %s" % (
                row["header"], seg.hlen, row_text(row)))
        if row["dir"] == "out" and bool(row["retransmit"]) != bool(copy):
            self.blame(con, whole, "retransmit %s: %s" % (row["retransmit"],
                                                          row_text(row)))
        if self.args.segments == "handshake" and seg.len and not due and \
                not seg.flags & {"SYN", "FIN", "RST"}:
            self.blame(con, whole, "data among the handshake: " +
                       row_text(row))

    def resets(self):
        """A reset is told where it was sent by a socket and where it hit one,
        by tcp_send_reset and tcp_receive_reset"""
        whole = "resets"
        self.general.setdefault(whole, [])
        for con in self.world.connections:
            for name, end in con.ends():
                peer = con.server if name == "client" else con.client
                # Only the first: no socket is left for another.
                rst = [s for s in sorted(end.sent + end.got,
                                         key=lambda s: s.ts)
                       if "RST" in s.flags][:1]
                shown = end.life and end.visible and not con.hidden
                for way, due in (
                        ("out", shown and rst and rst[0] in end.sent),
                        ("in", shown and rst and rst[0] in end.got)):
                    mine = [r for r in self.rows if r["kind"] == "reset" and
                            r["dir"] == way and self.row_is(r, end, peer)]
                    if len(mine) != bool(due):
                        self.blame(con, whole, "%s: %d resets %s, not %d" % (
                            name, len(mine), way, bool(due)))

    # ----------------------------------------------------------- every record

    def sanity(self):
        """What must hold for each row whatever happened"""
        whole = "no port 0, no unknown netns, nothing lost"
        self.general.setdefault(whole, [])
        last = {}
        for r in self.rows:
            if r["kind"] == "lost":
                if not self.args.lossy:
                    self.blame(None, whole, "lost: " + json.dumps(r))
                continue
            if r["sport"] == 0 or r["dport"] == 0:
                self.blame(self.con_of_row(r), whole,
                           "port 0: " + row_text(r))
            if r["cpu"] in last and r["n"] <= last[r["cpu"]]:
                self.blame(None, whole, "n goes back on CPU %d" % r["cpu"])
            last[r["cpu"]] = r["n"]
            if r["ts"] >= self.world.since and \
                    self.name_of.get(r["netns"]) == "wire":
                self.blame(None, whole, "recorded in the wire: " + row_text(r))
        times = [r["ts"] for r in self.rows if r["kind"] != "lost"]
        if times != sorted(times):
            self.blame(None, whole, "the rows are not in the order of time")

    def events(self):
        """Everything that there is to say on `tcphs events`"""
        self.sanity()
        self.transitions()
        if self.args.segments != "none":
            self.mini_sockets()
            self.segments()
        if not self.args.lossy:
            self.resets()
        self.typical()

    # ---------------------------------------------------------------- results

    def typical(self):
        whole = "times agree with the witnesses'"
        self.general.setdefault(whole, [])
        if self.late and statistics.median(self.late) > self.LATE_TYPICAL:
            self.general[whole].append("median difference %.3f ms" % (
                statistics.median(self.late) / MS))

    def report(self):
        bad = 0
        for con in self.world.connections:
            want = con.truth["want"]
            problems = self.problems[con.name]
            if con.open != want["open"] or want["close"] not in (con.close,
                                                                 "any"):
                problems.insert(0, "not produced: meant %s, %s; the capture "
                                "shows %s, %s" % (want["open"], want["close"],
                                                  con.open, con.close))
            size = con.truth.get("fin_on_data")
            fin = size and con.end(con.truth["first"]).fin()
            if fin and fin.len != size:
                problems.insert(0, "not produced: the FIN has no data")
            bad += show(con.name, problems)
            if problems:
                self.side_by_side(con)
        for whole, problems in self.general.items():
            bad += show(whole, problems)
        return bad

    def side_by_side(self, con):
        rows = []
        ends = {id(e.life) for _, e in con.ends() if e.life}
        for life in self.world.lives:
            if id(life) in ends:
                rows += [(e.ts, witness.event_text(e),
                          self.partner.get(id(e), [])) for e in life.events]
        for seg in {id(s): s for _, e in con.ends()
                    for s in e.sent + e.got}.values():
            rows.append((seg.ts, witness.segment_text(seg),
                         self.partner.get(id(seg), [])))
        print("\twitness  |  tool")
        for _, text, tool in sorted(rows, key=lambda r: r[0]):
            print("\t%s" % text)
            for r in tool:
                print("\t\t|  %s" % row_text(r))


def row_text(r):
    head = "%.6f %s:%s > %s:%s " % (r["ts"] / 1e9, r["saddr"], r["sport"],
                                    r["daddr"], r["dport"])
    if r["kind"] == "transition":
        return head + "%s -> %s via %s (%s/%s) iss=%s irs=%s snd_nxt=%s " \
            "snd_una=%s rcv_nxt=%s" % tuple(r[k] for k in (
                "old", "new", "via", "comm", "pid", "iss", "irs", "snd_nxt",
                "snd_una", "rcv_nxt"))
    if r["kind"] == "segment":
        return head + "%s %s seq=%s ack=%s len=%s netns=%s" % (
            r["dir"], witness.flags_text(r["flags"]), r["seq"], r["ack"],
            r["len"], r["netns"])
    return head + r["kind"]


def show(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for text in problems[:20]:
        print("\t" + text)
    if len(problems) > 20:
        print("\t... and %d more" % (len(problems) - 20))
    return bool(problems)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--segments", default="handshake",
                      choices=("all", "handshake", "none"))
    args.add_argument("--only", choices=("events", "timeline"))
    args.add_argument("--lossy", action="store_true")
    args.add_argument("--netns")
    args.add_argument("--ports")
    args.add_argument("dir")
    args = args.parse_args()
    try:
        world = expect.World(args.dir, args.netns, args.ports and {
            int(port) for port in args.ports.split(",")})
    except witness.Broken as err:
        print("judge.py: %s" % err, file=sys.stderr)
        return 2
    rows = load(os.path.join(args.dir, "events.json"))
    judge = Judge(world, rows, args)
    if args.only != "timeline":
        judge.events()
    if args.only != "events":
        import ladder
        ladder.judge(judge, load(os.path.join(args.dir, "timeline.json")))
    return 1 if judge.report() else 0


if __name__ == "__main__":
    sys.exit(main())
