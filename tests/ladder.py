# SPDX-License-Identifier: GPL-2.0
"""Compares `tcphs timeline --json` with what the witnesses say the timeline
must be. Part of judge.py, which has the results' names and the tolerances.
"""
from collections import Counter

import witness

WHOLE = "every connection and listener has its timeline, and no other"
US = 1000


def tuple_of(row):
    return tuple(row[name][field] for name in ("client", "server")
                 for field in ("addr", "port"))


class Ladder:
    def __init__(self, judge, con, row):
        self.judge, self.con, self.row = judge, con, row

    def wrong(self, text):
        self.judge.blame(self.con, WHOLE, "timeline: " + text)

    def same(self, what, says, good):
        if says != good:
            self.wrong("%s is %s, must be %s" % (what, says, good))

    def end(self, name, end):
        says = self.row[name]
        self.same(name + " isn", says["isn"], end.isn)
        inode = self.judge.world.inode[end.truth["netns"]]
        if end.states:
            self.same(name + " netns", says["netns"], inode)
            for field in ("pid", "comm"):
                self.same("%s %s" % (name, field), says[field],
                          end.truth[field])
        elif says["pid"] is not None or says["comm"] is not None:
            self.wrong("%s has an owner, but no socket" % name)
        if not end.states:
            self.same(name + " states", says["states"], None)
            return
        if says["states"] is None:
            self.wrong("%s has no states" % name)
            return
        told = [s["state"] for s in says["states"]]
        true = [s for _, s in end.states]
        if told != true:
            self.wrong("%s went %s, but in truth %s" % (
                name, " ".join(told), " ".join(true)))
            return
        for s, (ts, state) in zip(says["states"], end.states):
            if ts is not None:
                self.judge.near(self.con, WHOLE, "timeline: %s %s" % (
                    name, state), ts, s["ts"])

    def steps(self):
        mode = self.judge.args.segments
        true = self.con.segments()
        need = Counter(map(self.judge.identity, true if mode == "all"
                                                else self.con.must()))
        may = Counter(map(self.judge.identity, true))
        ends = dict(self.con.ends())
        told = Counter()
        last = None
        when = {}
        for seg in true:
            when.setdefault(self.judge.identity(seg), []).append(seg)
        for step in self.row["steps"]:
            sender = ends[step["from"]]
            peer = ends["server" if step["from"] == "client" else "client"]
            flags = frozenset(step["flags"])
            key = (sender.addr, sender.port, peer.addr, peer.port, flags,
                   step["seq"], step["ack"] or 0 if "ACK" in flags else 0,
                   step["len"])
            told[key] += 1
            if told[key] <= may[key]:
                seg = when[key][told[key] - 1]
                self.judge.near(self.con, WHOLE, "timeline: step", seg.ts,
                                step["ts"])
                again = told[key] > 1 or seg.frame in \
                    self.judge.repeated[self.con.name, step["from"]]
                self.same("retransmit of " + witness.flags_text(flags),
                          bool(step["retransmit"]), again)
            if last is not None and step["ts"] < last:
                self.wrong("the steps are not in the order of time")
            last = step["ts"]
        for key, count in (need - told).items():
            self.wrong("%d steps missing: %s" % (count, key_text(key)))
        for key, count in (told - may).items():
            self.wrong("%d steps too many: %s" % (count, key_text(key)))
        for name, end in self.con.ends():
            self.step_states(name, end)

    def step_states(self, name, end):
        """The states along the steps: in the order of the states, none twice,
        and the last one is the last one"""
        along = [s[name] for s in self.row["steps"] if s[name] is not None]
        if not end.states:
            self.same(name + " states along the steps", along, [])
            return
        true = [s for _, s in end.states]
        at = 0
        for state in along:
            if state not in true[at:]:
                self.wrong("the steps take the %s through %s" % (
                    name, " ".join(along)))
                return
            at = true.index(state, at)

    def judge_all(self):
        con, row = self.con, self.row
        self.same("family", row["family"], con.family)
        self.same("open", row["open"], con.open)
        self.same("close", row["close"], con.close)
        self.same("record", row["record"], "complete")
        for name, end in con.ends():
            self.end(name, end)
            self.same("bytes of the " + name, row["bytes"][name], end.bytes)
        copies = Counter(con.client.copies) + Counter(con.server.copies)
        for kind in ("syn", "synack", "fin", "data"):
            # Without data segments their copies cannot be told.
            if kind != "data" or self.judge.args.segments == "all":
                self.same("retransmits of " + kind, row["retransmits"][kind],
                          copies[kind])
        if con.open_us is None:
            self.same("open_us", row["open_us"], None)
        elif row["open_us"] is None:
            self.wrong("open_us is unknown")
        else:
            self.judge.near(con, WHOLE, "open_us", con.open_us * US,
                            row["open_us"] * US)
        self.duration()
        if self.judge.args.segments != "none":
            self.steps()

    def duration(self):
        """From the SYN to the last thing that happened: no longer than the
        last state or segment, no shorter than the last FIN or RST"""
        says = self.row["duration_us"]
        if self.con.close == "open":
            return			# it still lasts
        segs = self.con.segments()
        first = segs[0].ts
        least = max(s.ts for s in segs if s.flags & {"SYN", "FIN", "RST"})
        most = max([s.ts for _, e in self.con.ends() for s in e.got] +
                   [ts for _, e in self.con.ends() for ts, _ in e.states
                    if ts is not None])
        slack = 5 * 10**6
        if says is None:
            self.wrong("duration_us is unknown")
        elif not least - slack <= first + says * US <= most + slack:
            self.wrong("duration_us is %d, must be within %d..%d" % (
                says, (least - first) / US, (most - first) / US))


