#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Traffic of the rows that need a hand on the wire: forged segments, peers that
die, listeners that drown. Prints what traffic.py prints (clock, begin, end), and
for each connection what its timeline must say:

	{"kind": "expect", "name": ..., "client": [ADDR, PORT], "server": ...,
	 "open": ..., "close": ..., "client_states": "... FIN_WAIT2 CLOSE",
	 "notes": [...], "turn": N, "rst_by": ..., "closed_by": {"client": COMM}}

A missing field is not asked; states are the last ones; each of the notes is part
of some step's note; turn is the how manieth of the same ports; rst_by is the end
that sent every RST, null where there is none. told.py asks.

usage: rows.py --at-end COMMAND [--wire NETNS]
               --place NAME,NETNS,NETNS,IP,IP,IP6,IP6 [--place ...] ROW[,ARG=VALUE...]

The places are window.sh's. Each row runs in each place over IPv4, IPv6 and as
v4-mapped sockets; SITES, a list of shell patterns, selects from FAMILY.PLACE. On
loopback the wire is the namespace itself.
"""
import argparse
import contextlib
import fnmatch
import inspect
import os
import select
import socket
import struct
import subprocess
import sys
import time

from agent import (end_of, enter_netns, proc_end, proc_sockets, set_comm,
                   wait_for)
from traffic import FAMILIES, emit, emit_clock

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
MSG_FASTOPEN = 0x20000000
TCP_USER_TIMEOUT, TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 18, 19, 20, 21
RECV_QUEUE, SEND_QUEUE = 1, 2
TCP, FRAGMENT = 6, 44
PATIENCE = 90 * int(os.environ.get("TCPHS_SLOW", 1))	# see lib.sh


def go(netns):
    enter_netns("/run/netns/" + netns)


class Site:
    """Where a row runs: a place, and how its sockets speak"""

    def __init__(self, place, family, wire):
        self.place, net_c, net_s, *addr = place
        self.family = family
        self.loopback = net_c == net_s
        self.netns = {"client": net_c, "server": net_s,
                      "wire": net_c if self.loopback else wire}
        self.six = family == "inet6"
        self.addr = dict(zip(("client", "server"),
                             addr[2:] if self.six else addr[:2]))
        self.name = "%s, %s" % ({"inet": "IPv4", "inet6": "IPv6"}.get(
            family, family), self.place)

    def go(self, where):
        go(self.netns[where])

    def sysctl(self, where, name, value):
        self.go(where)
        with open("/proc/sys/net/" + name, "w") as f:
            f.write(str(value))

    def make(self, where, port=0):
        """A bound socket at an end"""
        self.go(where)
        sock = socket.socket(socket.AF_INET if self.family == "inet" else
                             socket.AF_INET6)
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.spell(self.addr[where]), port))
        return sock

    def spell(self, addr):
        return "::ffff:" + addr if self.family == "v4mapped" else addr

    def listen(self, backlog=64):
        sock = self.make("server")
        sock.listen(backlog)
        return sock

    def open_pair(self, listener, port=0):
        client = self.make("client", port)
        client.connect(listener.getsockname()[:2])
        server, _ = listener.accept()
        server.settimeout(PATIENCE)
        return client, server

    def expect(self, name, ends, **what):
        emit(kind="expect", name="%s (%s)" % (name, self.name),
             client=list(ends[0]), server=list(ends[1]), **what)


def ends_of(client, server):
    """Their addresses, as the tool has to print them"""
    return end_of(client.getsockname()), end_of(server.getsockname())


def number(sock, queue):
    """snd_nxt or rcv_nxt, asked of the socket itself"""
    level = socket.IPPROTO_TCP
    sock.setsockopt(level, TCP_REPAIR, 1)
    sock.setsockopt(level, TCP_REPAIR_QUEUE, queue)
    found = struct.unpack("=I", sock.getsockopt(level, TCP_QUEUE_SEQ, 4))[0]
    sock.setsockopt(level, TCP_REPAIR, -1)
    # Repair took that away; without it 6.12 keeps the port of a TIME_WAIT to itself.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return found


def isns(client):
    """Of a connection that was just opened, as its client's socket knows them"""
    return {"client": number(client, SEND_QUEUE) - 1 & 0xffffffff,
            "server": number(client, RECV_QUEUE) - 1 & 0xffffffff}


# --------------------------------------------------------------- forged packets

def checksum(data):
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def raw_of(addr):
    return socket.inet_pton(socket.AF_INET6 if ":" in addr else socket.AF_INET,
                            addr)


