#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes real TCP connections and prints, one JSON object per line, what was
truly done: who connected to whom, as which process, and how it was meant to
open and close. Each end is a process of its own (agent.py).

usage: traffic.py [--look COMMAND] [--midway COMMAND] [--at-end COMMAND]
                  --place NAME,NETNS,NETNS,IP,IP,IP6,IP6 [--place ...] CASE...

A place is where the client and the server live; the first of each pair is the
client's. A CASE is the name of a function below, with arguments:
	close			close,first=server,family=inet
Every case runs for every place and every family (inet, inet6, v4mapped) unless
it names a family; uid=N gives its client to another user, port=N its server a
port. TESTS, a list of shell patterns, selects connections by their names
CASE.FAMILY.PLACE.

A case that yields goes on only after all the others, and after --midway.
--look runs before that one, --at-end while all the sockets still live; of the
three only --midway is told as the moment when the module came.
"""
import argparse
import errno
import fnmatch
import inspect
import json
import os
import subprocess
import sys
import time

from agent import End

FAMILIES = ("inet", "inet6", "v4mapped")


class Connection:
    """One client, one server, and what is known of them"""
    count = 0

    def __init__(self, name, family, place, uid=0, port=0):
        Connection.count += 1
        self.name, self.family, self.place = name, family, place
        label, net_c, net_s, *addr = place
        self.client = End("client-%d" % Connection.count, net_c, family, uid)
        self.server = End("server-%d" % Connection.count, net_s, family)
        self.addr = dict(zip(("client", "server"),
                             addr[2:] if family == "inet6" else addr[:2]))
        self.local = {"client": None, "server": None}
        self.port = port
        self.want = {"open": None, "close": None}
        self.notes = {}

    def end(self, name):
        return self.client if name == "client" else self.server

    def listen(self, backlog=8, any_addr=False, tx_delay=0):
        self.server.socket()
        if tx_delay:
            self.server.setopt("IPPROTO_TCP", "TCP_TX_DELAY", tx_delay)
        addr = self.addr["server"]
        if any_addr:
            addr = "0.0.0.0" if self.family == "inet" else "::"
        self.server.bind(addr, self.port)
        self.listening(backlog)

    def listening(self, backlog=8):
        addr, port = self.server.listen(backlog)
        self.local["server"] = [self.addr["server"], port]
        self.notes.update(listen_addr=addr, backlog=backlog)

    def open(self, bound=False, **how):
        """Up to ESTABLISHED at both ends"""
        self.want = {"open": "three-way", "close": "open"}
        if not self.local["server"]:
            self.listen(**how)
        self.client.socket()
        if bound:
            self.client.bind(self.addr["client"])
        self.local["client"] = self.client.connect(*self.local["server"])
        self.server.accept()
        if self.port:
            # The next family may want it.
            self.close_listener()

    def close_listener(self):
        self.server.close_listener()
        self.notes["listener_closed"] = True

    def talk(self, there=5, back=7):
        """Some bytes each way, all read and acknowledged"""
        self.client.send(there)
        self.server.recv(there)
        self.server.send(back)
        self.client.recv(back)
        self.server.wait_acked()

    def truth(self):
        row = {"kind": "connection", "name": self.name, "family": self.family,
               "place": self.place[0], "want": self.want}
        row.update(self.notes)
        for name in ("client", "server"):
            end = self.end(name)
            sent, received = end.counts()
            addr, port = self.local[name] or (self.addr[name], None)
            row[name] = {"pid": end.pid, "comm": end.comm, "uid": end.uid,
                         "netns": end.netns, "addr": addr, "port": port,
                         "sent": sent, "received": received}
        return row

    def quit(self):
        self.client.quit()
        self.server.quit()


def other(name):
    return "server" if name == "client" else "client"


# ------------------------------------------------------------------ the cases

def opened(con, bound="", any_addr="", backlog="8", talk="", tx_delay="0"):
    """Three-way open; stays open, perhaps after some data"""
    con.open(bound=bool(bound), any_addr=bool(any_addr), backlog=int(backlog),
             tx_delay=int(tx_delay))
    if talk:
        con.talk()


def ridden(con, first="client", size="5"):
    """The client's first ACK rides on its data"""
    con.want["open"] = "three-way"
    con.listen()
    con.client.socket()
    con.local["client"] = con.client.connect_and_send(*con.local["server"],
                                                      int(size))
    con.server.accept()
    con.server.recv(int(size))
    con.server.send(7)
    con.client.recv(7)
    con.server.wait_acked()
    four_way(con, first)