def key_text(key):
    return "%s:%s > %s:%s %s seq=%s ack=%s len=%s" % (
        key[:4] + (witness.flags_text(key[4]),) + key[5:])


def listeners(judge, rows):
    """One object per listening socket, as bind(), listen() and close() were"""
    truth = {}
    for row in judge.world.truth:
        end = row["server"]
        if row["want"]["open"] != "refused":
            truth[judge.world.inode[end["netns"]], end["port"]] = row
    found = {(r["netns"], r["port"]): r for r in rows}
    for key, t in truth.items():
        r = found.pop(key, None)
        name = "%s of %s" % (t["server"]["comm"], t["name"])
        if not r:
            judge.blame(None, WHOLE, "no listener " + name)
            continue
        good = {"addr": t["listen_addr"], "pid": t["server"]["pid"],
                "comm": t["server"]["comm"], "backlog": t["backlog"]}
        for field, value in good.items():
            if r[field] != value:
                judge.blame(None, WHOLE, "listener %s: %s is %s, must be %s" % (
                    name, field, r[field], value))
        states = ["CLOSE", "LISTEN"] + ["CLOSE"] * bool(t.get("listener_only"))
        if [s["state"] for s in r["states"]] != states:
            judge.blame(None, WHOLE, "listener %s went %s" % (
                name, " ".join(s["state"] for s in r["states"])))
    for r in found.values():
        judge.blame(None, WHOLE, "nobody's listener: %s" % r)


def judge(judge_, rows):
    judge_.general.setdefault(WHOLE, [])
    mine = [r for r in rows if r["netns"] in judge_.name_of]
    # What was there before the window is not for these witnesses.
    found = {}
    for r in mine:
        if r["kind"] == "connection":
            found.setdefault(tuple_of(r), []).append(r)
    for con in judge_.world.connections:
        key = (con.client.addr, con.client.port, con.server.addr,
               con.server.port)
        told = found.pop(key, [])
        if len(told) != 1:
            judge_.blame(con, WHOLE, "%d timelines instead of one" % len(told))
        for row in told[:1]:
            Ladder(judge_, con, row).judge_all()
    for told in found.values():
        for row in told:
            judge_.blame(None, WHOLE, "invented: %s:%s > %s:%s %s, %s" % (
                tuple_of(row) + (row["open"], row["close"])))
    listeners(judge_, [r for r in mine if r["kind"] == "listener"])
