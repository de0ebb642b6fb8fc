#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Traffic of the rows that need a hand on the wire: forged segments, peers that
die, listeners that drown. Prints what traffic.py prints (clock, begin, end), and
for each connection what its timeline must say:

	{"kind": "expect", "name": ..., "client": [ADDR, PORT], "server": ...,
	 "open": ..., "close": ..., "client_states": "... FIN_WAIT2 CLOSE",
	 "notes": [...], "turn": N}

A missing field is not asked; states are the last ones; each of the notes is part
of some step's note; turn is the how manieth of the same ports. told.py asks.

usage: rows.py --at-end COMMAND --client NETNS --wire NETNS --server NETNS ROW
The networks are window.sh's.
"""
import argparse
import os
import socket
import struct
import subprocess
import sys
import time

from agent import enter_netns, set_comm
from traffic import emit, emit_clock

IP = {"client": "192.0.2.2", "server": "198.51.100.2"}
IP6 = {"client": "2001:db8:1::2", "server": "2001:db8:2::2"}
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
MSG_FASTOPEN = 0x20000000
TCP_USER_TIMEOUT, TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 18, 19, 20, 21
RECV_QUEUE, SEND_QUEUE = 1, 2
NETNS = {}


def go(where):
    enter_netns("/run/netns/" + NETNS[where])


def sysctl(where, name, value):
    go(where)
    with open("/proc/sys/net/" + name, "w") as f:
        f.write(str(value))


def make(where, six=False, port=0):
    """A bound socket at an end"""
    go(where)
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
    sock.settimeout(30)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(((IP6 if six else IP)[where], port))
    return sock


def listen(six=False, backlog=64):
    sock = make("server", six)
    sock.listen(backlog)
    return sock


def open_pair(listener, port=0):
    client = make("client", listener.family == socket.AF_INET6, port)
    client.connect(listener.getsockname()[:2])
    server, _ = listener.accept()
    server.settimeout(30)
    return client, server


def expect(name, client, server, **what):
    emit(kind="expect", name=name, client=list(client)[:2],
         server=list(server)[:2], **what)


def number(sock, queue):
    """snd_nxt or rcv_nxt, asked of the socket itself"""
    level = socket.IPPROTO_TCP
    sock.setsockopt(level, TCP_REPAIR, 1)
    sock.setsockopt(level, TCP_REPAIR_QUEUE, queue)
    found = struct.unpack("=I", sock.getsockopt(level, TCP_QUEUE_SEQ, 4))[0]
    sock.setsockopt(level, TCP_REPAIR, -1)
    return found


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def forge(src, dst, flags, seq=0, ack=0, options=b"", offset=None, data=b"",
          win=1000, fragment=0):
    """An IPv4 packet with a TCP header as asked, right or not"""
    if offset is None:
        offset = 5 + len(options) // 4
    tcp = struct.pack("!HHIIBBHHH", src[1], dst[1], seq & 0xffffffff,
                      ack & 0xffffffff, offset << 4, flags, win, 0, 0)
    tcp += options + data
    ends = socket.inet_aton(src[0]) + socket.inet_aton(dst[0])
    total = checksum(ends + struct.pack("!HH", 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack("!H", total) + tcp[18:]
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0x7c95, fragment,
                       64, 6, 0) + ends + tcp


class Wire:
    """Sends what nobody at the ends has sent"""

    def __init__(self):
        go("wire")
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                 socket.IPPROTO_RAW)

    def send(self, src, dst, flags, **what):
        self.raw.sendto(forge(src, dst, flags, **what), (dst[0], 0))

    def cut(self):
        """Nothing passes any more"""
        sysctl("wire", "ipv4/ip_forward", 0)
        sysctl("wire", "ipv6/conf/all/forwarding", 0)


def say(sender, reader, data=b"hello"):
    sender.sendall(data)
    while data:
        data = data[len(reader.recv(len(data))):]


def close_both(first, second):
    first.close()
    while second.recv(4096):
        pass
    second.close()
    time.sleep(0.2)


def dies(sock, error):
    """Waits for the error by which a socket ends"""
    try:
        sock.settimeout(30)
        sock.recv(1)
    except OSError as err:
        if err.errno == error:
            return
        raise
    raise RuntimeError("no error came")


# ------------------------------------------------------------------- the rows

def keepalive():
    """Probes and answers; then the wire is cut: who gives up, and why"""
    level = socket.IPPROTO_TCP
    pairs = []
    for six in (False, True):
        listener = listen(six)
        client, server = open_pair(listener)
        say(client, server)
        client.setsockopt(level, socket.TCP_KEEPIDLE, 1)
        client.setsockopt(level, socket.TCP_KEEPINTVL, 1)
        client.setsockopt(level, socket.TCP_KEEPCNT, 3)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        other, peer = open_pair(listener)
        say(other, peer)
        other.setsockopt(level, TCP_USER_TIMEOUT, 1500)
        pairs.append((listener, client, server, other, peer))
    time.sleep(3.5)
    Wire().cut()
    for _, _, _, other, _ in pairs:
        other.send(b"into the void")
    for _, client, server, other, peer in pairs:
        expect("keep-alive", client.getsockname(), server.getsockname(),
               open="three-way", close="timed-out",
               client_states="ESTABLISHED CLOSE",
               server_states="SYN_RECV ESTABLISHED",
               notes=["keep-alive probe", "answers the probe"])
        expect("TCP_USER_TIMEOUT", other.getsockname(), peer.getsockname(),
               open="three-way", close="timed-out",
               client_states="ESTABLISHED CLOSE",
               server_states="SYN_RECV ESTABLISHED")
    for _, client, _, other, _ in pairs:
        dies(other, 110)
        dies(client, 110)
    return pairs


def blind_injection():
    """Forged RST and SYN, with wrong numbers and with the right one"""
    wire = Wire()
    listener = listen()
    pairs = []
    for name, flags, ahead in (("RST in the window", RST, 100),
                               ("SYN in the window", SYN, 100),
                               ("RST outside the window", RST, -100000),
                               ("the exact RST", RST, 0)):
        client, server = open_pair(listener)
        say(client, server)
        pairs.append((client, server))
        ends = client.getsockname(), server.getsockname()
        right = number(server, RECV_QUEUE)
        wire.send(*ends, flags, seq=right + ahead)
        time.sleep(0.3)
        foreign = "not sent by the client's socket"
        if not ahead:
            dies(server, 104)
            expect(name, *ends, open="three-way", close="reset-by-client",
                   server_states="ESTABLISHED CLOSE",
                   client_states="SYN_SENT ESTABLISHED", notes=[foreign])
            continue
        say(client, server)
        say(server, client)
        close_both(client, server)
        expect(name, *ends, open="three-way",
               client_states="FIN_WAIT2 TIME_WAIT",
               server_states="LAST_ACK CLOSE",
               notes=[foreign] + ["challenge ACK"] * (ahead > 0),
               not_close=["reset-by-client", "reset-by-server"])
    return pairs


def fast_open():
    """Cookie request, then data in the SYN, then a server that refuses it"""
    for where in ("client", "server"):
        sysctl(where, "ipv4/tcp_fastopen", 3)
    for six in (False, True):
        go("server")
        listener = make("server", six)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
        listener.listen(16)
        for name, want, notes in (
                ("cookie request", "three-way",
                 ["asks for a Fast Open cookie", "gives a Fast Open cookie"]),
                ("data in the SYN", "fast-open", ["Fast Open cookie"]),
                ("fallback", "three-way", ["Fast Open cookie"])):
            sysctl("server", "ipv4/tcp_fastopen", 1 if name == "fallback" else 3)
            client = make("client", six)
            # With a time-out of its own it would not wait for connect().
            client.settimeout(None)
            client.sendto(b"quick", MSG_FASTOPEN, listener.getsockname()[:2])
            client.settimeout(30)
            server, _ = listener.accept()
            server.settimeout(30)
            got = b""
            while len(got) < 5:
                got += server.recv(5)
            say(server, client, b"answer")
            ends = client.getsockname(), server.getsockname()
            close_both(client, server)
            expect(name, *ends, open=want, notes=notes,
                   client_states="FIN_WAIT2 TIME_WAIT",
                   server_states="LAST_ACK CLOSE", bytes={"client": 5,
                                                          "server": 6})


def time_wait_end():
    """TIME_WAIT ends early: by connect(), by a SYN, by RST; or never begins"""
    wire = Wire()
    listener = listen()

    def states(where):
        return {"client": "FIN_WAIT2 TIME_WAIT CLOSE",
                "server": "LAST_ACK CLOSE"} if where == "client" else {
                    "server": "FIN_WAIT2 TIME_WAIT CLOSE",
                    "client": "LAST_ACK CLOSE"}

    for name, where in (("connect()", "client"), ("SYN", "server")):
        sysctl("client", "ipv4/tcp_tw_reuse", 1)
        client, server = open_pair(listener)
        say(client, server)
        ends = client.getsockname(), server.getsockname()
        close_both(*((client, server) if where == "client" else
                     (server, client)))
        time.sleep(2.2)		# its time stamps must be older than a second
        again, peer = open_pair(listener, ends[0][1])
        end = states(where)
        expect("reuse by " + name + ", before", *ends, turn=0,
               client_states=end["client"], server_states=end["server"])
        expect("reuse by " + name + ", after", *ends, turn=1, again=True,
               open="three-way", close="four-way",
               client_states="FIN_WAIT2 TIME_WAIT",
               server_states="LAST_ACK CLOSE", notes=["same ports as before"])
        say(again, peer)
        again.shutdown(socket.SHUT_WR)
        peer.recv(9)
        time.sleep(0.3)
        peer.close()
        again.recv(9)
        again.close()
        time.sleep(0.2)
    client, server = open_pair(listener)
    say(client, server)
    ends = client.getsockname(), server.getsockname()
    after = number(client, RECV_QUEUE) + 1		# past the peer's FIN
    close_both(client, server)
    wire.send(ends[1], ends[0], RST, seq=after)
    time.sleep(0.3)
    expect("RST into TIME_WAIT", *ends,
           client_states="FIN_WAIT2 TIME_WAIT CLOSE",
           server_states="LAST_ACK CLOSE", close="three-segment four-way")
    sysctl("client", "ipv4/tcp_max_tw_buckets", 0)
    client, server = open_pair(listener)
    say(client, server)
    ends = client.getsockname(), server.getsockname()
    client.shutdown(socket.SHUT_WR)
    server.recv(1)
    time.sleep(0.3)
    server.close()
    client.recv(1)
    client.close()
    time.sleep(0.3)
    expect("no TIME_WAIT to be had", *ends, client_states="FIN_WAIT2 CLOSE",
           server_states="LAST_ACK CLOSE", close="four-way")


def syn_flood(syns="5000"):
    """Spoofed SYNs, with real connections among them"""
    sysctl("server", "ipv4/tcp_max_syn_backlog", 16)
    go("wire")
    subprocess.run(["ip", "route", "add", "blackhole", "10.0.0.0/8"], check=True)
    wire = Wire()
    listener = listen(backlog=16)
    to = listener.getsockname()
    pairs = []
    for i in range(int(syns)):
        wire.send(("10.%d.%d.%d" % (1 + i // 62500, i // 250 % 250,
                                    1 + i % 250), 1024 + i % 60000), to, SYN,
                  seq=i * 7919, options=b"\2\4\5\xb4")
        if i % (int(syns) // 20) == int(syns) // 40:
            client, server = open_pair(listener)
            say(client, server)
            pairs.append((client, server))
    for client, server in pairs:
        ends = client.getsockname(), server.getsockname()
        close_both(client, server)
        expect("real connection", *ends, real=True)
    emit_flood(to, syns=int(syns) + len(pairs))


def accept_queue():
    """Nobody accept()s, and the queue of the listener overflows"""
    listener = listen(backlog=1)
    clients = []
    for _ in range(5):
        client = make("client")
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        clients.append(client)
        time.sleep(0.1)
    # Between the SYNs' first repetition and their second.
    time.sleep(1.5)
    emit_flood(listener.getsockname())
    return clients, listener


def emit_flood(to, **more):
    """The kernel's own counts of what befell the server's only listener"""
    go("server")
    out = subprocess.run(["nstat", "-asz"], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    counters = {w[0]: int(w[1]) for w in map(str.split, out.splitlines()[1:])}
    emit(kind="flood", addr=to[0], port=to[1],
         cookies_sent=counters["TcpExtSyncookiesSent"],
         cookies_accepted=counters["TcpExtSyncookiesRecv"],
         cookies_failed=counters["TcpExtSyncookiesFailed"],
         overflowed=counters["TcpExtListenOverflows"], **more)


def malformed():
    """Segments that no TCP sends, beside a connection that must not notice"""
    wire = Wire()
    listener = listen()
    client, server = open_pair(listener)
    say(client, server)
    ends = client.getsockname(), server.getsockname()
    seq, ack = number(server, RECV_QUEUE), number(server, SEND_QUEUE)
    for other in ends[0], (ends[0][0], 4):
        for port in ends[1][1], 9, 0:
            for flags in (0, SYN | FIN, SYN | RST, SYN | FIN | RST | ACK, 63,
                          FIN | URG | PSH, FIN, 255):
                if other == ends[0] and port == ends[1][1] and flags & RST:
                    continue		# an RST that fits may end it
                wire.send(other, (ends[1][0], port), flags,
                          seq=seq - 90000, ack=ack)
            for offset in (0, 1, 4, 6, 15):
                wire.send(other, (ends[1][0], port), ACK, seq=seq - 90000,
                          ack=ack, offset=offset)
                wire.send(other, (ends[1][0], port), SYN, offset=offset)
            for options in (b"\2\0\0\0", b"\2\1\0\0", b"\2\x28\0\0",
                            b"\x22\xff\0\0", b"\1\1\1\2", b"\x08\x0a\0\0",
                            b"\0" * 40, b"\1" * 40, b"\x22\x02\x22\x28"):
                wire.send(other, (ends[1][0], port), ACK, seq=seq - 90000,
                          ack=ack, options=options)
                if other != ends[0]:
                    wire.send(other, (ends[1][0], port), SYN, options=options)
            for fragment in (0x2000, 1, 0x2002, 0x1fff):
                wire.send(other, (ends[1][0], port), SYN | ACK, data=b"x" * 40,
                          fragment=fragment)
        wire.send((other[0], 0), ends[1], SYN)
    time.sleep(0.5)
    say(client, server)
    say(server, client)
    close_both(client, server)
    expect("the connection beside them", *ends, open="three-way",
           client_states="ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT",
           server_states="ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE",
           close="three-segment four-way")


def other_protocols():
    """MPTCP and SCTP: only MPTCP's subflows are TCP"""
    for name, protocol, kind in (("MPTCP", 262, socket.SOCK_STREAM),
                                 ("SCTP", 132, socket.SOCK_STREAM)):
        go("server")
        try:
            listener = socket.socket(socket.AF_INET, kind, protocol)
        except OSError as err:
            emit(kind="absent", name=name, why=os.strerror(err.errno))
            continue
        listener.bind((IP["server"], 0))
        listener.listen(4)
        go("client")
        client = socket.socket(socket.AF_INET, kind, protocol)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        say(client, server)
        say(server, client)
        ends = client.getsockname(), server.getsockname()
        client.close()
        server.recv(1)
        server.close()
        time.sleep(1)
        emit(kind="spoke", name=name)
        if name == "MPTCP":
            expect(name + "'s subflow", *ends, open="three-way",
                   client_states="FIN_WAIT2 TIME_WAIT", mptcp=True)
        else:
            expect(name, *ends, none=True)


ROWS = {f.__name__: f for f in (keepalive, blind_injection, fast_open,
                                time_wait_end, syn_flood, accept_queue,
                                malformed, other_protocols)}


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--at-end")
    for name in ("client", "wire", "server"):
        args.add_argument("--" + name, required=True)
    args.add_argument("row")
    args = args.parse_args()
    set_comm("rows")
    NETNS.update(client=args.client, wire=args.wire, server=args.server)
    name, *words = args.row.split(",")
    emit_clock()
    emit(kind="begin", mono=time.monotonic_ns())
    kept = ROWS[name](**dict(w.split("=", 1) for w in words))
    if args.at_end:
        subprocess.run(args.at_end, shell=True, check=True)
    emit(kind="end", mono=time.monotonic_ns())
    emit_clock()
    # The captures' last marks have to pass.
    sysctl("wire", "ipv4/ip_forward", 1)
    del kept			# not closed before


if __name__ == "__main__":
    sys.exit(main())