def tcp_of(src, dst, flags, seq=0, ack=0, options=b"", offset=None, data=b"",
           win=1000):
    """A TCP segment as asked, right or not; its checksum is right"""
    if offset is None:
        offset = 5 + len(options) // 4
    tcp = struct.pack("!HHIIBBHHH", src[1], dst[1], seq & 0xffffffff,
                      ack & 0xffffffff, offset << 4, flags, win, 0, 0)
    tcp += options + data
    ends = raw_of(src[0]) + raw_of(dst[0])
    pseudo = struct.pack("!IHBB", len(tcp), 0, 0, TCP) if ":" in src[0] else \
        struct.pack("!BBH", 0, TCP, len(tcp))
    return tcp[:16] + struct.pack("!H", checksum(ends + pseudo + tcp)) + tcp[18:]


def packet4(src, dst, body, fragment=0, ident=0x7c95):
    """fragment: offset in units of 8 bytes, 0x2000 for more to come"""
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), ident, fragment,
                       64, TCP, 0) + raw_of(src[0]) + raw_of(dst[0]) + body


def packet6(src, dst, body, headers=()):
    """headers: (number, bytes) of the extension headers, whose first byte
    becomes the number of the next one"""
    numbers = [n for n, _ in headers] + [TCP]
    chain = b"".join(bytes([numbers[i + 1]]) + rest[1:]
                     for i, (_, rest) in enumerate(headers))
    return struct.pack("!IHBB", 6 << 28, len(chain) + len(body), numbers[0],
                       64) + raw_of(src[0]) + raw_of(dst[0]) + chain + body


def fragment6(offset, more, ident=0x7c95):
    return FRAGMENT, struct.pack("!BBHI", 0, 0, offset << 3 | more, ident)


class Wire:
    """Sends what nobody at the ends has sent"""

    def __init__(self, site):
        self.site = site
        site.go("wire")
        self.raw = socket.socket(socket.AF_INET6 if site.six else socket.AF_INET,
                                 socket.SOCK_RAW, socket.IPPROTO_RAW)

    def put(self, dst, packet):
        self.raw.sendto(packet, (dst[0], 0))

    def send(self, src, dst, flags, **what):
        build = packet6 if self.site.six else packet4
        self.put(dst, build(src, dst, tcp_of(src, dst, flags, **what)))

    def cut(self):
        """Nothing passes any more"""
        self.site.sysctl("wire", "ipv4/ip_forward", 0)
        self.site.sysctl("wire", "ipv6/conf/all/forwarding", 0)


# --------------------------------------------------------------------- talking

def say(sender, reader, data=b"hello"):
    sender.sendall(data)
    while data:
        data = data[len(reader.recv(len(data))):]


def read_all(sock):
    while sock.recv(4096):
        pass


def state_of(sock):
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def wait_state(sock, *states):
    """Until a socket that is still open is in one of these kernel states"""
    end = time.monotonic() + PATIENCE
    while state_of(sock) not in states:
        if time.monotonic() > end:
            raise RuntimeError("the socket stays in state %d" % state_of(sock))
        time.sleep(0.005)


CLOSE, LAST_ACK, FIN_WAIT2 = 7, 9, 5


def close_both(first, second):
    """Closes one end and then the other, and waits until all is over"""
    first.close()
    read_all(second)
    second.shutdown(socket.SHUT_WR)
    wait_state(second, CLOSE)
    second.close()


def close_four_way(first, second):
    """The first FIN's answer is a segment of its own"""
    first.shutdown(socket.SHUT_WR)
    wait_state(first, FIN_WAIT2)
    read_all(second)
    second.shutdown(socket.SHUT_WR)
    read_all(first)
    wait_state(second, CLOSE)
    first.close()
    second.close()


def dies(sock, error):
    """Waits for the error by which a socket ends"""
    try:
        sock.recv(1)
    except OSError as err:
        if err.errno == error:
            return
        raise
    raise RuntimeError("no error came")


# -------------------------------------------------------------------- the rows
#
# A row that yields goes on that many seconds later; meanwhile the other sites'
# do. What it returns is kept open to the end.

def cut(site, *pairs):
    """Nothing passes any more: over the wire; or, on loopback, to what is behind
    the firewall between these ends. A capture sees there what has left"""
    if not site.loopback:
        Wire(site).cut()
        return
    for pair in pairs:
        emit(kind="cut", ends=pair, mono=time.monotonic_ns())
    rules = " ".join("tcp sport %d tcp dport %d drop;" % (a[1], b[1])
                     for pair in pairs for a, b in (pair, pair[::-1]))
    site.go("wire")
    subprocess.run(["nft", "add table inet cut_%s { chain cut { type filter hook "
                    "input priority 0; %s }; }" % (site.family, rules)],
                   check=True)


