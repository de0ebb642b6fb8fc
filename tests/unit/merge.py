#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Several recordings read together. A real recording of two network namespaces
is cut into one recording for each, as two hosts would have made them: clocks,
boots, record numbers of their own, and one namespace number for both. What is
told of the pair must be what is told of the whole.

usage: merge.py DIRECTORY-OF-PROGRAMS
"""
import json
import os
import struct
import subprocess
import tempfile

import program
from program import TCPHS
from recording import HEADER, RECORD, read, split
from tap import finish, say

SEGMENT, LOST = 2, 5
INIT_NETNS = 4026531840
ENV = dict(program.ENV, COLUMNS="100")
WORK = tempfile.mkdtemp()


def equal(name, got, expected):
    if isinstance(got, list) and isinstance(expected, list):
        for i, (a, b) in enumerate(zip(got, expected)):
            if a != b:
                say(False, name, "at %d:\ngot      %s\nexpected %s" % (i, a, b))
                return
    say(got == expected, name, "got      %s\nexpected %s" % (got, expected))


class Recording:
    def __init__(self, name):
        raw = read(name)
        self.header = raw[:HEADER]
        self.records = split(raw)

    def copy(self, records=None):
        other = Recording.__new__(Recording)
        other.header = self.header
        other.records = list(self.records if records is None else records)
        return other

    def host(self, name, session, boot=0):
        h = bytearray(self.header)
        struct.pack_into("=Q", h, 32, session)
        h[80:144] = name.encode().ljust(64, b"\0")
        h[208:224] = bytes([boot] * 16)
        self.header = bytes(h)
        return self

    def wall(self, by):
        h = bytearray(self.header)
        struct.pack_into("=q", h, 40, struct.unpack_from("=q", h, 40)[0] + by)
        self.header = bytes(h)
        return self

    def clock(self, change):
        """Each time t becomes change(t)."""
        for i, r in enumerate(self.records):
            ts = struct.unpack_from("=Q", r)[0]
            r = struct.pack("=Q", change(ts)) + r[8:]
            if r[30] == LOST:
                since = struct.unpack_from("=Q", r, 68 + 12)[0]
                r = r[:80] + struct.pack("=Q", change(since)) + r[88:]
            self.records[i] = r
        return self

    def number(self):
        """Record numbers without gaps, as if nothing else had been recorded."""
        last = {}
        for i, r in enumerate(self.records):
            cpu = struct.unpack_from("=H", r, 28)[0]
            n = last.get(cpu, -1) + 1
            last[cpu] = n
            self.records[i] = r[:8] + struct.pack("=Q", n) + r[16:]
        return self

    def netns(self, number):
        self.records = [r[:24] + struct.pack("=I", number) + r[28:]
                        if r[30] != LOST else r for r in self.records]
        return self

    def only(self, netns):
        return self.copy([r for r in self.records
                          if struct.unpack_from("=I", r, 24)[0] in netns])

    def save(self, name):
        path = os.path.join(WORK, name + ".tcphs")
        with open(path, "wb") as f:
            f.write(self.header + b"".join(self.records))
        return path


def run(paths, *args, stdin=None):
    command = [TCPHS, *args]
    for path in paths:
        command += ["-r", path]
    p = subprocess.run(command, env=ENV, capture_output=True, timeout=120,
                       stdin=stdin)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def told(paths, *args):
    status, out, err = run(paths, "timeline", "--json", *args)
    rows = [json.loads(line) for line in out.splitlines()]
    kinds = {kind: [r for r in rows if r["kind"] == kind]
             for kind in ("host", "connection", "listener")}
    return status, kinds, err


def shape(c):
    """What must be the same, whoever recorded it."""
    def side(s):
        return (s["addr"], s["port"], s["isn"], s["pid"], s["comm"],
                s["states"] and [x["state"] for x in s["states"]])

    return (side(c["client"]), side(c["server"]), c["open"], c["close"],
            sorted(c["bytes"].items()), sorted(c["retransmits"].items()),
            c["record"], c["roles"],
            [(s["from"], s["flags"], s["seq"], s["ack"], s["len"],
              s["retransmit"], s["lost"], s["received"] is not None)
             for s in c["steps"]])


def key(c):
    return (c["client"]["addr"] or "", c["client"]["port"] or 0,
            c["client"]["isn"] or 0, c["server"]["isn"] or 0)


def shapes(rows):
    return [shape(c) for c in sorted(rows["connection"], key=key)]


whole = Recording("behaviours")
CLIENT, SERVER = 4026532281, 4026532230
numbers = {struct.unpack_from("=I", r, 24)[0] for r in whole.records}
others = numbers - {CLIENT, SERVER}
whole.records = [r for r in whole.records
                 if struct.unpack_from("=I", r, 24)[0] not in others]
whole.number()
one = whole.save("one")
_, expected, _ = told([one])


# Whose address it is, by the whole.
HOST = {c[end]["addr"]: {CLIENT: "alpha", SERVER: "beta"}[c[end]["netns"]]
        for c in expected["connection"] for end in ("client", "server")
        if c[end]["netns"]}


def two(change, name="b", boot=2, wall=0):
    a = whole.only({CLIENT}).host("alpha", 11, 1).number().netns(INIT_NETNS)
    b = whole.only({SERVER}).host("beta", 12, boot).number().netns(INIT_NETNS)
    b.clock(change).wall(wall)
    return [a.save(name + "1"), b.save(name + "2")]


def check_times(name, rows, error):
    """The same times as the whole has, but for the clocks' error."""
    worst = 0
    for a, b in zip(sorted(rows["connection"], key=key),
                    sorted(expected["connection"], key=key)):
        # The reference is the client's clock, or nearly so.
        for s, t in zip(a["steps"], b["steps"]):
            if s["received"] and t["received"]:
                worst = max(worst, abs((s["received"] - s["ts"]) -
                                       (t["received"] - t["ts"])))
                if s["received"] < s["ts"]:
                    say(False, name, "arrives before it was sent: %s" % s)
                    return
    say(worst <= error, name, "%d ns off, %d ns allowed" % (worst, error))


