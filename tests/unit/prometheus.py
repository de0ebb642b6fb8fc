#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The text format for Prometheus: whole, without a series that comes twice, and
with the numbers that `list --json` has; a file is replaced at once. promtool
judges it too, where there is one: scripts/dependencies.sh fleet gets it.

usage: prometheus.py DIRECTORY-OF-PROGRAMS
"""
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile

from program import DATA, ENV, TCPHS
from tap import finish, say


def run(*args, **more):
    p = subprocess.run([TCPHS, *args], env=ENV, capture_output=True, timeout=120, **more)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


SAMPLE = re.compile(r'(\w+)(?:\{(\w+="(?:[^"\\]|\\.)*"(?:,\w+="(?:[^"\\]|\\.)*")*)\})? (\S+)$')


def parse(text):
    """{(name, labels): value}; what is wrong with the text"""
    samples, wrong, of, done = {}, [], None, set()
    for line in text.splitlines():
        word = line.split(" ", 3)
        if word[:2] == ["#", "HELP"]:
            of = word[2]
            if of in done or len(word) < 4:
                wrong.append("again, or empty: " + line)
            done.add(of)
        elif word[:2] == ["#", "TYPE"]:
            if word[2] != of or word[3] not in ("counter", "gauge", "histogram"):
                wrong.append(line)
            if (word[3] == "counter") != of.endswith("_total"):
                wrong.append("no name for a %s: %s" % (word[3], of))
        else:
            m = SAMPLE.match(line)
            if not m or not m.group(1).startswith(of or "?"):
                wrong.append("no sample of %s: %s" % (of, line))
                continue
            if m.group(1, 2) in samples:
                wrong.append("twice: " + line)
            samples[m.group(1, 2)] = float(m.group(3))
    return samples, wrong


PROMTOOL = shutil.which("promtool")
bad, lint = "", ""
for path in sorted(glob.glob(os.path.join(DATA, "*.tcphs"))):
    status, text, err = run("stats", "--prometheus", "-r", path)
    samples, wrong = parse(text)
    if status or err or not text.endswith("\n"):
        wrong.append("%d %s" % (status, err))
    listed = [json.loads(line) for line in run("list", "--json", "-r", path)[1].splitlines()]
    summary = listed[-1]
    times = [c["open_us"] / 1e6 for c in listed
             if c["kind"] == "connection" and c["open_us"] is not None]
    for kind in ("open", "close"):
        for name, count in summary[kind + "s"].items():
            if samples["tcphs_window_%ss" % kind, '%s="%s"' % (kind, name)] != count:
                wrong.append("%s %s: %d listed" % (kind, name, count))
    if samples["tcphs_handshake_seconds_count", None] != len(times) or \
            abs(samples["tcphs_handshake_seconds_sum", None] - sum(times)) > 1e-6:
        wrong.append("%d handshakes, %f s listed" % (len(times), sum(times)))
    last = json.loads(run("events", "--json", "-r", path)[1].splitlines()[-1])["wall"] / 1e9
    if samples.get(("tcphs_window_end_timestamp_seconds", None), last) < last - 1e-5:
        wrong.append("the window ends before the last record, at %f" % last)
    buckets = [(labels[4:-1], v) for (name, labels), v in samples.items()
               if name == "tcphs_handshake_seconds_bucket"]
    for le, count in buckets:
        if sum(t <= float(le) for t in times) != count:
            wrong.append("le=%s: %s, %d listed" % (le, count,
                                                   sum(t <= float(le) for t in times)))
    if len(buckets) != 23 or buckets[-1][0] != "+Inf":
        wrong.append("buckets: %s" % buckets)
    for name, of in (("syns", "syns"), ("unanswered", "dropped")):
        # Where records were lost list counts nothing.
        if None not in [r.get(of, 0) for r in listed] and sum(v for (n, _), v in samples.items() if n == "tcphs_window_listener_" + name) != \
                sum(r[of] for r in listed if r["kind"] == "listener" and r["port"]):
            wrong.append("other listeners' %s" % name)
    if wrong:
        bad += "%s: %s\n" % (os.path.basename(path), "\n".join(wrong))
    if PROMTOOL:
        p = subprocess.run([PROMTOOL, "check", "metrics"], input=text.encode(),
                           capture_output=True)
        if p.returncode or p.stderr or p.stdout:
            lint += (p.stdout + p.stderr).decode()
say(not bad, "--prometheus: well formed, and the numbers of list", bad)
if PROMTOOL:
    say(not lint, "--prometheus: promtool has nothing to say", lint)
else:
    print("ok --prometheus: promtool # SKIP there is none: apt install prometheus")

good = os.path.join(DATA, "loopback.tcphs")
# The records of two hosts in one stream, as an engine gives them back; one has a name
# that no host should have. stats tells their namespaces' own numbers.
with tempfile.NamedTemporaryFile("w", suffix=".json") as both:
    records = [json.loads(line) for line in
               run("events", "--json", "-r", good)[1].splitlines()]
    for more in ({}, {"host": 'a"b\\c', "session": "abcd",
                      "boot": "11111111-2222-3333-4444-555555555555"}):
        both.writelines(json.dumps(dict(r, **more)) + "\n" for r in records)
    both.flush()
    status, text, err = run("stats", "--prometheus", "-r", both.name)
    samples, wrong = parse(text)
    hosts = {re.match(r'host="((?:[^"\\]|\\.)*)",address', labels).group(1)
             for name, labels in samples if name == "tcphs_window_listener_syns"}
    say(not wrong and hosts == {records[0]["host"], r'a\"b\\c'},
        "--prometheus: any host's name, of several", wrong or hosts)
    text = run("stats", "-r", both.name)[1]
    told = set(re.findall("^listener .* netns ([0-9]+) host (.*) record", text, re.M))
    say(told == {(str(r["netns"]), host) for r in records for host in (r["host"], 'a"b\\c')},
        "stats: hosts and their own numbers of namespaces", told)


def begin_later(raw, at, count):
    """The recording of a ring of which one CPU's rest began at `at`: `count` were overwritten"""
    lost = struct.pack("=QQQIHBB36xIQQQ32x", at, 0, 0, 0, 1, 5, 0, 0, count, 0, at)
    head = bytearray(raw[:256])
    struct.pack_into("=I", head, 24, 2)
    struct.pack_into("=Q", head, 56, at + 1)
    struct.pack_into("=Q", head, 224, at)
    rows = [raw[i:i + 128] for i in range(256, len(raw), 128)]
    first = [r for r in rows if struct.unpack_from("=Q", r)[0] < at]
    return bytes(head) + b"".join(first) + lost + b"".join(rows[len(first):])