def keepalive(site):
    """Probes and answers; then nothing comes any more: who gives up, and why"""
    level = socket.IPPROTO_TCP
    listener = site.listen()
    client, server = site.open_pair(listener)
    say(client, server)
    client.setsockopt(level, socket.TCP_KEEPIDLE, 1)
    client.setsockopt(level, socket.TCP_KEEPINTVL, 1)
    client.setsockopt(level, socket.TCP_KEEPCNT, 3)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    ends = ends_of(client, server)
    other, peer = site.open_pair(listener)
    say(other, peer)
    other.setsockopt(level, TCP_USER_TIMEOUT, 1500)
    yield 3.5
    cut(site, ends, ends_of(other, peer))
    other.send(b"into the void")
    site.expect("keep-alive", ends, open="three-way", close="timed-out",
                client_states="ESTABLISHED CLOSE",
                server_states="SYN_RECV ESTABLISHED", rst_by="client",
                notes=["keep-alive probe", "answers the probe",
                       "3 probes unanswered"])
    site.expect("TCP_USER_TIMEOUT", ends_of(other, peer), open="three-way",
                close="timed-out", client_states="ESTABLISHED CLOSE",
                server_states="SYN_RECV ESTABLISHED", rst_by=None)
    yield 0
    dies(other, 110)
    dies(client, 110)
    return listener, client, server, other, peer


def blind_injection(site):
    """Forged RST and SYN, with wrong numbers and with the right one"""
    wire = Wire(site)
    listener = site.listen()
    pairs = []
    for name, flags, ahead in (("RST in the window", RST, 100),
                               ("SYN in the window", SYN, 100),
                               ("RST outside the window", RST, -100000),
                               ("SYN outside the window", SYN, -100000),
                               ("the exact RST", RST, 0)):
        client, server = site.open_pair(listener)
        say(client, server)
        pairs.append((name, flags, ahead, client, server,
                      ends_of(client, server)))
    for name, flags, ahead, client, server, ends in pairs:
        right = number(server, RECV_QUEUE)
        wire.send(*ends, flags, seq=right + ahead)
    yield 0.5
    foreign = "not sent by the client's socket"
    for name, flags, ahead, client, server, ends in pairs:
        if not ahead:
            dies(server, 104)
            site.expect(name, ends, open="three-way", close="reset-by-client",
                        server_states="ESTABLISHED CLOSE",
                        client_states="SYN_SENT ESTABLISHED", notes=[foreign])
            continue
        say(client, server)
        say(server, client)
        close_both(client, server)
        challenged = ahead > 0 or flags & SYN
        site.expect(name, ends, open="three-way",
                    client_states="FIN_WAIT2 TIME_WAIT",
                    server_states="LAST_ACK CLOSE",
                    notes=[foreign] + ["challenge ACK"] * bool(challenged),
                    bytes={"client": 10, "server": 5},
                    not_close=["reset-by-client", "reset-by-server"])
    return listener, pairs


def fast_open(site):
    """Cookie request, then data in the SYN, then a server that refuses it"""
    for where in ("client", "server"):
        site.sysctl(where, "ipv4/tcp_fastopen", 3)
    # A cookie may be left from the last site, which had the same addresses.
    site.go("client")
    subprocess.run(["ip", "tcp_metrics", "flush", "all"], check=True)
    listener = site.make("server")
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
    listener.listen(16)
    for name, want, notes in (
            ("cookie request", "three-way",
             ["asks for a Fast Open cookie", "gives a Fast Open cookie"]),
            ("data in the SYN", "fast-open",
             ["Fast Open cookie", "takes 5 of the SYN's 5 bytes"]),
            ("fallback", "three-way",
             ["Fast Open cookie", "takes none of the SYN's 5 bytes"])):
        site.sysctl("server", "ipv4/tcp_fastopen", 1 if name == "fallback" else 3)
        client = site.make("client")
        # With a time-out of its own it would not wait for connect().
        client.settimeout(None)
        client.sendto(b"quick", MSG_FASTOPEN, listener.getsockname()[:2])
        client.settimeout(PATIENCE)
        server, _ = listener.accept()
        server.settimeout(PATIENCE)
        got = b""
        while len(got) < 5:
            got += server.recv(5)
        say(server, client, b"answer")
        ends = ends_of(client, server)
        close_both(client, server)
        site.expect(name, ends, open=want, notes=notes,
                    client_states="FIN_WAIT2 TIME_WAIT",
                    server_states="LAST_ACK CLOSE",
                    bytes={"client": 5, "server": 6})
    # The cookie alone lets a server accept() before the handshake's end, too.
    site.sysctl("server", "ipv4/tcp_fastopen", 3)
    client = site.make("client")
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        client.sendto(b"", MSG_FASTOPEN, listener.getsockname()[:2])
    server, _ = listener.accept()
    for end in (client, server):
        end.settimeout(PATIENCE)
    # Once connected, it can be written to.
    select.select([], [client], [], PATIENCE)
    say(client, server)
    ends = ends_of(client, server)
    close_both(client, server)
    site.expect("cookie alone", ends, open="three-way", notes=["Fast Open cookie"],
                client_states="FIN_WAIT2 TIME_WAIT",
                server_states="LAST_ACK CLOSE",
                bytes={"client": 5, "server": 0})


