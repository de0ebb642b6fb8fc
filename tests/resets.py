#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Is each RST that a connection's socket sent told as the kernel's own trace event
tcp:tcp_send_reset has it: by whom, in which state, and why, where the
kernel says it? Prints one result.

usage: resets.py DIR		reads truth.json, events.json, resets.trace
"""
import json
import os
import re
import socket
import sys
from collections import Counter

from witness import ip_text

# Sockets without a connection have no such record; the RST has its segment.
NONE = ("TCP_LISTEN", "TCP_TIME_WAIT", "TCP_NEW_SYN_RECV")


def rows_of(path, name):
    with open(os.path.join(path, name)) as f:
        return [json.loads(line) for line in f if line.strip()]


def address(text):
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return ip_text(socket.inet_pton(family, text))


def ends_of(field):
    """Linux 6.10 and later have src and dest with their ports"""
    if "src" in field:
        for name in "src", "dest":
            host, port = field[name].rsplit(":", 1)
            yield address(host.strip("[]"))
            yield int(port)
        return
    v6 = field.get("saddrv6")
    more = "v6" if v6 and address(v6) != "::" else ""
    for side in "s", "d":
        yield address(field[side + "addr" + more])
        yield int(field[side + "port"])


def of_trace(path, begin, end):
    """(local end, remote end, state, reason or None) of each event"""
    found = Counter()
    with open(os.path.join(path, "resets.trace")) as f:
        for line in f:
            at = re.search(r" (\d+)\.(\d+): tcp_send_reset: (.*)", line)
            if not at:
                continue
            ts = int(at.group(1)) * 10**9 + int(at.group(2).ljust(9, "0"))
            field = dict(re.findall(r"(\w+)=(\S+)", at.group(3)))
            if not begin <= ts <= end or field["state"] in NONE or \
                    not field["state"].startswith("TCP_"):
                continue
            reason = field.get("reason", "NOT_SPECIFIED").lower()
            found[(*ends_of(field), field["state"][4:],
                  None if reason == "not_specified" else reason)] += 1
    return found


def main():
    path = sys.argv[1]
    when = {r["kind"]: r["mono"] for r in rows_of(path, "truth.json")
            if r["kind"] in ("begin", "end")}
    true = of_trace(path, when["begin"], when["end"])
    knows = any(key[-1] for key in true)
    told = Counter(
        (r["saddr"], r["sport"], r["daddr"], r["dport"], r["state"],
         r["reason"]) for r in rows_of(path, "events.json")
        if r["kind"] == "reset" and r["dir"] == "out" and
        when["begin"] <= r["ts"] <= when["end"])
    well = true and true == told
    print("%s %d of %d resets as tcp_send_reset has them" % (
        "ok" if well else "not ok", sum((true & told).values()),
        sum(true.values())))
    print("ok the reason of each reset%s" % (
        "" if knows else " # SKIP this kernel gives none, and none is told"))
    for name, wrong in (("missing", true - told), ("invented", told - true)):
        for key in wrong:
            print("\t%s: %s" % (name, key))
    return not well


if __name__ == "__main__":
    sys.exit(main())
