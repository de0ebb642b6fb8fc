#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every byte of every record, out of a ring whose slots were full of rubbish.

usage: poison.py save FILE		what /proc/tcphs/events has now, as it comes
       poison.py check MODE DIR		judge DIR/events.bin; DIR/trace (witness.py)
					has the addresses of the sockets
Prints "ok NAME" or "not ok NAME".
"""
import collections
import glob
import os
import sys

import records
import witness

POISON = bytes([0xa5])
# Kinds that each way of recording must have brought, so that all are judged.
WANTED = {"handshake": {1, 2, 3, 4, 6}, "all": {1, 2, 3, 4, 6}, "none": {1, 3},
          "lossy": {1, 5}}
NR = 6		# sequence numbers, each with its bit
HAS_OWNER, HAS_BIRTH = 1 << 6, 1 << 7
CLOSE, VIA_REQUEST = 7, 2
# Kernel text and modules on amd64.
IMAGE = 0xffffffff80000000


def say(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for problem in list(problems)[:20]:
        print("\t%s" % (problem,))


def zero(what, raw):
    return [] if not any(raw) else ["%s is not zero: %s" % (what, raw.hex())]


def owner(has, pid, comm):
    """A name, and nothing behind it; or none at all"""
    if not has & HAS_OWNER:
        return zero("comm without owner", comm) + (
            ["pid %d without owner" % pid] if pid else [])
    end = comm.find(b"\0")
    if end < 0:
        return ["comm without NUL: %r" % comm]
    return zero("comm behind its NUL", comm[end:])


def numbers(has, values):
    return ["number %d is %#x without its bit" % (i, values[i])
            for i in range(NR) if values[i] and not has >> i & 1]


def transition(payload):
    old, new, via, has, *nr, pid, uid, comm, error, fact, timeouts, unread = \
        records.TRANSITION.unpack(payload)
    wrong = []
    if old > 11 or new > 11 or not 1 <= via <= 3:
        wrong.append("states %d %d via %d" % (old, new, via))
    if has & HAS_BIRTH:
        wrong += zero("what follows a birth", payload[20:28])
    else:
        wrong += numbers(has, nr)
    if via == VIA_REQUEST:
        wrong += ["pid %d of a request" % pid] if pid else []
    else:
        wrong += owner(has, pid, comm)
    if new != CLOSE and (error or fact or timeouts or unread):
        wrong.append("the end's fields before the end")
    wrong += rubbish("a transition", error=error, timeouts=timeouts)
    return wrong + (["facts %#x" % fact] if fact > 7 else [])


def rubbish(where, **fields):
    """Fields too short for judge() to see that nobody wrote them; no such value comes
    by chance of what these tests do"""
    return ["%s of %s is rubbish" % (name, where) for name, value in fields.items()
            if value in (0xa5, 0xa5a5) and (name, value) != ("win", 0xa5)]


def segment(payload):
    mark, state, offset, flags, *_, win, urg, options = records.SEGMENT.unpack(payload)
    size = max((offset >> 4) * 4 - 20, 0)
    return zero("what follows the options", options[size:]) + (
        ["state %d" % state] if state > 11 else []) + rubbish(
            "a segment", mark=mark, flags=flags, win=win, urg=urg)


def reset(payload):
    out, state, reason, has, _, fact, probes, error, *nr, pid, _, comm = \
        records.RESET.unpack(payload)
    wrong = numbers(has, nr) + owner(has, pid, comm) + rubbish(
        "a reset", reason=reason, probes=probes, error=error)
    if out > 1 or state > 11 or has & HAS_BIRTH or fact > 15:
        wrong.append("out %d, state %d, has %#x, facts %#x" %
                     (out, state, has, fact))
    return wrong


def destroy(_):
    return []	# every byte counts something; rubbish is seen as such


def lost(payload):
    return zero("pad of a lost record", payload[:4] + payload[28:])


def accept(payload):
    _, _, _, _, pid, _, comm = records.ACCEPT.unpack(payload)
    return zero("pads of an accept", payload[1:4] + payload[24:36]) + \
        owner(HAS_OWNER if pid else 0, pid, comm)


KINDS = {1: transition, 2: segment, 3: reset, 4: destroy, 5: lost, 6: accept}


def judge(raw, cpus, areas):
    """What is wrong with one record; areas: kernel addresses without their last
    32 bits: all the memory of a small machine is there"""
    _, _, sock, netns, cpu, kind, flags, saddr, daddr, sport, dport, payload = \
        records.RECORD.unpack(raw)
    if kind not in KINDS:
        return ["kind %d" % kind]
    wrong = KINDS[kind](payload)
    if POISON * 4 in raw:
        wrong.append("rubbish at byte %d" % raw.find(POISON * 4))
    if cpu >= cpus or flags & ~0x1f:
        wrong.append("cpu %d, flags %#x" % (cpu, flags))
    if not flags & 1:
        wrong += zero("what follows an IPv4 address", saddr[4:] + daddr[4:])
    if flags & 4 and sport or flags & 8 and dport:
        wrong.append("a port that is not known: %d %d" % (sport, dport))
    if kind == 5:
        wrong += zero("whom a lost record is about", raw[16:28] + raw[31:68])
    elif not sock and kind != 2 or not netns:
        wrong.append("nobody: sock %d, netns %d" % (sock, netns))
    for at in range(len(raw) - 7):
        word = int.from_bytes(raw[at:at + 8], sys.byteorder)
        if word >> 32 in areas or word >= IMAGE:
            wrong.append("an address at byte %d: %#x" % (at, word))
    return wrong


def vmalloc_areas():
    """Where the module's rings are, as root sees it with kptr_restrict=1"""
    with open("/proc/vmallocinfo", encoding="ascii") as f:
        return {int(line.split("-")[0], 16) >> 32 for line in f
                if "tcphs" in line} - {0}


