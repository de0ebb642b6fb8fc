#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One connection at a time, on ways that bend: for bypath.sh.

usage: bypath.py talk SERVER-NETNS ADDRESS PORT CLIENT-NETNS ADDRESS PORT
       bypath.py ride SERVER-NETNS ADDRESS PORT CLIENT-NETNS ADDRESS PORT
       bypath.py refuse CLIENT-NETNS ADDRESS PORT
       bypath.py migrate SERVER-NETNS ADDRESS PORT CLIENT-NETNS
       bypath.py ipvs ADDRESS PORT SERVER-ADDRESS PORT
       bypath.py judge PCAP EVENTS [client=INODE] [server=INODE] [none=INODE]

talk	the client connects to its ADDRESS and PORT, and the server gets it at those
ride	the same, and the handshake's last ACK rides in the client's first data
refuse	the client connects, and nobody listens there
migrate	the listener closes between SYN and ACK; another one of its group takes over
ipvs	balances what comes to ADDRESS over that one server
judge	have these network namespaces told what the capture has of the handshake and
	the close, once, in both directions; no other segment twice; and `none`
	nothing? A line for each that is wrong. NAT leaves sequence numbers alone: they
	are what is compared.
"""
import errno
import json
import os
import socket
import struct
import sys
import time
from collections import Counter

from agent import enter_netns, wait_for
from witness import capture_segments, flags_text

SYN_RECV = 3
IP_VS_SO_SET_ADD, IP_VS_SO_SET_ADDDEST = 1154, 1159
PATIENCE = 20


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listen(address, port):
    sock = socket.socket(family(address))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((address, port))
    sock.listen(8)
    sock.settimeout(PATIENCE)
    return sock


def serve(listener):
    taken, _ = listener.accept()
    taken.settimeout(PATIENCE)
    taken.recv(5)
    taken.sendall(b"answers")
    taken.recv(1)
    # By then the FIN has its ACK: the close takes four segments.
    time.sleep(0.3)
    taken.close()


def ask(netns, address, port, quick=True):
    """In a process of its own"""
    pid = os.fork()
    if pid:
        return pid
    # A listener that is still open here does not close.
    os.closerange(3, 64)
    enter_netns("/run/netns/" + netns)
    try:
        with socket.socket(family(address)) as sock:
            sock.settimeout(PATIENCE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, quick)
            sock.connect((address, port))
            sock.sendall(b"asks.")
            sock.recv(7)
            time.sleep(0.3)
        os._exit(0)
    except OSError as err:
        print("client:", err, flush=True)
    os._exit(1)


def talk(server, address, port, client, to, to_port, quick=True):
    enter_netns("/run/netns/" + server)
    listener = listen(address, int(port))
    pid = ask(client, to, int(to_port), quick)
    serve(listener)
    listener.close()
    return os.waitpid(pid, 0)[1]


def ride(*words):
    return talk(*words, quick=False)


def refuse(client, address, port):
    enter_netns("/run/netns/" + client)
    with socket.socket(family(address)) as sock:
        sock.settimeout(PATIENCE)
        return sock.connect_ex((address, int(port))) != errno.ECONNREFUSED


def is_half_open(port):
    with open("/proc/net/tcp") as lines:
        return any(row.split()[1].endswith(":%04X" % port) and
                   int(row.split()[3], 16) == SYN_RECV
                   for row in list(lines)[1:])


def migrate(server, address, port, client):
    enter_netns("/run/netns/" + server)
    first = listen(address, int(port))
    pid = ask(client, address, int(port))
    wait_for("a SYN", lambda: is_half_open(int(port)))
    second = listen(address, int(port))
    first.close()
    serve(second)
    second.close()
    return os.waitpid(pid, 0)[1]


def ipvs(address, port, server, server_port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    service = struct.pack("=H2x4s2s2xI16sII4s", socket.IPPROTO_TCP,
                          socket.inet_aton(address), struct.pack("!H", int(port)), 0,
                          b"rr", 0, 0, b"\xff" * 4)
    sock.setsockopt(socket.IPPROTO_IP, IP_VS_SO_SET_ADD, service)
    sock.setsockopt(socket.IPPROTO_IP, IP_VS_SO_SET_ADDDEST, service + struct.pack(
        "=4s2s2xIiII", socket.inet_aton(server),
        struct.pack("!H", int(server_port)), 0, 1, 0, 0))


def sorted_out(segments):
    """(from the client, must it be told, the segment as it is compared) of each"""
    syn = next(s for s in segments if s.flags == {"SYN"})
    ports = (syn.sport, syn.dport)
    # The client's first ACK ends the handshake: a pure one, if there is one. A
    # loopback's capture may have them in another order than they left.
    third = min((s for s in segments if (s.sport, s.dport) == ports and
                 "ACK" in s.flags), default=None,
                key=lambda s: (s.seq - syn.seq & 0xffffffff, s.len))
    fin = False
    for s in segments:
        ours = (s.sport, s.dport) == ports
        fin |= "FIN" in s.flags
        # The last pure ones end the close.
        yield ours, s.flags & {"SYN", "FIN", "RST"} or s is third or (
            fin and s.flags == {"ACK"} and not s.len), (
                flags_text(s.flags), s.seq, s.ack, s.len)


def judge(capture, events, *netns):
    must = {True: Counter(), False: Counter()}
    may = {True: Counter(), False: Counter()}
    for ours, due, segment in sorted_out(capture_segments(capture, 0)):
        may[ours][segment] += 1
        must[ours][segment] += bool(due)
    told = {}
    with open(events) as rows:
        for row in map(json.loads, rows):
            if row["kind"] == "segment":
                told.setdefault((row["netns"], row["dir"]), Counter())[
                    (flags_text(row["flags"]), row["seq"], row["ack"] or 0,
                     row["len"])] += 1
    roles = {}
    for word in netns:
        role, inode = word.split("=")
        roles.setdefault(int(inode), set()).add(role)
    for inode, role in roles.items():
        for way in ("out", "in"):
            due, real = Counter(), Counter()
            for end in role - {"none"}:
                due += must[(end == "client") == (way == "out")]
                real += may[(end == "client") == (way == "out")]
            found = told.get((inode, way), Counter())
            for segment in (due - found).keys():
                print("%s, %s: not told: %s" % ("+".join(role), way, segment))
            for segment in (found - real).keys():
                print("%s, %s: told, or once too often: %s" % (
                    "+".join(role), way, segment))


COMMANDS = {f.__name__: f for f in (talk, ride, refuse, migrate, ipvs, judge)}

if __name__ == "__main__":
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