def close(con, first="client", there="5", back="7"):
    """Four-way close: the passive end closes only when its ACK has arrived"""
    con.open()
    con.talk(int(there), int(back))
    four_way(con, first)


def four_way(con, first):
    active, passive = con.end(first), con.end(other(first))
    active.close()
    active.wait_state("FIN_WAIT2")
    passive.recv_end()
    passive.close()
    passive.wait_state("CLOSE")
    active.wait_state("TIME_WAIT")
    con.want["close"] = "four-way"
    con.notes["first"] = first


def close_and_wait(con, first="client"):
    """Four-way close, up to the end of TIME_WAIT a minute later"""
    close(con, first)
    con.end(first).start("watch_end", "TIME_WAIT")
    yield
    con.notes["ended"] = con.end(first).finish()


def older(con, first="client"):
    """Opens before --midway, where the module is loaded, and closes after"""
    con.open()
    con.talk()
    yield
    con.talk(9, 4)
    four_way(con, first)


def three_segment(con, first="client"):
    """
    The passive end answers the FIN at once, before its delayed ACK: its own
    count of segments says whether that was quick enough.
    """
    con.open()
    con.talk()
    active, passive = con.end(first), con.end(other(first))
    passive.start("end_and_shutdown")
    active.close()
    segments = passive.finish()
    passive.close()
    passive.wait_state("CLOSE")
    active.wait_state("TIME_WAIT")
    # Whatever became of a try that was not quick enough: the capture knows.
    con.want["close"] = "three-segment" if segments == 1 else "any"
    con.notes["first"] = first
    return segments == 1


def refused(con):
    """Nobody listens; the port is taken by a socket that only bind()s"""
    con.server.socket()
    port = con.server.bind(con.addr["server"])
    con.client.socket()
    err = con.client.connect_fail(*port)
    if err != errno.ECONNREFUSED:
        raise RuntimeError("connect() said %s" % os.strerror(err))
    con.local["client"] = con.client.name()
    con.local["server"] = port
    con.client.wait_state("CLOSE")
    con.want = {"open": "refused", "close": None}


def reset_linger(con, first="client"):
    """close() with SO_LINGER 0"""
    con.open()
    con.talk()
    con.end(first).linger0()
    con.end(first).close()
    if con.end(other(first)).recv_end() != "reset":
        raise RuntimeError("no reset arrived")
    con.want["close"] = "reset-by-" + first
    con.notes["first"] = first
    con.end(other(first)).wait_state("CLOSE")


def reset_unread(con, first="client"):
    """close() while received bytes lie unread"""
    con.open()
    con.talk()
    con.end(other(first)).send(11)
    con.end(first).wait_queued(11)
    con.end(other(first)).wait_acked()
    con.end(first).close()
    if con.end(other(first)).recv_end() != "reset":
        raise RuntimeError("no reset arrived")
    con.want["close"] = "reset-by-" + first
    con.notes["first"] = first
    con.end(other(first)).wait_state("CLOSE")


def half_close(con, first="client", after="3000"):
    """shutdown() of one end, and bytes that the other one sends afterwards"""
    con.open()
    con.talk()
    active, passive = con.end(first), con.end(other(first))
    active.shutdown()
    active.wait_state("FIN_WAIT2")
    passive.recv_end()
    passive.send(int(after))
    active.recv(int(after))
    passive.wait_acked()
    passive.close()
    active.recv_end()
    passive.wait_state("CLOSE")
    active.close()
    active.wait_state("TIME_WAIT")
    con.want["close"] = "half-close"
    con.notes["first"] = first


def simultaneous_close(con):
    """
    Both FINs cross; the wire must be slower than the two close()s. Without data:
    on a busy machine so slow a wire may turn its ACKs round.
    """
    con.open()
    con.client.start("close")
    con.server.start("close")
    con.client.finish()
    con.server.finish()
    for end in (con.client, con.server):
        end.wait_state("TIME_WAIT")
    con.want["close"] = "simultaneous"


