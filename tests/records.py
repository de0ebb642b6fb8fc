#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The record stream, read without the reader: module/uapi/tcphs.h in Python.
For tests of /proc/tcphs/events itself and of what the reader makes of it.

usage: records.py [FILE]	rows as JSON, as far as a record alone tells;
				without FILE what /proc/tcphs/events has now
"""
import fcntl
import json
import os
import struct
import sys

from witness import FLAGS, STATES, ip_text, tcp_options

EVENTS = "/proc/tcphs/events"
MAGIC = b"TCPHS\r\n\x1a"
HEADER = struct.Struct("=8sIHHIIIIQqQQIIBB6x64s64s16xQ24x")
HEADER_NAMES = ("magic byte_order abi_major abi_minor header_size record_size "
                "cpus ring_records session wall_offset loaded opened netns "
                "missing segments filtered hostname release complete").split()
RECORD = struct.Struct("=QQQIHBB16s16sHH60s")
TRANSITION = struct.Struct("=BBBB6III16sHBBI")
SEGMENT = struct.Struct("=BBBBIIIHH40s")
RESET = struct.Struct("=BBBBIBBH6III16s")
LOST = struct.Struct("=4xQQQ32x")
ACCEPT = struct.Struct("=B3xQQI12xII16s")
KINDS = {1: "transition", 2: "segment", 3: "reset", 4: "destroy", 5: "lost",
         6: "accept"}
VIA = {1: "tracepoint", 2: "request", 3: "timewait"}
NUMBERS = ("snd_nxt", "snd_una", "rcv_nxt", "write_seq", "iss", "irs")
HAS_OWNER, HAS_BIRTH = 1 << 6, 1 << 7
assert (HEADER.size, RECORD.size) == (256, 128)
assert all(s.size == 60 for s in (TRANSITION, SEGMENT, RESET, LOST, ACCEPT))


def text(raw):
    return raw.split(b"\0")[0].decode(errors="replace")


def header(raw):
    row = dict(zip(HEADER_NAMES, HEADER.unpack_from(raw)))
    row["hostname"], row["release"] = text(row["hostname"]), text(
        row["release"])
    return row


def record(raw):
    """One record as a row; None where the record says it does not know"""
    (ts, n, sock, netns, cpu, kind, flags, saddr, daddr, sport, dport,
     payload) = RECORD.unpack(raw)
    row = {"kind": KINDS.get(kind, kind), "cpu": cpu, "n": n, "ts": ts}
    if kind == 5:
        row["count"], row["since"], row["until"] = LOST.unpack(payload)
        return row
    size = 16 if flags & 1 else 4
    row.update(netns=netns, family="inet6" if flags & 1 else "inet", sock=sock,
               saddr=ip_text(saddr[:size]), sport=sport,
               daddr=ip_text(daddr[:size]), dport=dport)
    if flags & 4:
        row.update(sport=None, saddr=None)
    if flags & 8:
        row.update(dport=None, daddr=None)
    if kind == 1:
        old, new, via, has, *numbers, pid, uid, comm = \
            TRANSITION.unpack(payload)[:-4]
        row.update(old=STATES[old], new=STATES[new], via=VIA[via], uid=uid)
        numbered(row, has, numbers, pid, comm)
        if row["new"] == "LISTEN":
            row["backlog"] = numbers[3]
    elif kind == 2:
        mark, state, offset, bits, seq, ack, size, win, _, options = \
            SEGMENT.unpack(payload)
        row.update(dir="out" if mark & 1 else "in",
                   retransmit=bool(mark & 2), state=STATES[state],
                   flags=[f for i, f in enumerate(FLAGS) if bits >> i & 1],
                   header=(offset >> 4) * 4, seq=seq, ack=ack, len=size, win=win,
                   options=tcp_options(options[:max((offset >> 4) * 4 - 20,
                                                    0)]))
    elif kind == 3:
        out, state, reason, has, _, _, _, _, *numbers, pid, uid, comm = \
            RESET.unpack(payload)
        row.update(dir="out" if out else "in", state=STATES[state],
                   reason=reason, uid=uid)
        numbered(row, has, numbers, pid, comm)
    elif kind == 6:
        state, _, listener, _, pid, uid, comm = ACCEPT.unpack(payload)
        row.update(pid=pid, comm=text(comm), listener=listener)
    return row


def numbered(row, has, numbers, pid, comm):
    for i, name in enumerate(NUMBERS):
        row[name] = numbers[i] if has >> i & 1 and not has & HAS_BIRTH \
            else None
    row["pid"] = pid if has & HAS_OWNER else None
    row["comm"] = text(comm) if has & HAS_OWNER else None


def split(raw):
    """(header, [rows]) of whole bytes"""
    head = header(raw)
    assert head["magic"] == MAGIC, head
    body = raw[head["header_size"]:]
    size = head["record_size"]
    assert len(body) % size == 0, "%d bytes are no whole records" % len(body)
    return head, [record(body[i:i + size]) for i in range(0, len(body), size)]


def drain(fd):
    """All that a reader of /proc/tcphs/events can get without waiting"""
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    got = b""
    try:
        while True:
            more = os.read(fd, 1 << 16)
            if not more:
                break
            got += more
    except BlockingIOError:
        pass
    fcntl.fcntl(fd, fcntl.F_SETFL, flags)
    return got


def main():
    if len(sys.argv) > 1:
        with open(sys.argv[1], "rb") as f:
            raw = f.read()
    else:
        fd = os.open(EVENTS, os.O_RDONLY)
        raw = drain(fd)
        os.close(fd)
    for row in split(raw)[1]:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
