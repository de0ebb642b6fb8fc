# SPDX-License-Identifier: GPL-2.0
"""What a timeline must say, computed from the witnesses alone: states from the
trace, segments and numbers from the captures, processes from the traffic's own
account. Nothing here has seen tcphs.
"""
import json
import os

import witness
from witness import Broken

MS = 10**6
TIME_WAIT_LASTS = 60 * 1000 * MS		# the kernel's TCP_TIMEWAIT_LEN


def before(a, b):
    """Is sequence number a before b? (modulo 2^32)"""
    return 0 < (b - a) & 0xffffffff < 1 << 31


def seq_end(seg):
    """The number after the segment; SYN and FIN take one each"""
    return (seg.seq + seg.len + ("SYN" in seg.flags) + ("FIN" in seg.flags)) \
        & 0xffffffff


def pure_ack(seg):
    return seg.flags == {"ACK"} and seg.len == 0


class Life:
    """One socket's state changes, as the trace has them: a socket's address is
    used again, so it begins and ends"""

    def __init__(self, first):
        self.events = [first]
        self.sk = first.sk

    def end(self):
        """(family, saddr, sport, daddr, dport), as much as ever was known"""
        def last(field):
            known = [getattr(e, field) for e in self.events
                     if getattr(e, field) is not None]
            return known[-1] if known else None
        return tuple(last(f) for f in ("family", "saddr", "sport", "daddr",
                                       "dport"))

    def listens(self):
        return self.events[0].new == "LISTEN"

    def when(self, state):
        for e in self.events:
            if e.new == state:
                return e.ts
        return None


def lives_of(events):
    lives, open_ = [], {}
    for e in events:
        born = e.old == "CLOSE" or (e.old, e.new) == ("LISTEN", "SYN_RECV")
        if born or e.sk not in open_:
            open_[e.sk] = Life(e)
            lives.append(open_[e.sk])
        else:
            open_[e.sk].events.append(e)
    return lives


class End:
    """One end of a connection: all that its own netns saw of it"""

    def __init__(self, truth, addr, port):
        self.truth, self.addr, self.port = truth, addr, port
        self.life = None
        self.isn = None
        self.visible = True		# to the tool
        self.states = []		# [(ts, name)], ts None: long before
        self.bytes = 0
        self.sent = []			# Segments, by the clock of this end's
        self.got = []			# capture
        self.copies = dict(syn=0, synack=0, fin=0, data=0)

    def fin(self):
        return next((s for s in self.sent if "FIN" in s.flags), None)

    def first(self, *flags):
        return next((s for s in self.sent if s.flags >= set(flags)), None)


class Connection:
    """A connection as it must be told"""

    def __init__(self, truth, family, client, server):
        self.truth, self.name = truth, truth["name"]
        self.family, self.client, self.server = family, client, server
        self.open = self.close = self.open_us = None
        self.partial = False		# began before the module
        self.hidden = False		# the filter keeps it out

    def ends(self):
        return (("client", self.client), ("server", self.server))

    def end(self, name):
        return self.client if name == "client" else self.server

    def peer(self, end):
        return self.server if end is self.client else self.client

    def sent_by(self, end):
        """The end's segments as it sent them, or as they came to the only end
        that the tool sees"""
        return end.sent if end.visible else self.peer(end).got

    def segments(self):
        """Each segment once"""
        return sorted(self.sent_by(self.client) + self.sent_by(self.server),
                      key=lambda s: s.ts)

    def must(self):
        """The segments that segments=handshake must record"""
        found = [s for s in self.segments() if s.flags & {"SYN", "FIN", "RST"}]
        for _, end in self.ends():
            for asked in self.sent_by(self.peer(end)):
                if asked.flags >= {"SYN", "ACK"} or "FIN" in asked.flags:
                    found += [a for a in self.answer(end, asked)
                              if a not in found]
        return found

    def answer(self, end, asked):
        """The pure ACK in which `end` first acknowledged all of `asked`, if it
        was one; an ACK that rode on something else is no handshake segment,
        but for that of a SYN,ACK: it opens the connection with data"""
        for seg in self.sent_by(end):
            if "ACK" in seg.flags and \
                    not before(seg.ack, seq_end(asked)) and \
                    ("SYN" not in asked.flags or "SYN" not in seg.flags):
                return [seg] if pure_ack(seg) or "SYN" in asked.flags else []
        return []


def count_copies(end, sent):
    """Retransmissions and payload of one end, from the numbers it sent"""
    again, data = repeated(sent), None
    for seg in sent:
        if seg.frame in again:
            kind = "data"
            if "SYN" in seg.flags:
                kind = "synack" if "ACK" in seg.flags else "syn"
            elif "FIN" in seg.flags:
                kind = "fin"
            end.copies[kind] += 1
        if seg.len:
            last = (seg.seq + seg.len) & 0xffffffff
            if data is None or before(data, last):
                data = last
    if data is not None:
        end.bytes = (data - end.isn - 1) & 0xffffffff