# ---- two hosts ------------------------------------------------------------

SHIFT = 86400 * 10**9 + 123456789
for name, change, wall in (
        ("another clock", lambda t: t + SHIFT, -SHIFT),
        ("another clock, wall clocks 3 s apart", lambda t: t + SHIFT,
         -SHIFT + 3 * 10**9),
        ("a machine that came up later", lambda t: t - t % 1 - 1, 1)):
    paths = two(change, wall=wall)
    status, rows, err = told(paths)
    equal(name + ": exit status", status, 0)
    equal(name + ": no message", err, "")
    equal(name + ": the ladders", shapes(rows), shapes(expected))
    equal(name + ": hosts", [h["host"] for h in rows["host"]], ["alpha", "beta"])
    beta = rows["host"][1]
    equal(name + ": by exchange", (beta["clock"], beta["uneven"]),
          ("exchange", False))
    real = 10**9 - change(10**9)
    say(abs(beta["offset"] - real) <= beta["error"] + 1,
        name + ": the offset is within its error",
        "%s, really %s" % (beta, real))
    check_times(name + ": times", rows, beta["error"] + 2)
    both = [c for c in rows["connection"]
            if c["client"]["states"] and c["server"]["states"] and
            c["client"]["host"] != c["server"]["host"]]
    say(both and all(c[end]["host"] == HOST[c[end]["addr"]]
                     for c in both for end in ("client", "server")),
        name + ": each end has its host")
    say(all(abs(c["clock_error_us"] - beta["error"] / 1e3) < 1 for c in both),
        name + ": the error is told with each", [c["clock_error_us"] for c in both])

paths = two(lambda t: t + SHIFT)
_, rows, _ = told(paths[::-1])
equal("the other one first: the ladders", shapes(rows), shapes(expected))
equal("the other one first: hosts", [h["host"] for h in rows["host"]],
      ["beta", "alpha"])