def bodies(path):
    with open(path, "rb") as f:
        raw = f.read()
    head = records.header(raw)
    body = raw[head["header_size"]:]
    size = head["record_size"]
    return raw[:head["header_size"]], head, [body[i:i + size] for i in
                                             range(0, len(body), size)]


def check(mode, directory):
    start, head, rows = bodies(os.path.join(directory, "events.bin"))
    areas = set()
    if glob.glob(os.path.join(directory, "trace", "*.raw")):
        areas = {e.sk >> 32 for e in witness.trace_events(
            os.path.join(directory, "trace"))}
        say("%s: ftrace tells addresses of sockets" % mode,
            [] if areas else ["none"])
        rings = vmalloc_areas()
        say("%s: /proc/vmallocinfo those of rings" % mode, [] if rings else ["none"])
        areas |= rings
    kinds = collections.Counter(r[30] for r in rows)
    say("%s: %d records of all kinds: %s" % (mode, len(rows), dict(kinds)),
        WANTED[mode] - set(kinds))
    say("%s: nothing but what a record means is in it" % mode,
        collections.Counter("kind %d: %s" % (r[30], w) for r in rows
                            for w in judge(r, head["cpus"], areas)))
    say("%s: nor in the header" % mode,
        zero("a pad", start[74:80] + start[208:224] + start[232:256]) +
        [w for at in (80, 144) for w in owner(HAS_OWNER, 0, start[at:at + 64])])
    # The judge sees rubbish, and an address, where there is some.
    blind = []
    for kind in kinds:
        row = next(r for r in rows if r[30] == kind)
        if not judge(row[:68] + POISON * 60, head["cpus"], areas):
            blind.append("kind %d: a payload of rubbish" % kind)
        for area in list(areas)[:1]:
            word = (area << 32 | 0x12345678).to_bytes(8, sys.byteorder)
            if not judge(row[:101] + word + row[109:], head["cpus"], areas):
                blind.append("kind %d: an address" % kind)
    say("%s: the judge is not blind" % mode, blind)


def main():
    if sys.argv[1] == "save":
        fd = os.open(records.EVENTS, os.O_RDONLY)
        with open(sys.argv[2], "wb") as f:
            f.write(records.drain(fd))
        os.close(fd)
    else:
        check(sys.argv[2], sys.argv[3])


if __name__ == "__main__":
    main()
