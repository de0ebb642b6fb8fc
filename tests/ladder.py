# SPDX-License-Identifier: GPL-2.0
"""Compares `tcphs timeline --json` with what the witnesses say the timeline
must be. Part of judge.py, which has the results' names and the tolerances.
"""
from collections import Counter

import expect
import witness

WHOLE = "every connection and listener has its timeline, and no other"
US = 1000
TIMER_LATE = 8 * 10**9	# a timer of a minute is as coarse as that


def tuple_of(row):
    return tuple(row[name][field] for name in ("client", "server")
                 for field in ("addr", "port"))


def swapped(row):
    """The row with its ends exchanged: who the client was cannot be known of a
    connection whose SYN was not seen"""
    other = {"client": "server", "server": "client",
             "reset-by-client": "reset-by-server",
             "reset-by-server": "reset-by-client"}
    row = dict(row, client=row["server"], server=row["client"],
               close=other.get(row["close"], row["close"]))
    row["bytes"] = {other[k]: v for k, v in row["bytes"].items()}
    row["steps"] = [dict(s, client=s["server"], server=s["client"],
                         **{"from": other[s["from"]]}) for s in row["steps"]]
    return row


class Ladder:
    def __init__(self, judge, con, row):
        self.judge, self.con, self.row = judge, con, row

    def wrong(self, text):
        self.judge.blame(self.con, WHOLE, "timeline: " + text)

    def same(self, what, says, good):
        if says != good:
            self.wrong("%s is %s, must be %s" % (what, says, good))

    def same_or_unknown(self, what, says, good):
        """What a partial record does not know it must say so"""
        if not self.con.partial or says is not None:
            self.same(what, says, good)

    def true_states(self, end):
        """The end's states as far as the record can tell: what came before
        the module is one state without a time"""
        since = self.judge.world.since
        early = [s for ts, s in end.states if ts is None or ts < since]
        return [(None, early[-1])] + [s for s in end.states
                                      if s[0] is not None and s[0] >= since]

    def end(self, name, end):
        says = self.row[name]
        self.same_or_unknown(name + " isn", says["isn"], end.isn)
        inode = self.judge.world.inode[end.truth["netns"]]
        if end.states:
            self.same(name + " netns", says["netns"], inode)
            for field in ("pid", "comm"):
                self.same_or_unknown("%s %s" % (name, field), says[field],
                                     end.truth[field])
        elif says["pid"] is not None or says["comm"] is not None:
            self.wrong("%s has an owner, but no socket" % name)
        if not end.states:
            self.same(name + " states", says["states"], None)
            return
        if says["states"] is None:
            self.wrong("%s has no states" % name)
            return
        true = self.true_states(end)
        if true[-1][1] == "TIME_WAIT":
            says = dict(says, states=expect.without_expiry(says["states"]))
        told = [s["state"] for s in says["states"]]
        if told != [s for _, s in true]:
            self.wrong("%s went %s, but in truth %s" % (
                name, " ".join(told), " ".join(s for _, s in true)))
            return
        for s, (ts, state) in zip(says["states"], true):
            seen, gone = self.con.truth.get("ended") or (None, None)
            if ts is not None and ts == gone:
                # Somebody looked again and again; its end may be told when
                # the last one who held it lets go.
                late = self.judge.LATE_ROW
                if not seen - late <= s["ts"] <= gone + late:
                    self.wrong("it ended %.3f s after it was last seen, %.3f s "
                               "before it was gone" % ((s["ts"] - seen) / 1e9,
                                                       (gone - s["ts"]) / 1e9))
            elif ts is not None:
                self.judge.near(self.con, WHOLE, "timeline: %s %s" % (
                    name, state), ts, s["ts"])

    def steps(self):
        mode = self.judge.args.segments
        since = self.judge.world.since
        true = [s for s in self.con.segments() if s.ts >= since]
        must = true if mode == "all" else \
            [s for s in self.con.must() if s.ts >= since]
        need = Counter(map(self.judge.identity, must))
        may = Counter(map(self.judge.identity, true))
        told = Counter()
        last = None
        when = {}
        for seg in true:
            when.setdefault(self.judge.identity(seg), []).append(seg)
        for step in self.row["steps"]:
            key = self.step_key(step)
            flags = key[4]
            told[key] += 1
            if told[key] <= may[key]:
                seg = when[key][told[key] - 1]
                self.judge.near(self.con, WHOLE, "timeline: step", seg.ts,
                                step["ts"])
                # A pure ACK takes no sequence space: alike is not again.
                again = expect.seq_end(seg) != seg.seq and told[key] > 1 or \
                    seg.frame in self.judge.repeated[self.con.name,
                                                     step["from"]]
                self.same("retransmit of " + witness.flags_text(flags),
                          bool(step["retransmit"]), again)
            # None of these tests makes any of these.
            for word in ("challenge", "keep-alive", "probe", "duplicate"):
                if word in (step["note"] or ""):
                    self.wrong("a step is called %s" % step["note"])
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
        true = [s for _, s in self.true_states(end)]
        at = 0
        for state in along:
            if state not in true[at:]:
                self.wrong("the steps take the %s through %s" % (
                    name, " ".join(along)))
                return
            at = true.index(state, at)

    def judge_rest(self):
        """A record with gaps: says so, and what it still says is true"""
        con, row = self.con, self.row
        self.same("family", row["family"], con.family)
        if row["record"] != "lossy":
            self.wrong("record is %s, must be lossy" % row["record"])
        for field in ("open", "close"):
            if row[field] not in (getattr(con, field), "unseen", None):
                self.wrong("%s is %s, in truth %s" % (field, row[field],
                                                      getattr(con, field)))
        for name, end in con.ends():
            says = row[name]
            known = [("isn", end.isn)] + [(f, end.truth[f])
                                          for f in ("pid", "comm")]
            for field, good in known:
                if says[field] is not None:
                    self.same("%s %s" % (name, field), says[field], good)
            if row["bytes"][name] is not None:
                self.same("bytes of the " + name, row["bytes"][name],
                          end.bytes)
            true = [s for _, s in end.states]
            told = says["states"] or ()
            if true and true[-1] == "TIME_WAIT":
                told = expect.without_expiry(told, end.states[-1][0])
            told = [s["state"] for s in told]
            at = 0
            for state in told:
                if state not in true[at:]:
                    self.wrong("%s went %s, but in truth %s" % (
                        name, " ".join(told), " ".join(true)))
                    break
                at = true.index(state, at) + 1
        may = Counter(map(self.judge.identity, con.segments()))
        told = Counter(map(self.step_key, row["steps"]))
        for key in told - may:
            self.wrong("invented step: %s" % key_text(key))

    def step_key(self, step):
        ends = dict(self.con.ends())
        sender = ends[step["from"]]
        peer = ends["server" if step["from"] == "client" else "client"]
        flags = frozenset(step["flags"])
        return (sender.addr, sender.port, peer.addr, peer.port, flags,
                step["seq"], step["ack"] or 0 if "ACK" in flags else 0,
                step["len"])

    def judge_all(self):
        con, row = self.con, self.row
        self.same("family", row["family"], con.family)
        self.same("open", row["open"], "unseen" if con.partial else con.open)
        self.same("close", row["close"], con.close)
        self.same("record", row["record"],
                  "partial" if con.partial else "complete")
        for name, end in con.ends():
            self.end(name, end)
            # Without the data segments an open connection's are not known.
            if row["bytes"][name] is not None or not (
                    con.partial or con.close == "open" or "orphan" in con.truth
                    and self.judge.args.segments != "all"):
                self.same("bytes of the " + name, row["bytes"][name],
                          end.bytes)
        if self.judge.args.segments != "none":
            self.steps()
        if not con.partial:
            self.whole_life()

    def whole_life(self):
        """What only a complete record can tell"""
        con, row = self.con, self.row
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

    def duration(self):
        """From the SYN to the last thing that happened: no longer than the
        last state or segment, no shorter than the last FIN or RST. A SYN that
        came was captured before TCP, and the tool, had it."""
        says = self.row["duration_us"]
        if self.con.close == "open" or "orphan" in self.con.truth:
            return			# it still lasts
        segs = self.con.segments()
        first = min([step["ts"] for step in self.row["steps"]
                     if "SYN" in step["flags"]], default=self.row["start"])
        self.judge.near(self.con, WHOLE, "the beginning", segs[0].ts, first)
        least = max(s.ts for s in segs if s.flags & {"SYN", "FIN", "RST"})
        most = max([s.ts for _, e in self.con.ends() for s in e.got] +
                   [ts for _, e in self.con.ends() for ts, _ in e.states
                    if ts is not None])
        early, late = 5 * 10**6, self.judge.LATE_ROW
        if says is None:
            self.wrong("duration_us is unknown")
        elif not least - early <= first + says * US <= most + late:
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
        if row["want"]["open"] != "refused" and \
                not row.get("no_listener") and judge.world.visible(end["netns"], end["port"]):
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
        states = ["CLOSE", "LISTEN"] + ["CLOSE"] * bool(t.get("listener_closed"))
        if [s["state"] for s in r["states"]] != states:
            judge.blame(None, WHOLE, "listener %s went %s" % (
                name, " ".join(s["state"] for s in r["states"])))
    for r in found.values():
        judge.blame(None, WHOLE, "nobody's listener: %s" % r)