# The server's clock gains 800 ppm: 45 ms over the whole, more than the 40 ms
# that a round trip leaves.
first = min(struct.unpack_from("=Q", r)[0] for r in whole.records)
paths = two(lambda t: t + SHIFT + (t - first) // 1250)
status, rows, err = told(paths)
beta = rows["host"][1]
equal("a clock that gains: the ladders", shapes(rows), shapes(expected))
say(-810 < beta["drift_ppm"] < -790 and not beta["uneven"],
    "a clock that gains: drift", beta)
check_times("a clock that gains: times", rows, beta["error"] + 10000)

# No drift explains these: what left and what came are told as the same all the same.
last = max(struct.unpack_from("=Q", r)[0] for r in whole.records)
middle = (first + last) // 2
for name, change in (
        ("a clock that leaps", lambda t: t + SHIFT + 150 * 10**6 * (t > middle)),
        ("a clock that gains and then loses",
         lambda t: t + SHIFT + (middle - first - abs(t - middle)) // 500)):
    paths = two(change)
    status, rows, err = told(paths)
    beta = rows["host"][1]
    say(beta["uneven"], name + ": it is said", beta)
    # But not which of two that crossed left first.
    equal(name + ": the ladders", [(*s[:-1], sorted(s[-1], key=str)) for s in shapes(rows)],
          [(*s[:-1], sorted(s[-1], key=str)) for s in shapes(expected)])
    say(all(s["ts"] <= s["received"] for c in rows["connection"] for s in c["steps"]
            if s["received"]), name + ": nothing arrives before its row")
    pictures = [run(paths, "export", "-o", os.path.join(WORK, "out." + suffix))[0]
                for suffix in ("pcapng", "svg", "mmd")]
    equal(name + ": exports", pictures, [0, 0, 0])

# ---- what the text says ---------------------------------------------------

paths = two(lambda t: t + SHIFT, wall=-SHIFT)
_, text, _ = run(paths, "timeline")
say(text.startswith("clock of alpha: its clock\nclock of beta: -86400.12"),
    "timeline: the clocks stand above", text[:300])
say("on alpha, netns" in text and "on beta, netns" in text,
    "timeline: each end has its host", text[:1000])
for command in ("list", "events", "live"):
    _, text, err = run(paths, command)
    say(text.startswith("clock of alpha"), command + ": the clocks", text[:300])
_, text, _ = run(paths, "events")
say(" alpha: " in text and " beta: " in text, "events: each has its host",
    text[:600])
_, text, _ = run(paths, "events", "--json")
rows = [json.loads(line) for line in text.splitlines()]
equal("events --json: a host for every record",
      {r["host"] for r in rows}, {"alpha", "beta"})
equal("events --json: a boot for every host",
      {r["boot"] for r in rows},
      {"01010101-0101-0101-0101-010101010101",
       "02020202-0202-0202-0202-020202020202"})
equal("events --json: in the order of time",
      [r["ts"] for r in rows if r["kind"] != "host"],
      sorted(r["ts"] for r in rows if r["kind"] != "host"))
equal("events --json: as many records as both have",
      len([r for r in rows if r["kind"] not in ("host", "lost")]),
      len(whole.records))

# ---- recordings of one host -----------------------------------------------

for name, files in (
        ("the same file twice", [one, one]),
        ("two halves", [whole.copy(whole.records[:400]).save("h1"),
                        whole.copy(whole.records[400:]).save("h2")]),
        ("two that overlap", [whole.copy(whole.records[:500]).save("o1"),
                              whole.copy(whole.records[300:]).save("o2")]),
        ("two that overlap, the later one first",
         [whole.copy(whole.records[300:]).save("o2"),
          whole.copy(whole.records[:500]).save("o1")])):
    status, rows, err = told(files)
    equal(name + ": the ladders", rows["connection"], expected["connection"])
    equal(name + ": no message, no hosts", (status, err, rows["host"]),
          (0, "", []))

middle = [whole.copy(whole.records[:300]).save("m1"),
          whole.copy(whole.records[500:]).save("m2")]
status, out, err = run(middle, "events", "--json")
lost = [json.loads(line) for line in out.splitlines() if '"lost"' in line]
equal("what neither has is lost", sum(r["count"] for r in lost), 200)
status, _, _ = run(middle, "events", "--strict")
equal("what neither has is lost: --strict", status, 4)

# Two loads of the module in one boot: one clock, and sock names anew.
files = [whole.copy(whole.records[:400]).host("alpha", 5, 7).number().save("l1"),
         whole.copy(whole.records[400:]).host("alpha", 6, 7).number().save("l2")]
status, rows, err = told(files)
equal("two loads of the module: one host", (rows["host"], err, status),
      ([], "", 0))

# ---- hosts that have nothing in common ------------------------------------

# The same addresses, ports and namespace numbers, and yet other connections.
def strange(r):
    at, count = {1: (4, 6), SEGMENT: (4, 2), 3: (12, 6)}.get(r[30], (0, 0))
    if r[30] == 1 and r[71] & 0x80:
        return r
    moved = [(n + 77777) % 2**32
             for n in struct.unpack_from("=%dI" % count, r, 68 + at)]
    return r[:68 + at] + struct.pack("=%dI" % count, *moved) + \
        r[68 + at + 4 * count:]


alone = Recording("loopback")
other = alone.copy([strange(r) for r in alone.records])
files = [alone.copy().host("alpha", 21, 1).save("s1"),
         other.host("beta", 22, 2).clock(lambda t: t + 5).wall(7).save("s2")]
_, single, _ = told([files[0]])
status, rows, err = told(files)
equal("equal tuples on both: twice as many connections",
      len(rows["connection"]), 2 * len(single["connection"]))
say(all(c["client"]["host"] in (None, c["server"]["host"]) or
        c["server"]["host"] is None for c in rows["connection"]),
    "equal tuples on both: none has one end here and one there")
alpha = [c for c in rows["connection"]
         if "alpha" in (c["client"]["host"], c["server"]["host"])]
equal("equal tuples on both: as told alone",
      [shape(c) for c in sorted(alpha, key=key)], shapes(single))
beta = rows["host"][1]
equal("nothing in common: by the wall clocks", (beta["clock"], beta["error"],
                                                beta["offset"]),
      ("wall", None, 7))
_, text, _ = run(files, "list")
say("beta: +0.000000007 s by the wall clocks, error unknown: no segment" in text,
    "nothing in common: it is said", text[:400])

# ---- three hosts ----------------------------------------------------------

# gamma is beta's other half: what came by IPv6.
v6 = [r for r in whole.only({SERVER}).records if r[31] & 1]
v4 = [r for r in whole.only({SERVER}).records if not r[31] & 1]
base = whole.only({SERVER})
files = [whole.only({CLIENT}).host("alpha", 11, 1).number().save("t1"),
         base.copy(v4).host("beta", 12, 2).number().clock(
             lambda t: t + SHIFT).save("t2"),
         base.copy(v6).host("gamma", 13, 3).number().clock(
             lambda t: t + 2 * SHIFT).save("t3")]
status, rows, err = told(files)
equal("three hosts: the ladders", shapes(rows), shapes(expected))
equal("three hosts: all by exchange", [h["clock"] for h in rows["host"]],
      ["reference", "exchange", "exchange"] if v6 else
      ["reference", "exchange", "wall"])

# ---- a recording that ended before the other one --------------------------

short = whole.only({SERVER})
cut = len(short.records) // 2
end = struct.unpack_from("=Q", short.records[cut - 1])[0]
files = [whole.only({CLIENT}).host("alpha", 11, 1).number().save("e1"),
         short.copy(short.records[:cut]).host("beta", 12, 2).number().save("e2")]
_, rows, _ = told(files)
late = [s for c in rows["connection"] for s in c["steps"]
        if s["lost"] and s["ts"] > end]
equal("what one did not record any more is not called lost", late, [])
files = [whole.only({CLIENT}).host("alpha", 11, 1).number().save("f1"),
         short.copy(short.records[cut:]).host("beta", 12, 2).number().save("f2")]
begin = struct.unpack_from("=Q", short.records[cut])[0]
_, rows, _ = told(files)
early = [s for c in rows["connection"] for s in c["steps"]
         if s["lost"] and s["ts"] < begin]
equal("nor what it did not record yet", early, [])

# ---- bad files among good ones --------------------------------------------

good = two(lambda t: t + SHIFT)
junk = os.path.join(WORK, "junk")
with open(junk, "wb") as f:
    f.write(b"nothing of the kind" * 30)
empty = os.path.join(WORK, "empty")
open(empty, "wb").close()
for name, bad, word in (("not a recording", junk, "not a tcphs recording"),
                        ("an empty file", empty, "empty"),
                        ("no file", os.path.join(WORK, "none"), "No such file"),
                        ("a directory", WORK, "directory")):
    status, rows, err = told([good[0], bad, good[1]])
    equal(name + " among others: the others are told", shapes(rows),
          shapes(expected))
    say(status == 1 and word in err and bad in err,
        name + " among others: message and status", "%d %s" % (status, err))
status, rows, err = told([junk, empty])
say(status == 1 and len(err.splitlines()) == 2, "only bad ones", err)
with open(good[1], "rb") as f:
    raw = f.read()
for name, bytes_, word in (
        ("truncated", raw[:-50], "truncated: record"),
        ("damaged", raw[:HEADER + 20 * RECORD + 30] + b"\xff" +
         raw[HEADER + 20 * RECORD + 31:], "is damaged (kind)")):
    path = os.path.join(WORK, name)
    with open(path, "wb") as f:
        f.write(bytes_)
    status, rows, err = told([good[0], path])
    say(status == 1 and err.count(word) == 1,
        name + " among others: said once", "%d %s" % (status, err))
    say(abs(len(rows["connection"]) - len(expected["connection"])) <= 1,
        name + " among others: the rest is told")

# ---- what does not go -----------------------------------------------------

for args, word in ((("-f",), "-f does not go with several -r"),
                   (("record", "-o", os.path.join(WORK, "x")),
                    "record reads only one -r"),):
    status, out, err = run(good, *args)
    say(status == 2 and word in err, "usage: " + " ".join(args[:1]), err)
with open(good[1], "rb") as f:
    p1 = subprocess.Popen(["cat"], stdin=f, stdout=subprocess.PIPE)
    status, out, err = run([good[0], "-"], "timeline", "--json", stdin=p1.stdout)
    p1.wait()
rows = {"connection": [r for r in map(json.loads, out.splitlines())
                       if r["kind"] == "connection"]}
equal("one of them from a pipe", (status, shapes(rows)), (0, shapes(expected)))

for suffix in ("pcapng", "svg", "mmd"):
    out = os.path.join(WORK, "out." + suffix)
    status, _, err = run(good, "export", "-o", out)
    with open(out, "rb") as f:
        raw = f.read()
    say(status == 0 and b"on alpha" in raw and b"on beta" in raw,
        "export to %s names the hosts" % suffix, err)

# Each interface has its own host's kernel.
for path, release in zip(good, (b"6.1.0-alpha", b"5.10.0-beta")):
    with open(path, "r+b") as f:
        f.seek(144)
        f.write(release.ljust(64, b"\0"))
out = os.path.join(WORK, "kernels.pcapng")
run(good, "export", "-o", out)
with open(out, "rb") as f:
    raw = f.read()
blocks, at = [], 0
while at < len(raw):
    kind, size = struct.unpack_from("=II", raw, at)
    blocks.append((kind, raw[at:at + size]))
    at += size
say(b"tcphs on hosts alpha, beta;" in blocks[0][1] and b"Linux" not in blocks[0][1],
    "export to pcapng: the section is of both hosts", blocks[0][1])
equal("export to pcapng: the interface's kernel",
      sorted((b"on alpha" in b, b"Linux 6.1.0-alpha" in b, b"on beta" in b,
              b"Linux 5.10.0-beta" in b) for kind, b in blocks if kind == 1),
      [(False, False, True, True), (True, True, False, False)])

subprocess.run(["rm", "-rf", WORK], check=True)
finish()
