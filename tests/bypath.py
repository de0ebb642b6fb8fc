#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One connection at a time, on ways that bend: for bypath.sh.

usage: bypath.py talk SERVER-NETNS ADDRESS PORT CLIENT-NETNS ADDRESS PORT
       bypath.py migrate SERVER-NETNS ADDRESS PORT CLIENT-NETNS
       bypath.py ipvs ADDRESS PORT SERVER-ADDRESS PORT
       bypath.py judge PCAP EVENTS [client=INODE] [server=INODE] [none=INODE]

talk	the client connects to its ADDRESS and PORT, and the server gets it at those
migrate	the listener closes between SYN and ACK; another one of its group takes over
ipvs	balances what comes to ADDRESS over that one server
judge	have these network namespaces told what the capture has of the handshake and
	the close, once, in both directions; and `none` nothing? A line for each that
	is wrong. NAT leaves sequence numbers alone: they are what is compared.
"""
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


def listen(address, port):
    sock = socket.socket()
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


def ask(netns, address, port):
    """In a process of its own"""
    pid = os.fork()
    if pid:
        return pid
    # A listener that is still open here does not close.
    os.closerange(3, 64)
    enter_netns("/run/netns/" + netns)
    try:
        with socket.create_connection((address, port), timeout=PATIENCE) as sock:
            sock.sendall(b"asks.")
            sock.recv(7)
            time.sleep(0.3)
        os._exit(0)
    except OSError as err:
        print("client:", err, flush=True)
    os._exit(1)


def talk(server, address, port, client, to, to_port):
    enter_netns("/run/netns/" + server)
    listener = listen(address, int(port))
    pid = ask(client, to, int(to_port))
    serve(listener)
    listener.close()
    return os.waitpid(pid, 0)[1]


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


def handshake_and_close(segments):
    """(from the client, the segment as it is compared) of what is to be told"""
    syn = next(s for s in segments if s.flags == {"SYN"})
    ports = (syn.sport, syn.dport)
    third = fin = False
    for s in segments:
        ours = (s.sport, s.dport) == ports
        fin |= "FIN" in s.flags
        # After the SYN,ACK the first ACK ends the handshake, the last ones the close.
        pure = s.flags == {"ACK"} and not s.len
        if not pure or fin or (ours and not third):
            third |= pure
            if s.flags & {"SYN", "FIN", "RST"} or pure:
                yield ours, (flags_text(s.flags), s.seq, s.ack, s.len)


def judge(capture, events, *netns):
    want = {True: Counter(), False: Counter()}
    for ours, segment in handshake_and_close(capture_segments(capture, 0)):
        want[ours][segment] += 1
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
            expected = Counter()
            for end in role - {"none"}:
                expected += want[(end == "client") == (way == "out")]
            found = told.get((inode, way), Counter())
            for segment in (expected - found).keys():
                print("%s, %s: not told: %s" % ("+".join(role), way, segment))
            for segment in (found - expected).keys():
                print("%s, %s: told, or once too often: %s" % (
                    "+".join(role), way, segment))


COMMANDS = {f.__name__: f for f in (talk, migrate, ipvs, judge)}

if __name__ == "__main__":
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