# Of CPUs whose rings begin at different times the last one begins the window: what was over
# before does not count, nor does what was overwritten then.
with tempfile.NamedTemporaryFile(suffix=".tcphs") as later, open(good, "rb") as f:
    whole = f.read()
    connections = [json.loads(line) for line in
                   run("timeline", "--json", "-r", good)[1].splitlines()]
    connections = [c for c in connections if c["kind"] == "connection"]
    lasts = [max([step["ts"] for step in c["steps"]] +
                 [stay["ts"] or 0 for side in ("client", "server")
                  for stay in c[side]["states"] or []]) for c in connections]
    middle = sorted(lasts)[len(lasts) // 2]
    later.write(begin_later(whole, middle, 545))
    later.flush()
    samples, wrong = parse(run("stats", "--prometheus", "-r", later.name)[1])
    counted = [sum(v for (name, _), v in samples.items() if name == "tcphs_window_" + which)
               for which in ("opens", "closes", "records_lost")]
    want = sum(last >= middle for last in lasts)
    never = sum(c["close"] is None for c, last in zip(connections, lasts) if last >= middle)
    say(not wrong and 0 < want < len(lasts) and counted == [want, want - never, 0],
        "--prometheus: connections that were over before the window do not count",
        "%s %s, not %d of %d" % (wrong, counted, want, len(lasts)))

with tempfile.TemporaryDirectory() as work:
    out = os.path.join(work, "tcphs.prom")
    plain = run("stats", "--prometheus", "-r", good)
    for name in ("a new file", "the same again"):
        status, text, err = run("stats", "--prometheus", "-r", good, "-o", out)
        with open(out, encoding="utf-8") as f:
            say((status, f.read(), err, text) == (0, plain[1], "", ""), name, err)
    say(os.stat(out).st_mode & 0o777 == 0o644, "everybody may read it",
        oct(os.stat(out).st_mode))
    with open(out, "w", encoding="utf-8") as f:
        f.write("before\n")
    status, text, err = run("stats", "--prometheus", "-r", "/nowhere", "-o", out)
    with open(out, encoding="utf-8") as f:
        say(status == 1 and f.read() == "before\n" and "/nowhere" in err,
            "nothing to read: the file is as it was", err)
    # What can be read of a recording that is cut off, as export does.
    half = os.path.join(work, "half.tcphs")
    with open(good, "rb") as f, open(half, "wb") as to:
        to.write(f.read(5000))
    want = run("stats", "--prometheus", "-r", half)
    status, text, err = run("stats", "--prometheus", "-r", half, "-o", out)
    with open(out, encoding="utf-8") as f:
        say((status, f.read(), err, text) == (1, want[1], want[2], "") and
            "truncated" in err, "a recording that is cut off", err)
    os.unlink(half)
    say(os.listdir(work) == ["tcphs.prom"], "no other file is left", os.listdir(work))
    status, _, err = run("stats", "--prometheus", "-r", good, "-o", work + "/no/x.prom")
    say(status == 1 and "No such file" in err, "no such directory", err)
    status, text, err = run("stats", "--prometheus", "-r", good, "-o", "-")
    say((status, text) == plain[:2], "-o -: standard output", err)
for args, words in ((("stats", "--json", "--prometheus"), "not both"),
                    (("stats", "-o", "x"), "-o goes with --prometheus"),
                    (("list", "--prometheus"), "does not take --prometheus")):
    status, _, err = run(*args, "-r", good)
    say(status == 2 and words in err, " ".join(args) + ": refused", err)
finish()