def of_before(row, begin):
    """Is it a connection from before the window? It has begun by then, as a
    namespace's number is used again; or only the end of its TIME_WAIT is told,
    when the module was loaded anew"""
    if row["start"] < begin:
        return True
    stays = row["client"]["states"] or row["server"]["states"] or []
    # A TIME_WAIT that began within the window lasts longer.
    return row["record"] == "partial" and not row["steps"] and \
        [s["state"] for s in stays] == ["TIME_WAIT", "CLOSE"] and \
        stays[1]["ts"] < begin + expect.TIME_WAIT_LASTS + TIMER_LATE


def judge(judge_, rows):
    judge_.general.setdefault(WHOLE, [])
    mine = [r for r in rows if r["netns"] in judge_.name_of]
    # What was there before the window is not for these witnesses.
    found, kinds = {}, Counter()
    for r in mine:
        if r["kind"] == "connection" and not of_before(r, judge_.world.begin):
            found.setdefault(tuple_of(r), []).append(r)
    lossy = judge_.args.lossy
    for con in judge_.world.connections:
        key = (con.client.addr, con.client.port, con.server.addr,
               con.server.port)
        told = found.pop(key, [])
        if con.partial or lossy:
            told += map(swapped, found.pop(key[2:] + key[:2], []))
        if con.truth.get("events_only"):
            continue
        # Of a connection that was quiet since there is nothing to tell.
        want = 0 if con.quiet or con.hidden else 1
        if len(told) != want and not (lossy and not told):
            judge_.blame(con, WHOLE, "%d timelines, not %d" % (len(told),
                                                               want))
        for row in told[:want]:
            ladder = Ladder(judge_, con, row)
            kinds[row["record"]] += 1
            if lossy and row["record"] != "complete":
                ladder.judge_rest()
            else:
                ladder.judge_all()
    if lossy and not (kinds["complete"] and kinds["lossy"]):
        judge_.blame(None, WHOLE, "of complete and lossy connections there "
                     "must be some: %s" % dict(kinds))
    for told in found.values():
        for row in told:
            # Its birth is all that is left: that came before the port.
            if lossy and None in (row["client"]["port"], row["server"]["port"]):
                continue
            judge_.blame(None, WHOLE, "invented: %s:%s > %s:%s %s, %s" % (
                tuple_of(row) + (row["open"], row["close"])))
    if not lossy and not judge_.world.midway:
        listeners(judge_, [r for r in mine if r["kind"] == "listener"])
