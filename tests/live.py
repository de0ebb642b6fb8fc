#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Connections for live.sh, and whether `tcphs live` told all of them.

usage:
	live.py talk NETNS		some connections over loopback
	live.py judge TRACE JSON TEXT	ftrace's text, and what live wrote
"""
import collections
import json
import re
import signal
import socket
import struct
import sys
import time

from agent import enter_netns

PORTS = range(7301, 7306)
HOWS = ("client", "server", "data", "reset", "v6")


def talk(netns):
    enter_netns("/run/netns/" + netns)
    for port, how in zip(PORTS, HOWS):
        family, address = socket.AF_INET, "127.0.0.1"
        if how == "v6":
            family, address = socket.AF_INET6, "::1"
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(4)
        client = socket.socket(family)
        client.connect((address, port))
        server, _ = listener.accept()
        first, second = (server, client) if how == "server" else (client, server)
        if how == "data":
            client.send(b"x" * 500)
            server.recv(500)
        if how == "reset":
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
        first.close()
        time.sleep(0.05)
        second.close()
        listener.close()
    refused = socket.socket()
    try:
        refused.connect(("127.0.0.1", PORTS[-1] + 1))
    except ConnectionRefusedError:
        pass
    refused.close()


def of_trace(path):
    """(sport, dport, old, new) of each event; port 0: the kernel knew none."""
    pattern = re.compile(r"inet_sock_set_state: .*sport=(\d+) dport=(\d+) .*"
                         r"oldstate=TCP_(\w+) newstate=TCP_(\w+)")
    with open(path, encoding="utf-8") as f:
        for sport, dport, old, new in pattern.findall(f.read()):
            yield int(sport), int(dport), old, new


def of_text(path):
    """({client, server}, old, new) of each row, and the rows that are wrong."""
    ends, rows, wrong = {}, [], []
    with open(path, encoding="utf-8") as f:
        for line in f:
            who = re.match(r"[\d:.]+ (#\d+) +(\S+:\d+) > (\S+:\d+)$", line)
            row = re.match(r"[\d:.]+ (#\d+) +(client|server) (\w+) → (\w+)\b", line)
            if re.search(r":0\b(?!\d)(?=\s|$)", line):
                wrong.append("port 0: " + line)
            if who:
                ends[who[1]] = (who[2], who[3])
            elif row and row[1] not in ends:
                wrong.append("a row before its connection: " + line)
            elif row:
                rows.append((ends[row[1]], row[2], row[3], row[4]))
    return rows, wrong


def name(address, port):
    return "%s:%s" % ("[%s]" % address if ":" in address else address, port)


def result(wrong, what):
    print("%s %s" % ("not ok" if wrong else "ok", what))
    for line in wrong[:10]:
        print(line.rstrip())


def judge(trace, as_json, as_text):
    events = list(of_trace(trace))
    with open(as_json, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    transitions = [r for r in rows if r["kind"] == "transition"]

    left = [r for r in transitions if r["via"] == "tracepoint"]
    wrong = []
    for sport, dport, old, new in events:
        for r in left:
            if (r["old"], r["new"]) == (old, new) and \
                    sport in (0, r["sport"]) and dport in (0, r["dport"]):
                left.remove(r)
                break
        else:
            wrong.append("not told: %d %d %s -> %s" % (sport, dport, old, new))
    wrong += ["nobody else saw: %s" % r for r in left]
    result(wrong or ["no events"] * (len(events) < 40),
           "--json has each of ftrace's transitions, once")

    wrong, numbers = [], collections.defaultdict(set)
    for r in rows:
        listener = r["kind"] == "transition" and "LISTEN" in (r["old"], r["new"]) and \
            r["new"] != "SYN_RECV"
        if listener or r["daddr"] is None:
            if r["conn"] is not None:
                wrong.append("a listener with a number: %s" % r)
            continue
        if not r["sport"] or not r["dport"]:
            wrong.append("no port: %s" % r)
        numbers[frozenset(((r["saddr"], r["sport"]), (r["daddr"], r["dport"])))].add(r["conn"])
    for ends, conns in numbers.items():
        if len(conns) != 1 or None in conns:
            wrong.append("%s has the numbers %s" % (sorted(ends), conns))
    if sorted(c for s in numbers.values() for c in s) != list(range(1, len(PORTS) + 2)):
        wrong.append("numbers: %s" % list(numbers.values()))
    result(wrong, "--json has one number for each connection")

    told, wrong = of_text(as_text)
    want = set()
    mini = {(r["sport"], r["dport"]) for r in transitions if r["via"] == "timewait"}
    for r in transitions:
        if r["conn"] is None or r["old"] == r["new"]:
            continue
        # It goes on in a mini-socket.
        if r["via"] == "tracepoint" and r["new"] == "CLOSE" and \
                r["old"] in ("FIN_WAIT2", "CLOSING") and (r["sport"], r["dport"]) in mini:
            continue
        here, there = name(r["saddr"], r["sport"]), name(r["daddr"], r["dport"])
        client = r["sport"] not in PORTS and r["sport"] != PORTS[-1] + 1
        want.add(((here, there) if client else (there, here),
                  "client" if client else "server", r["old"], r["new"]))
    wrong += ["not told: %s" % (w,) for w in sorted(want - set(told))]
    wrong += ["told: %s" % (w,) for w in sorted(set(told) - want)]
    wrong += ["told %d times: %s" % (n, t) for t, n in collections.Counter(told).items() if n > 1]
    result(wrong or ["no rows"] * (len(told) < 40), "the rows have each transition, once")


if __name__ == "__main__":
    signal.alarm(60)
    {"talk": talk, "judge": judge}[sys.argv[1]](*sys.argv[2:])