def time_wait_end(site):
    """TIME_WAIT ends early: by connect(), by a SYN, by RST; or never begins"""
    listener = site.listen()
    states = {"client": {"client_states": "FIN_WAIT2 TIME_WAIT CLOSE",
                         "server_states": "LAST_ACK CLOSE"},
              "server": {"server_states": "FIN_WAIT2 TIME_WAIT CLOSE",
                         "client_states": "LAST_ACK CLOSE"}}
    site.sysctl("client", "ipv4/tcp_tw_reuse", 1)
    used = []
    for name, where in (("connect()", "client"), ("SYN", "server")):
        client, server = site.open_pair(listener)
        used.append((name, where, ends_of(client, server), isns(client)))
        say(client, server)
        close_both(*((client, server) if where == "client" else
                     (server, client)))
    # By then the time stamps in TIME_WAIT are older than a second.
    yield 2.2
    for name, where, ends, old in used:
        again, peer = site.open_pair(listener, ends[0][1])
        new = isns(again)
        say(again, peer)
        close_four_way(again, peer)
        site.expect("reuse by " + name + ", before", ends, turn=0, isn=old,
                    **states[where])
        site.expect("reuse by " + name + ", after", ends, turn=1, isn=new,
                    isn_before=old, open="three-way", close="four-way",
                    client_states="FIN_WAIT2 TIME_WAIT",
                    server_states="LAST_ACK CLOSE",
                    notes=["same ports as before: ISN %d is %d higher" % (
                        new[end], new[end] - old[end] & 0xffffffff)
                        for end in new])
    client, server = site.open_pair(listener)
    say(client, server)
    ends = ends_of(client, server)
    after = number(client, RECV_QUEUE) + 1		# past the peer's FIN
    close_both(client, server)
    Wire(site).send(ends[1], ends[0], RST, seq=after)
    site.expect("RST into TIME_WAIT", ends,
                client_states="FIN_WAIT2 TIME_WAIT CLOSE",
                server_states="LAST_ACK CLOSE", close="three-segment four-way")
    yield 0.5
    site.sysctl("client", "ipv4/tcp_max_tw_buckets", 0)
    yield 0
    client, server = site.open_pair(listener)
    say(client, server)
    ends = ends_of(client, server)
    close_four_way(client, server)
    site.expect("no TIME_WAIT to be had", ends, client_states="FIN_WAIT2 CLOSE",
                server_states="LAST_ACK CLOSE", close="four-way")
    yield 0
    # On loopback the next site wants a TIME_WAIT of its own.
    site.sysctl("client", "ipv4/tcp_max_tw_buckets", 4096)
    return listener


def kill(site, where, *query):
    """ss -K of what fits at an end: the sockets that were there, one a line"""
    site.go(where)
    done = subprocess.run(["ss", "-K", "-H", "-t", "-a", "-n"] +
                          ["-6" if site.family == "inet6" else "-4"] * (
                              site.family != "v4mapped") + list(query),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=True)
    return done.stdout.splitlines()


def ports(local, remote):
    """ss's filter for a socket's two ports"""
    return ["( sport = :%d and dport = :%d )" % (local[1], remote[1])]


def states_at(site, where, here, there):
    """What /proc has of one end of a connection"""
    site.go(where)
    return [state for local, remote, state in proc_sockets()
            if (local, remote) == (here, there)]


def half_open(site, wire, listener):
    """The ends of a request whose SYN,ACK nobody gets"""
    route_to_nowhere(site)
    src, dst = spoofed(site, 0), end_of(listener.getsockname())
    emit(kind="nobody", addr=src[0])
    wire.send(src, dst, SYN, seq=4711, options=b"\2\4\5\xb4")
    wait_for("a request", lambda: states_at(site, "server", dst, src))
    return src, dst