def simultaneous_open(con, first="client"):
    """Both connect() to the other's port: the SYNs cross"""
    for name in ("client", "server"):
        con.end(name).socket()
        con.local[name] = con.end(name).bind(con.addr[name])
    con.client.connect_begin(*con.local["server"])	# who was first is the client
    con.server.connect_begin(*con.local["client"])
    con.client.connect_end()
    con.server.connect_end()
    con.want = {"open": "simultaneous", "close": "open"}
    con.notes["no_listener"] = True
    con.talk()
    four_way(con, first)


def syn_timeout(con, retries="2"):
    """Nobody answers: connect() gives up after its retransmissions"""
    con.server.socket()
    port = con.server.bind(con.addr["server"])
    con.client.sysctl("ipv4/tcp_syn_retries", retries)
    con.client.socket()
    con.client.start("connect_fail", *port)
    con.local["server"] = port
    con.want = {"open": "timed-out", "close": None}
    con.notes["no_listener"] = True
    yield
    err = con.client.finish()
    if err != errno.ETIMEDOUT:
        raise RuntimeError("connect() said %s" % os.strerror(err))
    con.local["client"] = con.client.name()
    con.client.wait_state("CLOSE")


def syn_ack_lost(con, retries="1", tx_delay="0"):
    """The server's answers are lost: its request expires, the client gives up"""
    con.client.sysctl("ipv4/tcp_syn_retries", retries)
    con.server.sysctl("ipv4/tcp_synack_retries", retries)
    con.listen(tx_delay=int(tx_delay))
    con.client.socket()
    con.client.start("connect_fail", *con.local["server"])
    con.server.start("watch_end", "SYN_RECV")
    con.want = {"open": "timed-out", "close": None}
    con.notes["first"] = "server"
    yield
    err = con.client.finish()
    if err != errno.ETIMEDOUT:
        raise RuntimeError("connect() said %s" % os.strerror(err))
    con.local["client"] = con.client.name()
    con.client.wait_state("CLOSE")
    con.notes["ended"] = con.server.finish()


def orphan(con, first="client", timeout="3"):
    """close() of one end only: FIN_WAIT2 is held without a process, and ends"""
    con.end(first).sysctl("ipv4/tcp_fin_timeout", timeout)
    con.open()
    con.talk()
    con.end(first).close()
    con.end(first).wait_state("FIN_WAIT2")
    con.end(other(first)).recv_end()
    con.want["close"] = "timed-out"
    con.notes["first"] = first
    con.end(first).start("watch_end", "FIN_WAIT2")
    yield
    con.notes["ended"] = con.end(first).finish()
    con.notes["orphan"] = int(timeout)


def overtaken(con, first="client", size="1000"):
    """The bytes before a FIN are lost on their way, and come after it"""
    con.open()
    con.talk()
    con.end(first).send(int(size))
    con.end(first).close()
    con.end(other(first)).recv(int(size))
    con.end(other(first)).recv_end()
    con.end(first).wait_state("FIN_WAIT2")
    con.end(other(first)).close()
    con.end(other(first)).wait_state("CLOSE")
    con.end(first).wait_state("TIME_WAIT")
    con.want["close"] = "four-way"
    con.notes["first"] = first


def fin_on_data(con, first="client", size="700"):
    """What waited for more to come leaves with the FIN"""
    con.open()
    con.talk()
    active, passive = con.end(first), con.end(other(first))
    active.setopt("IPPROTO_TCP", "TCP_CORK", 1)
    active.send(int(size))
    active.close()
    passive.recv(int(size))
    passive.recv_end()
    active.wait_state("FIN_WAIT2")
    passive.close()
    passive.wait_state("CLOSE")
    active.wait_state("TIME_WAIT")
    con.want["close"] = "four-way"
    con.notes.update(first=first, fin_on_data=int(size))