def repeated(sent):
    """Which of an end's segments (by frame) only repeat what it sent"""
    top, found, answered = None, set(), False
    for seg in sent:
        last = seq_end(seg)
        if seg.seq == last:
            continue			# takes no sequence space
        if seg.flags >= {"SYN", "ACK"} and not answered:
            # Where SYNs cross it has the number of the SYN before it.
            answered, top = True, last
            continue
        if top is not None and not before(top, last):
            found.add(seg.frame)
        else:
            top = last
    return found


def states_of(end, first):
    """The end's states with their times; `first` is what was before"""
    life = end.life
    states = [(None, first)]
    if not life:
        return states
    for e in life.events:
        if e.old == e.new or (e.old, e.new) == ("LISTEN", "SYN_RECV"):
            continue		# the child's birth; SYN_RECV began before
        states.append((e.ts, e.new))
    if life.events[-1].new != "CLOSE":
        return states
    # A socket that closes out of FIN_WAIT2 or CLOSING leaves a TIME_WAIT
    # mini-socket, unless a reset killed it.
    ts, old = life.events[-1].ts, life.events[-1].old
    reset = [s for s in end.got + end.sent if "RST" in s.flags]
    if old in ("FIN_WAIT2", "CLOSING") and not reset:
        states.pop()
        fin = next((s for s in end.got if "FIN" in s.flags), None)
        if fin:
            states.append((max(ts, fin.ts), "TIME_WAIT"))
    return states


def without_expiry(told, since=None):
    """States as the tool has them, without the end of a TIME_WAIT that has lasted
    its time: a machine may be so slow that it is over before the test. `since`: when
    it began, if the tool does not know"""
    if len(told) > 1 and (told[-2]["state"], told[-1]["state"]) == (
            "TIME_WAIT", "CLOSE"):
        since = told[-2]["ts"] or since
        if since and told[-1]["ts"] - since >= TIME_WAIT_LASTS - 10 * MS:
            return told[:-1]
    return told


def first_of(segs, *flags):
    return next((s for s in segs if s.flags >= set(flags)), None)


def open_verdict(con):
    asked, answered = map(con.sent_by, (con.client, con.server))
    synack, refusal = first_of(answered, "SYN", "ACK"), first_of(answered,
                                                                 "RST")
    if crossed(answered):
        return "simultaneous"
    if not synack:
        if refusal and refusal.ack == seq_end(first_of(asked, "SYN")):
            return "refused"
        return "timed-out"
    if all(e.life and e.life.when("ESTABLISHED") for _, e in con.ends()):
        return "three-way"
    if first_of(asked, "RST"):
        return "reset"
    if con.client.life and con.client.life.events[-1].new == "CLOSE":
        return "timed-out"
    return "half-open"


def crossed(answered):
    """Did the server, too, send a SYN of its own?"""
    return any("SYN" in s.flags and "ACK" not in s.flags for s in answered)


def close_verdict(con):
    if con.open not in ("three-way", "simultaneous"):
        return None
    if "orphan" in con.truth:
        return "timed-out"		# no segment tells
    for seg in con.segments():
        if "RST" in seg.flags:
            return "reset-by-" + ("client" if seg in con.sent_by(con.client)
                                  else "server")
    fins = [(first_of(con.sent_by(end), "FIN"), end) for _, end in con.ends()]
    fins = sorted((f for f in fins if f[0]), key=lambda f: f[0].ts)
    if not fins:
        return "open"
    first, active = fins[0]
    answers = con.sent_by(con.peer(active))
    second = first_of(answers, "FIN")
    if second and before(second.ack, seq_end(first)):
        return "simultaneous"
    return how_answered(answers, first, second)


def how_answered(answers, first, second):
    """How a close went on that began with the FIN `first`: from all that the other
    end sent, and its own FIN `second`, if there is one and it is no crossing one"""
    after = [s for s in answers if "ACK" in s.flags and
             not before(s.ack, seq_end(first))]
    # What was sent before is no more than repeated.
    isn = answers[0].seq
    top = max((seq_end(s) - isn & 0xffffffff for s in answers
               if s not in after and "RST" not in s.flags), default=0)
    if any(s.len and top < (s.seq + s.len - isn & 0xffffffff) for s in after):
        return "half-close"
    if not second:
        return "open"
    return "four-way" if acked_before(after, second) else \
        "three-segment"