def killed(site):
    """ss -K, in every state in which a socket of a connection can stay"""
    listener = site.listen()
    wire = Wire(site)
    foreign = "ended from outside, as by ss -K"
    for where in ("client", "server"):
        # Both ends are open; then the peer, or the end itself, has closed.
        for closed in (None, "client", "server"):
            client, server = site.open_pair(listener)
            say(client, server)
            say(server, client)
            ends = ends_of(client, server)
            socks = {"client": client, "server": server}
            way = {"client": "ESTABLISHED", "server": "ESTABLISHED"}
            if closed:
                socks[closed].shutdown(socket.SHUT_WR)
                wait_state(socks[closed], FIN_WAIT2)
                way = {"client": "CLOSE_WAIT", "server": "CLOSE_WAIT"}
                way[closed] = "FIN_WAIT1 FIN_WAIT2"
            here, there = ends if where == "client" else ends[::-1]
            kill(site, where, *ports(here, there))
            # After a FIN has come there is nothing to be read but its end.
            for end, error in ((where, 103), ("server" if where == "client"
                                              else "client", 104)):
                wait_state(socks[end], CLOSE)
                found = socks[end].getsockopt(socket.SOL_SOCKET,
                                              socket.SO_ERROR)
                if found != error and not (found == 32 and error == 104):
                    raise RuntimeError("%s: error %d" % (end, found))
            site.expect("%s's end killed in %s" % (where, way[where].split()[-1]),
                        ends, open="three-way", close="reset-by-" + where,
                        client_states=way["client"] + " CLOSE",
                        server_states=way["server"] + " CLOSE",
                        notes=[foreign], closed_by={where: "ss"}, rst_by=where,
                        bytes={"client": 5, "server": 5})

    # A mini-socket sends nothing when it is killed.
    src, dst = half_open(site, wire, listener)
    kill(site, "server", *ports(dst, src))
    wait_for("its end", lambda: not states_at(site, "server", dst, src))
    site.expect("a request killed", (src, dst), open="half-open",
                server_states="LISTEN SYN_RECV CLOSE", rst_by=None)
    client, server = site.open_pair(listener)
    ends = ends_of(client, server)
    close_both(client, server)
    wait_for("TIME_WAIT", lambda: states_at(site, "client", *ends))
    kill(site, "client", *ports(*ends))
    # 5.10 knows no way to end it so; later kernels do.
    left = states_at(site, "client", *ends)
    site.expect("TIME_WAIT killed" if not left else "TIME_WAIT that ss -K leaves",
                ends, close="three-segment four-way", rst_by=None,
                client_states="FIN_WAIT2 TIME_WAIT" + " CLOSE" * (not left),
                server_states="LAST_ACK CLOSE")

    # A listener whose queue is full does not answer: a SYN_SENT that stays.
    full = site.listen(backlog=0)
    waits = site.make("client")
    waits.connect(full.getsockname()[:2])
    wait_for("the queue to be full",
             lambda: waiting(site, full.getsockname()))
    dropped = counters(site)["overflowed"]
    tries = site.make("client")
    tries.setblocking(False)
    tries.connect_ex(full.getsockname()[:2])
    ends = ends_of(tries, full)
    # A SYN that is still on its way when the listener ends would be refused.
    wait_for("its SYN to be dropped",
             lambda: counters(site)["overflowed"] > dropped)
    kill(site, "client", *ports(*ends))
    if tries.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 103:
        raise RuntimeError("SYN_SENT was not killed")
    site.expect("SYN_SENT killed", ends, open="half-open", rst_by=None,
                client_states="CLOSE SYN_SENT CLOSE", closed_by={"client": "ss"})

    # What a killed listener had not handed over is reset.
    ends = ends_of(waits, full)
    kill(site, "server", "state", "listening", "( sport = :%d )" % ends[1][1])
    dies(waits, 104)
    site.expect("not accepted, its listener killed", ends, open="three-way",
                close="reset-by-server", client_states="ESTABLISHED CLOSE",
                server_states="ESTABLISHED CLOSE", rst_by="server")
    return listener, full


def forgotten(site):
    """RST to a half-open connection (RFC 9293, 3.5.1): one end has gone without a
    word, and the other one speaks to it; and to a request"""
    listener = site.listen()
    for where in ("client", "server"):
        client, server = site.open_pair(listener)
        say(client, server)
        say(server, client)
        ends = ends_of(client, server)
        gone, left = (client, server) if where == "client" else (server, client)
        # So a socket ends that is to live on elsewhere.
        gone.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        gone.close()
        left.send(b"still there?")
        dies(left, 104)
        site.expect("the %s has gone" % where, ends, open="three-way",
                    close="reset-by-" + where, rst_by=where,
                    client_states="SYN_SENT ESTABLISHED CLOSE",
                    server_states="SYN_RECV ESTABLISHED CLOSE",
                    notes=["no socket"])
    wire = Wire(site)
    src, dst = half_open(site, wire, listener)
    wire.send(src, dst, RST, seq=4712)
    wait_for("its end", lambda: not states_at(site, "server", dst, src))
    site.expect("RST to a request", (src, dst), open="reset", rst_by="client",
                server_states="LISTEN SYN_RECV CLOSE")
    return listener


# --------------------------------------------------------------------- floods

COUNTERS = {"cookies_sent": "TcpExtSyncookiesSent",
            "cookies_accepted": "TcpExtSyncookiesRecv",
            "cookies_failed": "TcpExtSyncookiesFailed",
            "overflowed": "TcpExtListenOverflows"}