def options(con, **sysctl):
    """
    An open under other rules, for both ends: sack=0, timestamps=0,
    window_scaling=0 are sysctls, mss=N and rcvbuf=N are socket options.
    """
    mss, rcvbuf = sysctl.pop("mss", None), sysctl.pop("rcvbuf", None)
    for name, value in sysctl.items():
        for end in (con.client, con.server):
            end.sysctl("ipv4/tcp_" + name, value)
    try:
        con.server.socket()
        con.client.socket()
        for end in (con.client, con.server):
            if mss:
                end.setopt("IPPROTO_TCP", "TCP_MAXSEG", int(mss))
            if rcvbuf:
                end.setopt("SOL_SOCKET", "SO_RCVBUF", int(rcvbuf))
        con.server.bind(con.addr["server"])
        con.listening()
        con.local["client"] = con.client.connect(*con.local["server"])
        con.server.accept()
    finally:
        for name in sysctl:
            for end in (con.client, con.server):
                end.sysctl("ipv4/tcp_" + name, 1)
    con.want = {"open": "three-way", "close": "open"}
    con.notes["options"] = dict(sysctl, mss=mss, rcvbuf=rcvbuf)


def raw_syn(con, size="40"):
    """
    A SYN with so many bytes of options, out of a raw socket; the client's
    kernel knows nothing of it and resets what it brings about. inet only.
    """
    con.listen()
    con.client.socket()
    con.local["client"] = con.client.bind(con.addr["client"])
    con.client.send_syn(con.local["client"], con.local["server"], int(size))
    con.client.wait_syn_ack()
    con.server.wait_no_request()
    con.want = {"open": "reset", "close": None}
    con.notes["events_only"] = True


def listener(con, backlog="3", any_addr=""):
    """A socket that listens and closes, without any connection"""
    con.listen(int(backlog), bool(any_addr))
    con.close_listener()
    con.notes["listener_only"] = True


CASES = {f.__name__: f for f in (opened, ridden, close, close_and_wait, older,
                                 three_segment, refused, reset_linger,
                                 reset_unread, half_close, simultaneous_close,
                                 simultaneous_open, syn_timeout, syn_ack_lost,
                                 orphan, overtaken, fin_on_data, options, raw_syn,
                                 listener)}


# ------------------------------------------------------------------ the main

def emit(**row):
    print(json.dumps(row), flush=True)


def emit_clock():
    """How far CLOCK_REALTIME is ahead of CLOCK_MONOTONIC"""
    best = None
    for _ in range(9):
        mono, real, again = (time.monotonic_ns(), time.time_ns(),
                             time.monotonic_ns())
        if not best or again - mono < best[0]:
            best = again - mono, real - (mono + again) // 2
    emit(kind="clock", real_minus_mono=best[1], error=best[0])


def run(text, family, place, label):
    """(connection, what is still to do or None) of each try at a case"""
    name, *words = text.split(",")
    args = dict(w.split("=", 1) for w in words)
    uid, port = int(args.pop("uid", 0)), int(args.pop("port", 0))
    # A case that depends on the scheduler returns False: once more, then.
    for again in range(5):
        con = Connection(label + "#%d" % again * bool(again), family, place,
                         uid, port)
        rest = CASES[name](con, **args)
        if inspect.isgenerator(rest):
            next(rest)
            yield con, rest
            break
        yield con, None
        if rest is not False:
            break


def selected(args):
    """(case, family, place, name) of all that is asked for"""
    patterns = os.environ.get("TESTS", "").split() or ["*"]
    for text in args.case:
        words = text.split(",")
        only = [w[7:] for w in words if w.startswith("family=")]
        text = ",".join(w for w in words if not w.startswith("family="))
        for place in (p.split(",") for p in args.place):
            for family in only or FAMILIES:
                label = "%s.%s.%s" % (text, family, place[0])
                if any(fnmatch.fnmatch(label, p) for p in patterns):
                    yield text, family, place, label


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--place", action="append", required=True)
    args.add_argument("--look")
    args.add_argument("--midway")
    args.add_argument("--at-end")
    args.add_argument("case", nargs="+")
    args = args.parse_args()
    live = []
    emit_clock()
    emit(kind="begin", mono=time.monotonic_ns())
    for what in selected(args):
        live += run(*what)
    if args.look:
        subprocess.run(args.look, shell=True, check=True)
    if args.midway:
        subprocess.run(args.midway, shell=True, check=True)
        emit(kind="midway", mono=time.monotonic_ns())
    for con, rest in live:
        for _ in rest or ():
            pass
        emit(**con.truth())
    if args.at_end:
        subprocess.run(args.at_end, shell=True, check=True)
    emit(kind="end", mono=time.monotonic_ns())
    emit_clock()
    for con, _ in live:
        con.quit()


if __name__ == "__main__":
    sys.exit(main())