def acked_before(after, second):
    """Did one of `after`, which all acknowledge the first FIN, leave before
    `second`, the FIN that answers it? Then the close is four-way; in a three-segment
    close the ACK and the FIN left as one segment (scenarios, row 4).

    A segment without data has the number that comes next: one that left before
    the FIN has no higher number than the FIN itself, one that left after it has.
    That holds also where a capture has lost the order of leaving: a loopback's has
    the time at which a CPU took it out of its queue. Data after the first FIN
    makes it a half-close; here it is sent again, its number is old, and there is
    nothing but the time."""
    number = seq_end(second) - 1 & 0xffffffff
    return any(s.ts < second.ts if s.len else not before(number, s.seq)
               for s in after if not s.flags & {"FIN", "RST"})


class World:
    """All that the witnesses and the traffic left in a work directory"""

    def __init__(self, path, only_netns=None, only_ports=None):
        self.only_netns, self.only_ports = only_netns, only_ports
        self.truth, self.inode = [], {}
        self.midway = None
        with open(os.path.join(path, "netns")) as f:
            for row in f:
                name, inode = row.split()
                self.inode[name] = int(inode)
        real = []
        with open(os.path.join(path, "truth.json")) as f:
            for row in map(json.loads, f):
                if row["kind"] == "connection":
                    self.truth.append(row)
                elif row["kind"] == "clock":
                    real.append(row["real_minus_mono"])
                else:
                    setattr(self, row["kind"], row["mono"])
        # From here on the module was loaded.
        self.since = self.midway or self.begin
        if len(real) != 2 or abs(real[0] - real[1]) > MS:
            raise Broken("the wall clock was set during the test")
        self.events = [e for e in witness.trace_events(
            os.path.join(path, "trace")) if self.begin <= e.ts <= self.end]
        self.segments = [s for s in witness.all_segments(path, -real[1])
                         if self.begin <= s.ts <= self.end]
        self.lives = lives_of(self.events)
        self.connections = [c for c in map(self.connection, self.truth) if c]

    def visible(self, netns, *ports):
        """Does the tool's filter let it through?"""
        return (not self.only_netns or netns == self.only_netns) and (
            not self.only_ports or any(p in self.only_ports for p in ports))

    def connection(self, truth):
        if truth.get("listener_only"):
            return None
        ends = {n: (truth[n]["addr"], truth[n]["port"])
                for n in ("client", "server")}
        family = "inet6" if truth["family"] == "inet6" else "inet"
        con = Connection(truth, family,
                         End(truth["client"], *ends["client"]),
                         End(truth["server"], *ends["server"]))
        for name, end in con.ends():
            peer = con.server if end is con.client else con.client
            here, there = (end.addr, end.port), (peer.addr, peer.port)
            for s in self.segments:
                if s.netns != end.truth["netns"]:
                    continue
                if ((s.src, s.sport), (s.dst, s.dport)) == (here, there):
                    end.sent.append(s)
                elif ((s.src, s.sport), (s.dst, s.dport)) == (there, here):
                    end.got.append(s)
            lives = [life for life in self.lives
                     if life.end()[1:] == here + there]
            if len(lives) > 1:
                raise Broken("%s: the ports were used twice" % con.name)
            end.life = lives[0] if lives else None
        con.hidden = True
        for _, end in con.ends():
            end.visible = self.visible(end.truth["netns"], con.client.port,
                                       con.server.port)
            con.hidden = con.hidden and not end.visible
        if con.hidden:
            for _, end in con.ends():
                end.visible = True	# to the witnesses, all the same
        self.judge_by_witness(con)
        return con

    def judge_by_witness(self, con):
        syn = first_of(con.sent_by(con.client), "SYN")
        if not syn:
            raise Broken("%s: no SYN was captured" % con.name)
        for _, end in con.ends():
            sent = con.sent_by(end)
            first = first_of(sent, "SYN")
            if first:
                end.isn = first.seq
                count_copies(end, sent)
        con.open = open_verdict(con)
        con.close = close_verdict(con)
        if con.client.visible:
            con.client.states = states_of(con.client, "CLOSE")
        if con.open == "simultaneous":
            con.server.states = states_of(con.server, "CLOSE")
        elif con.server.visible and con.server.first("SYN", "ACK"):
            con.server.states = states_of(con.server, "LISTEN")
            arrived = first_of(con.server.got, "SYN")
            con.server.states.insert(1, (arrived.ts, "SYN_RECV"))
        if "ended" in con.truth:
            # Of a mini-socket: when it was seen for the last time, and to be gone.
            con.end(con.truth["first"]).states.append(
                (con.truth["ended"][1], "CLOSE"))
        con.partial = syn.ts < self.since
        con.quiet = all(s.ts < self.since for s in con.segments())
        end = con.client if con.client.visible else con.server
        done = end.life and end.life.when("ESTABLISHED")
        if done:
            con.open_us = (done - syn.ts) / 1000