def counters(site):
    """The kernel's own counts of the server's namespace"""
    site.go("server")
    out = subprocess.run(["nstat", "-asz"], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    found = {w[0]: int(w[1]) for w in map(str.split, out.splitlines()[1:])}
    return {name: found[key] for name, key in COUNTERS.items()}


def emit_flood(site, listener, since, **more):
    """What befell the listener, the only busy one since `since`"""
    addr, port = end_of(listener.getsockname())
    now = counters(site)
    counts = {name: now[name] - since[name] for name in now}
    emit(kind="flood", name=site.name, addr=addr, port=port,
         **dict(counts, **more))


def route_to_nowhere(site):
    """Spoofed addresses come from networks that answer nothing"""
    nowhere = "2001:db8:bad::/48" if site.six else "10.0.0.0/8"
    site.go("wire")
    if site.loopback:
        subprocess.run("ip link add nowhere type dummy; "
                       "ip link set nowhere up; "
                       "echo 1 >/proc/sys/net/ipv4/conf/nowhere/route_localnet",
                       shell=True,
                       stderr=subprocess.DEVNULL, check=True)
        subprocess.run(["ip", "route", "replace", nowhere, "dev", "nowhere"],
                       check=True)
    else:
        subprocess.run(["ip", "route", "replace", "blackhole", nowhere],
                       check=True)


def spoofed(site, i):
    addr = "2001:db8:bad::%x" % (i + 1) if site.six else \
        "10.%d.%d.%d" % (1 + i // 62500, i // 250 % 250, 1 + i % 250)
    return addr, 1024 + i % 60000


def syn_flood(site, syns="3000", rest="400"):
    """Spoofed SYNs, with real connections among them. `syns` is for IPv4 across
    the wire, the other sites get `rest` at most"""
    count = int(syns)
    if site.family != "inet" or site.loopback:
        count = min(count, int(rest))
    site.sysctl("server", "ipv4/tcp_max_syn_backlog", 16)
    route_to_nowhere(site)
    wire = Wire(site)
    listener = site.listen(backlog=16)
    to = end_of(listener.getsockname())
    pairs, since = [], counters(site)
    every = max(count // 20, 1)
    for i in range(count):
        wire.send(spoofed(site, i), to, SYN, seq=i * 7919,
                  options=b"\2\4\5\xb4")
        if i % every == every // 2:
            client, server = site.open_pair(listener)
            say(client, server)
            pairs.append((client, server))
    for client, server in pairs:
        ends = ends_of(client, server)
        close_both(client, server)
        site.expect("real connection", ends, real=True)
    emit_flood(site, listener, since, syns=count + len(pairs))
    return listener


def waiting(site, name):
    """How many connections a listener has that nobody has accepted yet"""
    site.go("server")
    for path in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        with open(path) as f:
            next(f)
            for word in map(str.split, f):
                if word[3] == "0A" and proc_end(word[1]) == end_of(name):
                    return int(word[4].split(":")[1], 16)
    raise RuntimeError("no listener at %s" % (name,))


def accept_all(listener):
    """All that wait there now"""
    listener.setblocking(False)
    try:
        while True:
            yield listener.accept()[0]
    except BlockingIOError:
        pass


def accept_queue(site):
    """Nobody accept()s, and the queue of the listener overflows"""
    # What is refused, tcp_syncookies, and the backlog; connections that are there
    # before, and those that come then: one by one where it is a SYN, else all at once.
    for what, cookies, backlog, before, then in (
            ("an ACK", 0, 5, 4, 5), ("a SYN", 1, 1, 0, 5), ("a cookie", 2, 1, 0, 5)):
        site.sysctl("server", "ipv4/tcp_syncookies", cookies)
        listener = site.listen(backlog=backlog)
        since, clients = counters(site), []
        for i in range(before):
            clients.append(site.make("client"))
            clients[-1].connect(listener.getsockname()[:2])
        wait_for("those before", lambda: waiting(
            site, listener.getsockname()) == before)
        for i in range(then):
            client = site.make("client")
            client.setblocking(False)
            if what == "a SYN" and i > backlog:
                wait_for("the queue to be full", lambda: waiting(
                    site, listener.getsockname()) > backlog)
            client.connect_ex(listener.getsockname()[:2])
            clients.append(client)
            if what == "a SYN":
                time.sleep(0.1)
        wait_for("the queue to overflow", lambda: counters(site)["overflowed"] >
                 since["overflowed"])
        time.sleep(0.5)
        ends = ends_of(clients[-1], listener)
        # The kernel also counts good cookies for which there is no room.
        opened = len(list(accept_all(listener))) if cookies == 2 else 0
        # What is sent again would disturb these counts and the next one's.
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("=ii", 1, 0))
            client.close()
        time.sleep(0.5)
        # On a slow machine more cookies have come back since there was room.
        if cookies == 2:
            opened += len(list(accept_all(listener)))
        emit_flood(site, listener, since, cookies_accepted=opened)
        site.expect("%s to a full queue" % what, ends,
                    notes=["accept queue full: dropped"])
        site.sysctl("server", "ipv4/tcp_syncookies", 1)
        listener.close()


# ------------------------------------------------------------------- bad input

FLAGS = (0, SYN | FIN, SYN | RST, SYN | FIN | RST | ACK, 63, FIN | URG | PSH,
         FIN, 255)
OPTIONS = (b"\2\0\0\0", b"\2\1\0\0", b"\2\x28\0\0", b"\x22\xff\0\0",
           b"\1\1\1\2", b"\x08\x0a\0\0", b"\0" * 40, b"\1" * 40,
           b"\x22\x02\x22\x28")
PAD = bytes([0, 0, 1, 4, 0, 0, 0, 0])		# an extension header of padding
HOP, ROUTING, AUTHENTICATION, NONE, DESTINATION = 0, 43, 51, 59, 60
FOR_NOBODY = 8888000	# malformed.sh looks for it


def odd_segments(wire, src, dst, fits, **numbers):
    """Flags, lengths and options; fits: not what could end the connection"""
    for flags in FLAGS:
        if not (fits and flags & RST):
            wire.send(src, dst, flags, **numbers)
    for offset in (0, 1, 4, 6, 15):
        wire.send(src, dst, ACK, offset=offset, **numbers)
        wire.send(src, dst, SYN, offset=offset)
    for options in OPTIONS:
        wire.send(src, dst, ACK, options=options, **numbers)
        if not fits:
            wire.send(src, dst, SYN, options=options)


def odd_packets4(wire, src, dst):
    """Fragments that never become whole"""
    segment = tcp_of(src, dst, SYN | ACK, data=b"x" * 40)
    for fragment in (0x2000, 1, 0x2002, 0x1fff):
        wire.put(dst, packet4(src, dst, segment, fragment))
    # Its ports, but no flags: too short for a header.
    wire.put(dst, packet4(src, dst, segment[:8], 0x2000, 0x7c96))
    wire.put(dst, packet4(src, dst, segment[:12]))


def odd_packets6(wire, src, dst):
    """Fragments that never become whole, headers that end nowhere"""
    segment = tcp_of(src, dst, SYN | ACK, data=b"x" * 40)
    for headers in ([fragment6(0, 1)], [fragment6(1, 1)], [fragment6(2, 0)],
                    [fragment6(0x1fff, 0)],
                    [(ROUTING, bytes([0, 0, 0, 1]) + bytes(4))],
                    [(ROUTING, bytes([0, 0, 255, 9]) + bytes(4))],
                    [(DESTINATION, bytes([0, 0, 0xc2, 4]) + bytes(4))],
                    [(DESTINATION, bytes([0, 255, 1, 4]) + bytes(4))],
                    [(DESTINATION, PAD), (HOP, PAD)],
                    [(AUTHENTICATION, bytes([0, 1]) + bytes(10))],
                    [(253, PAD)], [(HOP, bytes([0, 0, 1, 200]) + bytes(4))]):
        wire.put(dst, packet6(src, dst, segment, headers))
    # Nobody vouches for it, or it is to be passed on: TCP must not get it.
    for headers in ([(AUTHENTICATION, bytes([0, 4]) + bytes(22))],
                    [(ROUTING, bytes([0, 0, 4, 1]) + bytes(4))]):
        wire.put(dst, packet6(src, dst, tcp_of(src, dst, SYN, seq=FOR_NOBODY),
                              headers))
    # Nothing follows, they say.
    wire.put(dst, packet6(src, dst, segment, [(DESTINATION, PAD),
                                              (NONE, PAD)]))
    wire.put(dst, packet6(src, dst, segment[:8], [fragment6(0, 1, 0x7c96)]))
    wire.put(dst, packet6(src, dst, segment[:12]))


def whole_packets4(src, dst, segment):
    """Packets that are one good segment"""
    for cut in (24, 8):
        yield [packet4(src, dst, segment[:cut], 0x2000, 0x7c00 + cut),
               packet4(src, dst, segment[cut:], cut // 8, 0x7c00 + cut)]
    # The second piece first
    yield [packet4(src, dst, segment[16:], 2, 0x7c01),
           packet4(src, dst, segment[:16], 0x2000, 0x7c01)]


def whole_packets6(src, dst, segment):
    yield [packet6(src, dst, segment, [(HOP, PAD)])]
    yield [packet6(src, dst, segment, [(DESTINATION, PAD)])]
    yield [packet6(src, dst, segment, [(HOP, PAD), (DESTINATION, PAD),
                                       (DESTINATION, PAD)])]
    yield [packet6(src, dst, segment, [fragment6(0, 0)])]
    yield [packet6(src, dst, segment[:24], [fragment6(0, 1, 7)]),
           packet6(src, dst, segment[24:], [fragment6(3, 0, 7)])]
    yield [packet6(src, dst, segment[24:], [(DESTINATION, PAD),
                                            fragment6(3, 0, 8)]),
           packet6(src, dst, segment[:24], [(DESTINATION, PAD),
                                            fragment6(0, 1, 8)])]


def malformed(site):
    """Segments that no TCP sends, beside a connection that must not notice"""
    wire = Wire(site)
    listener = site.listen()
    client, server = site.open_pair(listener)
    say(client, server)
    ends = ends_of(client, server)
    numbers = {"seq": number(server, RECV_QUEUE) - 90000,
               "ack": number(server, SEND_QUEUE)}
    odd_packets = odd_packets6 if site.six else odd_packets4
    for other in ends[0], (ends[0][0], 4):
        for port in ends[1][1], 9, 0:
            to = ends[1][0], port
            odd_segments(wire, other, to, other == ends[0] and
                         port == ends[1][1], **numbers)
            odd_packets(wire, other, to)
        wire.send((other[0], 0), ends[1], SYN)
    # Packed oddly, and all the same a SYN, which the client's kernel resets.
    build, count = whole_packets6 if site.six else whole_packets4, 0
    for count, packets in enumerate(build(
            *((ends[0][0], 0), ends[1], b"")), 1):
        pass
    for i in range(count):
        src = ends[0][0], 5000 + i
        segment = tcp_of(src, ends[1], SYN, seq=7777000 + i,
                         options=b"\2\4\5\xb4" + b"\1" * 12)
        for packet in list(build(src, ends[1], segment))[i]:
            wire.put(ends[1], packet)
        emit(kind="whole", netns=site.netns["server"], src=src, dst=ends[1],
             flags="SYN", seq=7777000 + i)
        site.expect("odd packet %d" % i, (src, ends[1]), open="reset",
                    record="any")
    yield 0.5
    say(client, server)
    say(server, client)
    close_both(client, server)
    site.expect("the connection beside them", ends, open="three-way",
                client_states="ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT",
                server_states="ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE",
                close="three-segment four-way",
                bytes={"client": 10, "server": 5})
    return listener


def other_protocols(site):
    """MPTCP and SCTP: only MPTCP's subflows are TCP"""
    for name, protocol in (("MPTCP", 262), ("SCTP", 132)):
        if name == "SCTP" and site.family == "v4mapped":
            continue
        site.go("server")
        family = socket.AF_INET if site.family == "inet" else socket.AF_INET6
        try:
            listener = socket.socket(family, socket.SOCK_STREAM, protocol)
        except OSError as err:
            emit(kind="absent", name="%s (%s)" % (name, site.name),
                 why=os.strerror(err.errno))
            continue
        listener.bind((site.spell(site.addr["server"]), 0))
        listener.listen(4)
        site.go("client")
        client = socket.socket(family, socket.SOCK_STREAM, protocol)
        client.bind((site.spell(site.addr["client"]), 0))
        client.connect(listener.getsockname()[:2])
        server, _ = listener.accept()
        say(client, server)
        say(server, client)
        ends = ends_of(client, server)
        client.close()
        server.recv(1)
        server.close()
        # MPTCP says farewell in its own words first.
        site.go("client")
        wait_for("the subflow's end", lambda: name == "SCTP" or
                 (ends[0], ends[1], "TIME_WAIT") in proc_sockets())
        if name == "MPTCP":
            site.expect(name + "'s subflow", ends, open="three-way",
                        client_states="FIN_WAIT2 TIME_WAIT", mptcp=True)
        else:
            site.expect(name, ends, none=True, ports=[ends[0][1], ends[1][1]])


ROWS = {f.__name__: f for f in (keepalive, blind_injection, fast_open,
                                time_wait_end, killed, forgotten, syn_flood,
                                accept_queue, malformed, other_protocols)}


def sites_of(args):
    patterns = os.environ.get("SITES", "").split() or ["*"]
    for place in args.place:
        for family in FAMILIES:
            site = Site(place.split(","), family, args.wire)
            if any(fnmatch.fnmatch("%s.%s" % (family, site.place), p)
                   for p in patterns):
                yield site


def run_all(row, words, sites):
    """Runs a row at each site, those that wait side by side. Returns what is
    to be kept"""
    kept, waiting = [], []
    for site in sites:
        got = row(site, **words)
        if inspect.isgenerator(got):
            waiting.append(got)
        else:
            kept.append(got)
    while waiting:
        longest, going = 0, waiting
        waiting = []
        for rest in going:
            try:
                longest = max(longest, next(rest))
                waiting.append(rest)
            except StopIteration as end:
                kept.append(end.value)
        time.sleep(longest)
    return kept


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--at-end")
    args.add_argument("--wire")
    args.add_argument("--place", action="append", required=True)
    args.add_argument("row")
    args = args.parse_args()
    set_comm("rows")
    name, *words = args.row.split(",")
    emit_clock()
    emit(kind="begin", mono=time.monotonic_ns())
    kept = run_all(ROWS[name], dict(w.split("=", 1) for w in words),
                   list(sites_of(args)))
    if args.at_end:
        subprocess.run(args.at_end, shell=True, check=True)
    emit(kind="end", mono=time.monotonic_ns())
    emit_clock()
    if args.wire:
        # The captures' last marks have to pass.
        go(args.wire)
        for path in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            with open("/proc/sys/net/" + path, "w") as f:
                f.write("1")
    del kept			# not closed before


if __name__ == "__main__":
    sys.exit(main())
