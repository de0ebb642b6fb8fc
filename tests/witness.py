#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the two independent witnesses saw: the kernel's own trace event
sock:inet_sock_set_state (states) and tcpdump (segments).

lib.sh's window_open and window_close make the files:

	DIR/trace/cpuN.raw		pages out of per_cpu/cpuN/trace_pipe_raw
	DIR/trace/format		the event's fields
	DIR/trace/header_page		the page's layout
	DIR/NETNS.INTERFACE.pcap	nanosecond time stamps

The trace is read in binary because its text shows neither the socket's address
nor nanoseconds. Nothing here knows tcphs.

Alone: witness.py DIR prints both, oldest first.
"""
import glob
import os
import re
import struct
import sys
from collections import namedtuple

STATES = ["UNKNOWN", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1",
          "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK",
          "LISTEN", "CLOSING", "NEW_SYN_RECV"]
FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]
IPPROTO_TCP = 6
AF_INET = 2
MAPPED = b"\0" * 10 + b"\xff\xff"	# ::ffff:0:0/96

# One state change. sk is the socket's address in the kernel; saddr and sport
# are the local end; what the kernel did not know yet is None.
Event = namedtuple("Event", "ts cpu task sk old new family saddr sport daddr "
                   "dport")

# One captured segment. netns is the name of the namespace of the capture.
Segment = namedtuple("Segment", "ts netns family src sport dst dport flags seq "
                     "ack len win options hlen frame")


class Broken(Exception):
    """A witness is incomplete: nothing can be judged by it."""


def ip_text(raw):
    """An address as the tool has to print it; v4-mapped counts as IPv4."""
    if len(raw) == 16 and raw[:12] == MAPPED:
        raw = raw[12:]
    if len(raw) == 4:
        return "%d.%d.%d.%d" % tuple(raw)
    import ipaddress
    return str(ipaddress.IPv6Address(raw))


# ---------------------------------------------------------------- the trace

def trace_fields(text):
    """field name -> (offset, size) out of a tracefs format file"""
    found = {}
    for m in re.finditer(r"field:\s*[^;]*?(\w+)(?:\[\d+\])?;\s*offset:(\d+);"
                         r"\s*size:(\d+);", text):
        found[m.group(1)] = (int(m.group(2)), int(m.group(3)))
    return found


def page_events(page, data_at):
    """(ts, bytes) of each event of one ring-buffer page"""
    ts, commit = struct.unpack_from("=QQ", page)
    if commit & (1 << 31):
        raise Broken("the trace buffer lost events")
    at = data_at
    end = at + (commit & 0xfffff)
    while at < end:
        head, = struct.unpack_from("=I", page, at)
        kind, delta = head & 0x1f, head >> 5
        if kind == 29:				# padding
            if not delta:
                return
            at += 4 + struct.unpack_from("=I", page, at + 4)[0]
        elif kind == 30:			# time extend
            ts += delta + (struct.unpack_from("=I", page, at + 4)[0] << 27)
            at += 8
        elif kind == 31:			# absolute time, 59 bits
            low = delta + (struct.unpack_from("=I", page, at + 4)[0] << 27)
            ts = (ts & ~((1 << 59) - 1)) | low
            at += 8
        else:
            ts += delta
            if kind:
                size, skip = kind * 4, 4
            else:
                size, skip = struct.unpack_from("=I", page, at + 4)[0] - 4, 8
            yield ts, page[at + skip:at + skip + size]
            at += skip + size


def trace_events(path):
    """Every TCP state change in DIR/trace, oldest first"""
    with open(os.path.join(path, "format")) as f:
        text = f.read()
    field = trace_fields(text)
    ident = int(re.search(r"ID:\s*(\d+)", text).group(1))
    with open(os.path.join(path, "header_page")) as f:
        data_at, data_size = trace_fields(f.read())["data"]
    page_size = data_at + data_size

    def number(data, name):
        at, size = field[name]
        return int.from_bytes(data[at:at + size], sys.byteorder)

    def raw(data, name):
        at, size = field[name]
        return data[at:at + size]

    found = []
    for name in sorted(glob.glob(os.path.join(path, "cpu*.raw"))):
        cpu = int(re.search(r"cpu(\d+)\.raw", name).group(1))
        with open(name, "rb") as f:
            pages = f.read()
        for at in range(0, len(pages), page_size):
            for ts, data in page_events(pages[at:at + page_size], data_at):
                if number(data, "common_type") != ident:
                    continue
                if number(data, "protocol") != IPPROTO_TCP:
                    continue
                v4 = number(data, "family") == AF_INET or MAPPED in (
                    raw(data, "saddr_v6")[:12], raw(data, "daddr_v6")[:12])
                saddr = raw(data, "saddr" if v4 else "saddr_v6")
                daddr = raw(data, "daddr" if v4 else "daddr_v6")
                found.append(Event(
                    ts, cpu, number(data, "common_pid"),
                    number(data, "skaddr"),
                    STATES[number(data, "oldstate")],
                    STATES[number(data, "newstate")],
                    "inet" if v4 else "inet6",
                    ip_text(saddr) if any(saddr) else None,
                    number(data, "sport") or None,
                    ip_text(daddr) if any(daddr) else None,
                    number(data, "dport") or None))
    found.sort(key=lambda e: e.ts)
    return found


# -------------------------------------------------------------- the captures

def tcp_options(raw):
    """The options as the tool names them; None or False where absent"""
    opt = dict(mss=None, wscale=None, sack_permitted=False, tsval=None,
               tsecr=None, fastopen=None, mptcp=False)
    at = 0
    while at < len(raw):
        kind = raw[at]
        if kind == 0:
            break
        if kind == 1:
            at += 1
            continue
        if at + 1 >= len(raw) or raw[at + 1] < 2 or at + raw[at + 1] > len(raw):
            break
        body = raw[at + 2:at + raw[at + 1]]
        if kind == 2 and len(body) == 2:
            opt["mss"] = int.from_bytes(body, "big")
        elif kind == 3 and len(body) == 1:
            opt["wscale"] = body[0]
        elif kind == 4 and not body:
            opt["sack_permitted"] = True
        elif kind == 8 and len(body) == 8:
            opt["tsval"], opt["tsecr"] = struct.unpack("!II", body)
        elif kind == 30:
            opt["mptcp"] = True
        elif kind == 34:
            opt["fastopen"] = body.hex()
        at += raw[at + 1]
    return opt


def after_extensions(ip):
    """(protocol, length of all headers) of an IPv6 packet; None for a fragment
    that is not the first"""
    protocol, at = ip[6], 40
    while protocol in (0, 43, 44, 51, 60) and at + 8 <= len(ip):
        if protocol == 44 and int.from_bytes(ip[at + 2:at + 4], "big") >> 3:
            return None, at
        size = {44: 8, 51: (ip[at + 1] + 2) * 4}.get(protocol,
                                                     (ip[at + 1] + 1) * 8)
        protocol, at = ip[at], at + size
    return protocol, at


def tcp_segment(ts, netns, number, frame):
    """The Segment in an Ethernet frame, None where it is not TCP"""
    ether = int.from_bytes(frame[12:14], "big")
    ip = frame[14:]
    if ether == 0x0800:
        head = (ip[0] & 15) * 4
        size = int.from_bytes(ip[2:4], "big") - head
        protocol, src, dst = ip[9], ip[12:16], ip[16:20]
        if int.from_bytes(ip[6:8], "big") & 0x1fff:
            return None				# a later fragment
    elif ether == 0x86dd:
        protocol, head = after_extensions(ip)
        size = int.from_bytes(ip[4:6], "big") - (head - 40)
        src, dst = ip[8:24], ip[24:40]
    else:
        return None
    if protocol != IPPROTO_TCP or len(ip) < head + 20:
        return None
    tcp = ip[head:]
    sport, dport, seq, ack, offset, bits, win = struct.unpack_from("!HHIIBBH",
                                                                   tcp)
    hlen = (offset >> 4) * 4
    return Segment(ts, netns, "inet" if ether == 0x0800 else "inet6",
                   ip_text(src), sport, ip_text(dst), dport,
                   frozenset(n for i, n in enumerate(FLAGS) if bits >> i & 1),
                   seq, ack, size - hlen, win, tcp_options(tcp[20:hlen]), hlen,
                   number)


def capture_segments(name, real_to_mono):
    """Every TCP segment in a capture file; times made monotonic"""
    netns = os.path.basename(name).split(".")[0]
    with open(name, "rb") as f:
        data = f.read()
    if len(data) < 24 or struct.unpack_from("=I", data)[0] != 0xa1b23c4d:
        raise Broken("%s: no nanosecond capture of this machine" % name)
    if struct.unpack_from("=I", data, 20)[0] & 0xffff != 1:
        raise Broken("%s: not an Ethernet capture" % name)
    found = []
    at = 24
    number = 0
    while at < len(data):
        if at + 16 > len(data):
            raise Broken("%s: cut off" % name)
        sec, nsec, kept, _ = struct.unpack_from("=IIII", data, at)
        frame = data[at + 16:at + 16 + kept]
        at += 16 + kept
        number += 1
        if len(frame) < kept:
            raise Broken("%s: cut off" % name)
        seg = tcp_segment(sec * 10**9 + nsec + real_to_mono, netns, number,
                          frame)
        if seg:
            found.append(seg)
    return found


def all_segments(path, real_to_mono):
    """Segments of every capture of a window, oldest first"""
    found = []
    for name in glob.glob(os.path.join(path, "*.pcap")):
        found += capture_segments(name, real_to_mono)
    found.sort(key=lambda s: s.ts)
    return found


# ------------------------------------------------------------------ as text

def event_text(e):
    return "%14.6f trace   %s:%s > %s:%s %s -> %s (task %d, cpu %d)" % (
        e.ts / 1e9, e.saddr, e.sport, e.daddr, e.dport, e.old, e.new, e.task,
        e.cpu)


def flags_text(flags):
    order = ["SYN", "FIN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]
    return ",".join(f for f in order if f in flags) or "none"


def segment_text(s):
    return "%14.6f tcpdump %s:%d > %s:%d %s seq=%d ack=%d len=%d [%s]" % (
        s.ts / 1e9, s.src, s.sport, s.dst, s.dport, flags_text(s.flags), s.seq,
        s.ack, s.len, s.netns)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: witness.py DIR")
    import time
    offset = time.monotonic_ns() - time.time_ns()
    rows = [(e.ts, event_text(e))
            for e in trace_events(os.path.join(sys.argv[1], "trace"))]
    rows += [(s.ts, segment_text(s))
             for s in all_segments(sys.argv[1], offset)]
    for _, text in sorted(rows):
        print(text)


if __name__ == "__main__":
    main()
