#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Packets that nobody sends, as fast as this machine can: every combination of
flags, header lengths and options that are wrong, IPv6 extension headers, fragments
of headers, runts. Checksums are right, for otherwise nobody would look further.

usage: hostile_packets.py wire DEVICE SECONDS SEED TARGET...
	frames out of DEVICE, whose other end has the addresses of the TARGETs:
	"local,port,remote,port" of a connection or a listener's ports
       hostile_packets.py raw SECONDS SEED TARGET...
	the same packets out of raw sockets, through this machine's own output
       hostile_packets.py hold ADDRESS...
	listens on each address, connects to it from it, and prints such TARGETs;
	then reads and writes until its input ends
Prints how many it sent, and how many of the 256 values of flags those had.
"""
import ipaddress
import os
import random
import select
import socket
import struct
import sys
import time

ETH = {4: 0x0800, 6: 0x86dd}
TCP = 6
# What may stand before TCP in IPv6: hop-by-hop, routing, fragment, destination
# options, AH, ESP, and one that does not exist.
BEFORE = (0, 43, 44, 60, 51, 50, 253)
KINDS = (0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34, 69, 253, 254, 255)
BATCH = 400	# packets made at a time
AGAIN = 25	# how often each is sent: 5 on a slow machine, which sends fewer
if "TCPHS_SLOW" in os.environ and os.environ["TCPHS_SLOW"] != "1":
    AGAIN = 5
COMMON = (2, 16, 17, 18, 4, 20, 24)	# flags that get far


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def tcp_options(dice, size):
    """`size` bytes of options: some right, some with lengths that lie"""
    data = b""
    while len(data) < size:
        kind = dice.choice(KINDS)
        if kind < 2 or dice.random() < 0.05:
            data += bytes([kind])
            continue
        length = dice.choice((0, 1, 2, 3, 4, 8, 10, 12, 18, 34, 40, 255))
        body = dice.randbytes(dice.choice((max(length - 2, 0), 2, 8)))
        data += bytes([kind, length]) + body
    return data[:size]


class Flags:
    """Every combination in turn, and the common ones as often"""
    def __init__(self):
        self.turn = 0
        self.met = set()

    def next(self, dice):
        self.turn += 1
        if self.turn % 2:
            return dice.choice(COMMON)
        flags = self.turn // 2 % 256
        self.met.add(flags)
        return flags


FLAGS = Flags()


def tcp(dice, sport, dport, pseudo):
    offset = dice.choice((5, 5, 6, 8, 10, 15, dice.randrange(16)))
    options = tcp_options(dice, max(offset * 4 - 20, 0))
    if dice.random() < 0.1:	# shorter than it says
        options = options[:dice.randrange(len(options) + 1)]
    data = dice.randbytes(dice.choice((0, 0, 0, 1, 5, 100, 1300)))
    flags = FLAGS.next(dice)
    base = dice.choice((0, 1, 1 << 31, (1 << 32) - 1, dice.randrange(1 << 32)))
    head = struct.pack("!HHIIBBHHH", sport, dport, base,
                       dice.choice((0, base, dice.randrange(1 << 32))),
                       offset << 4 | dice.randrange(16), flags,
                       dice.randrange(1 << 16), 0, dice.randrange(1 << 16))
    segment = head + options + data
    if dice.random() < 0.05:	# not even a header
        segment = segment[:dice.randrange(20)]
    if len(segment) >= 18 and dice.random() < 0.98:
        total = checksum(pseudo(len(segment)) + segment)
        segment = segment[:16] + struct.pack("!H", total) + segment[18:]
    return segment


def ip4(dice, src, dst, sport, dport):
    segment = tcp(dice, sport, dport, lambda n: src + dst +
                  struct.pack("!HH", TCP, n))
    options = b""
    if dice.random() < 0.2:
        options = bytes(dice.choice((0, 1, 7, 68, 130, 131, 148, 255, 4, 40))
                        for _ in range(4 * dice.randrange(1, 11)))
    parts = [(0, 0, segment)]
    if dice.random() < 0.25:	# cut, perhaps in the middle of the TCP header
        cut = dice.choice((8, 16, 24, 40))
        parts = [(1, 0, segment[:cut]), (0, cut // 8, segment[cut:])]
        if dice.random() < 0.5:	# and once more, overlapping
            parts.append((dice.randrange(2), dice.randrange(8),
                          dice.randbytes(dice.randrange(64))))
        dice.shuffle(parts)
    ident = dice.randrange(1 << 16)
    for more, at, body in parts:
        size = 20 + len(options) + len(body)
        if dice.random() < 0.05:
            size = dice.randrange(1 << 16)
        head = struct.pack("!BBHHHBBH4s4s", 4 << 4 | 5 + len(options) // 4,
                           dice.randrange(256), size, ident, more << 13 | at,
                           dice.choice((64, 1, 255)), TCP, 0, src, dst) + options
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        yield head + body


def before_tcp(dice, kind, following):
    """One IPv6 extension header"""
    if kind == 44:
        return struct.pack("!BBHI", following, dice.randrange(256),
                           dice.choice((0, 1, 8, dice.randrange(1 << 16))),
                           dice.randrange(4))
    length = dice.choice((0, 0, 1, 2, dice.randrange(256)))
    body = dice.randbytes(6 + 8 * min(length, 3))
    if dice.random() < 0.6:	# padding, which is right
        size = 6 + 8 * min(length, 3)
        body = bytes([1, size - 2]) + bytes(size - 2)
    return bytes([following, length]) + body


def ip6(dice, src, dst, sport, dport):
    body = tcp(dice, sport, dport, lambda n: src + dst +
               struct.pack("!II", n, TCP))
    following = TCP
    for _ in range(dice.choice((0, 0, 1, 1, 2, 3, 9))):
        kind = dice.choice(BEFORE)
        body = before_tcp(dice, kind, following) + body
        following = kind
    size = len(body) if dice.random() < 0.95 else dice.randrange(1 << 16)
    yield struct.pack("!IHBB16s16s", 6 << 28 | dice.randrange(1 << 28), size,
                      following, dice.choice((64, 1, 255)), src, dst) + body


def packets(dice, targets):
    local, port, remote, other = dice.choice(targets)
    if dice.random() < 0.2:
        other = dice.randrange(1 << 16)
    if dice.random() < 0.1:
        port = dice.randrange(1 << 16)
    make = ip4 if len(local) == 4 else ip6
    for packet in make(dice, remote, local, other, port):
        if dice.random() < 0.03:
            packet = packet[:dice.randrange(len(packet) + 1)]
        yield len(local), packet


def read_targets(words):
    rows = []
    for text in words:
        local, port, remote, other = text.split(",")
        rows.append((ipaddress.ip_address(local).packed, int(port),
                     ipaddress.ip_address(remote).packed, int(other)))
    return rows


def blast(seconds, seed, targets, send):
    """Until the time is over: new packets, each many times and in any order"""
    dice = random.Random(seed)
    end = time.monotonic() + seconds
    sent = refused = 0
    while time.monotonic() < end:
        batch = []
        while len(batch) < BATCH:
            batch += packets(dice, targets)
        for _ in range(AGAIN):
            for family, packet in batch:
                try:
                    send(family, packet)
                    sent += 1
                except OSError:	# too short, too long, a queue that is full
                    refused += 1
            if time.monotonic() >= end:
                break
            dice.shuffle(batch)
    print("%d sent, %d refused, %d combinations of flags" % (sent, refused,
                                                             len(FLAGS.met)))


def wire(device, seconds, seed, words):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((device, 0))
    with open("/sys/class/net/%s/address" % device) as f:
        own = bytes.fromhex(f.read().strip().replace(":", ""))
    # To a multicast address nobody would answer: it must be the peer's own.
    peer = bytes.fromhex(os.environ["PEER"].replace(":", ""))
    head = {4: peer + own + struct.pack("!H", ETH[4]),
            16: peer + own + struct.pack("!H", ETH[6])}
    blast(seconds, seed, read_targets(words),
          lambda family, packet: s.send(head[family] + packet))


def raw(seconds, seed, words):
    four = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
    targets = read_targets(words)
    to = {len(t[0]): str(ipaddress.ip_address(t[0])) for t in targets}
    blast(seconds, seed, targets, lambda family, packet:
          (four if family == 4 else six).sendto(packet, (to[family], 0)))


def hold(addresses):
    pairs = []
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family)
        listener.bind((address, 0))
        listener.listen(8)
        client = socket.create_connection(listener.getsockname()[:2],
                                          source_address=(address, 0))
        server = listener.accept()[0]
        for s in (client, server):
            s.setblocking(False)
            here, there = s.getsockname(), s.getpeername()
            print("%s,%d,%s,%d" % (*here[:2], *there[:2]))
        print("%s,%d,%s,%d" % (*listener.getsockname()[:2], address, 4000))
        pairs.append([listener, client, server])
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.2)[0]:
        for i, (listener, client, server) in enumerate(pairs):
            for s in (client, server):
                try:
                    s.send(b"x")
                    s.recv(100)
                except BlockingIOError:
                    pass
                except OSError:	# somebody's RST was good: none is held then
                    pass


def main():
    what, *rest = sys.argv[1:]
    if what == "wire":
        wire(rest[0], float(rest[1]), int(rest[2]), rest[3:])
    elif what == "raw":
        raw(float(rest[0]), int(rest[1]), rest[2:])
    else:
        hold(rest)


if __name__ == "__main__":
    main()
