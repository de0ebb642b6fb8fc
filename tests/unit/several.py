#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Recordings that miss records, read together with others: what is told of them is
what is told of each alone, unless another one has what is missing.

usage: several.py DIRECTORY-OF-PROGRAMS
"""
import collections
import glob
import json
import os
import random
import struct
import subprocess
import tempfile

from cuts import skip
from loss import CPU, HOW, KIND_LOST, LOST, N, load, lose, ts
from program import DATA, ENV, OUT, TCPHS
from recording import HEADER, RECORD, split
from tap import finish, say

SOME = 1 << 5
SESSION, WALL, ONLY, MISSING, HOST, BOOT, COMPLETE = 32, 40, 64, 68, 80, 208, 224
NETNS, KIND, UNTIL = 24, 30, 88
SEND_RESET, TIMEWAIT_END = 1, 8
SEEDS = 24
WORK = tempfile.mkdtemp()


def run(paths, *args):
    command = [TCPHS, *args]
    for path in paths:
        command += ["-r", path]
    done = subprocess.run(command, env=ENV, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def told(paths, command="timeline"):
    return [json.loads(line) for line in run(paths, command, "--json").splitlines()]


def connections(paths, of=None):
    """By their beginnings; `of`: those of one host only"""
    rows = [row for row in told(paths) if row["kind"] == "connection"]
    return [row for row in rows
            if of in (None, row["client"]["host"], row["server"]["host"])]


def shape(con):
    def side(s):
        return s["addr"], s["port"], s["isn"], s["states"]
    return (con["record"], con["open"], con["close"], con["start"], con["bytes"],
            con["retransmits"], side(con["client"]), side(con["server"]))


def save(name, raw):
    path = os.path.join(WORK, name + ".tcphs")
    with open(path, "wb") as f:
        f.write(raw)
    return path


def put(raw, at, what, value):
    raw = bytearray(raw)
    struct.pack_into(what, raw, at, value)
    return bytes(raw)


def get(raw, at):
    return struct.unpack_from("=Q", raw, at)[0]


def play(path):
    """The recording of a scene"""
    to = os.path.join(WORK, "played.tcphs")
    subprocess.run([os.path.join(OUT, "scene_test"), "-o", to, path], check=True)
    with open(to, "rb") as f:
        return f.read()


def scene(name):
    return os.path.join(DATA, name + ".scene")


def host(raw, name, number):
    """The recording of another host"""
    raw = put(put(raw, SESSION, "=Q", number), BOOT, "=16s", bytes([number] * 16))
    return put(raw, HOST, "64s", name.encode())


def overwritten(raw):
    """Where a CPU's records begin stands what is lost before, and the header says
    since when there is none such"""
    rows, complete = [], 0
    for row in split(raw):
        if row[KIND] == KIND_LOST:
            complete = max(complete, get(row, UNTIL))
            row = put(row, 0, "=Q", get(row, UNTIL))
        rows.append(row)
    rows.sort(key=lambda row: (ts(row), row[KIND] != KIND_LOST))
    return put(raw[:HEADER], COMPLETE, "=Q", complete) + b"".join(rows)


header, records = load("behaviours")
head, rest = load("loopback")
beta = save("beta", host(head + b"".join(rest), "beta", 7))

# ---- a ring that was overwritten ------------------------------------------

for how in range(3):
    twice, two = [], []
    for seed in range(how, SEEDS, 3):
        raw = overwritten(lose(header, records, HOW[how], random.Random(seed)))
        path = save("over", raw)
        once = connections([path])
        twice += [(seed, con) for con in connections([path, path])
                  if con not in once]
        once = list(map(shape, once))
        of = told([path], "events")[0]["host"]
        two += [(seed, shape(con)) for con in connections([path, beta], of)
                if shape(con) not in once]
    name = "overwritten, dealt %s, " % HOW[how]
    say(not twice, name + "read twice: told as once", twice[:3])
    say(not two, name + "with another host: told as alone", two[:3])

# The lines of one host, whose times are on another one's clock.
beta = save("beta", put(host(head + b"".join(rest), "beta", 7), WALL, "=q", 10**18))
rows = [row for row in told([beta, path], "events")
        if row["kind"] != "host" and row["host"] == of]
alone, of_two = [save(name, "".join(json.dumps(row) + "\n" for row in lines).encode())
                 for name, lines in (("alone", told([path], "events")),
                                     ("of-two", rows))]
verdicts = [[(con["record"], con["open"], con["close"], con["client"]["port"])
             for con in connections([name])] for name in (alone, of_two)]
say(verdicts[0] == verdicts[1], "JSON of two hosts, the second one's lines read back",
    verdicts)
shift = {row["ts"] - ts(record) for row in rows for record in split(raw)
         if (row["cpu"], row["n"]) == (record[CPU], get(record, N))}
say({row["complete"] for row in rows} == {get(raw, COMPLETE) + max(shift)},
    "... complete is on the same clock", rows[0])

# ---- names of sockets -----------------------------------------------------

for name, raw in (("real", header + b"".join(records)),
                  ("a listener without a name", play(scene("three_way")))):
    path = save("names", raw)
    names = [[(row["sock"], row.get("listener")) for row in told(paths, "events")
              if row["kind"] != "host" and row["host"] != "beta"]
             for paths in ([path], [path, beta])]
    say(names[0] == names[1], "JSON of two hosts, names of sockets: %s" % name,
        [pair for pair in zip(*names) if pair[0] != pair[1]][:3])

# ---- records that were lost on the way ------------------------------------

truth = connections([save("whole", header + b"".join(records))])

for how in range(3):
    twice, pieces = [], []
    for seed in range(how, SEEDS, 3):
        raw = skip(header, records, HOW[how], random.Random(seed))
        path = save("skip", raw)
        once = connections([path])
        twice += [(seed, con) for con in connections([path, path]) if con not in once]
        # Two readers: the second one came later, and neither has what was lost.
        rows = split(raw)
        at = [row[KIND] for row in rows].index(KIND_LOST)
        parts = [save("part1", raw[:HEADER] + b"".join(rows[:at])),
                 save("part2", raw[:HEADER] + b"".join(rows[at + 1:]))]
        pieces += [(seed, shape(con)) for con in connections(parts[::-1])
                   if shape(con) not in map(shape, once)]
    name = "lost on the way, dealt %s, " % HOW[how]
    say(not twice, name + "read twice: told as once", twice[:3])
    say(not pieces, name + "two pieces without the loss in between: as one", pieces[:3])

# Two that lost some, in part the same.
of_cpu = [row for row in records if row[CPU] == records[0][CPU]]


def lacking(name, begin, end):
    """A recording without these of the CPU's records"""
    gone = of_cpu[begin:end]
    row = LOST.pack(ts(of_cpu[begin - 1]), get(gone[0], N), 0, 0, gone[0][CPU],
                    KIND_LOST, 0, len(gone), ts(of_cpu[begin - 1]), ts(of_cpu[end]))
    rows = [row if old == gone[0] else old for old in records if old not in gone[1:]]
    rows.sort(key=ts)
    return save(name, header + b"".join(rows))


for name, other, both in (("another part", (90, 120), None),
                          ("the end of it, too", (65, 120), (65, 80)),
                          ("the beginning of it, too", (20, 70), (50, 70)),
                          ("more", (20, 120), (50, 80))):
    paths = [lacking("first", 50, 80), lacking("second", *other)]
    lost = [(row["n"], row["count"], row["ts"], row["until"])
            for row in told(paths, "events") if row["kind"] == "lost"]
    say(lost == [] if not both else
        lost == [(get(of_cpu[both[0]], N), both[1] - both[0],
                  ts(of_cpu[both[0] - 1]), ts(of_cpu[both[1]]))],
        "two that lost records, the second one %s: what both lost" % name, lost)
    if not both:
        say(connections(paths) == truth, "... all is told")

# ---- of one network namespace ---------------------------------------------


def scoped(name, raw, netns, without=0):
    """What a reader that may see this one alone gets, perhaps too late for the first
    ones: its numbers are its own"""
    rows, numbers = [], {}
    for row in split(raw):
        if get(row, NETNS) & 0xffffffff != netns:
            continue
        if without:
            without -= 1
            continue
        numbers[row[CPU]] = numbers[row[CPU]] + 1 if row[CPU] in numbers else ts(row)
        rows.append(put(row, N, "=Q", numbers[row[CPU]]))
    return save(name, put(raw[:HEADER], ONLY, "=I", netns) + b"".join(rows))


def lines(name, *paths):
    return save(name, "".join(json.dumps(row) + "\n" for path in paths
                              for row in told([path], "events")).encode())


def plain(paths, of=None):
    """The rows, without what belongs to a stream"""
    return sorted(str({key: row[key] for key in row if key not in ("n", "complete")})
                  for row in told(paths, "events")
                  if row["kind"] != "host" and of in (None, row["netns"]))


# Some happened at once: of one namespace, and of two.
at_once, alike, place = list(records), set(), {}
for at, row in enumerate(at_once):
    before = place.get(row[CPU])
    if before is not None:
        kind = get(at_once[before], NETNS) == get(row, NETNS)
        if kind not in alike:
            at_once[at] = put(row, 0, "=Q", ts(at_once[before]))
            alike.add(kind)
    place[row[CPU]] = at
at_once.sort(key=ts)
raw = header + b"".join(at_once)
whole = save("whole", raw)
spaces = collections.Counter(row["netns"] for row in told([whole], "events")
                             if row["kind"] != "host")
wrong = []
for netns in spaces:
    one, late = scoped("one", raw, netns), scoped("late", raw, netns, spaces[netns] // 3)
    json_of = {path: lines(os.path.basename(path) + "-lines", path)
               for path in (one, late, whole)}
    good, all_of = plain([whole], netns), plain([whole])
    for paths, want in (
            ([one], good), ([one, one], good), ([one, late], good), ([late, one], good),
            ([one, whole], all_of), ([whole, late], all_of),
            ([json_of[one], whole], all_of), ([one, json_of[whole]], all_of),
            ([json_of[late], one], good), ([lines("both", one, late)], good),
            ([lines("both-of-all", whole, late)], all_of)):
        if plain(paths) != want:
            wrong.append((netns, list(map(os.path.basename, paths)), len(plain(paths)),
                          len(want)))
two = [scoped("of%d" % netns, raw, netns) for netns in spaces]
say(len(spaces) > 1 and len(alike) == 2 and not wrong,
    "of one namespace, with others of it, or of all: each record once", wrong)
say(plain(two) == plain([whole]), "of each namespace: together they are all")

# As many connections as the whole machine's recording has, when some were lost.
wrong = []
for seed in range(SEEDS):
    lossy = lose(header, records, HOW[seed % 3], random.Random(seed))
    of_all = save("lossy", lossy)
    for netns in spaces:
        rows, numbers = [], {}
        for row in split(lossy):
            cpu = row[CPU]
            if row[KIND] == KIND_LOST:
                numbers[cpu] = numbers[cpu] + 1 if cpu in numbers else 0
                row = put(row, KIND + 1, "=B", SOME)
            elif get(row, NETNS) & 0xffffffff != netns:
                continue
            else:
                numbers[cpu] = numbers[cpu] + 1 if numbers.get(cpu) else ts(row)
            rows.append(put(row, N, "=Q", numbers[cpu]))
        one = save("lossy%d" % netns, put(lossy[:HEADER], ONLY, "=I", netns) + b"".join(rows))
        of_one = [con for con in connections([of_all])
                  if netns in (con["netns"], con["client"]["netns"], con["server"]["netns"])]
        if len(connections([one])) > len(of_one):
            wrong.append((seed, netns, len(connections([one])), len(of_one)))
        lost = [row for row in told([one], "events") if row["kind"] == "lost"]
        if not lost or any(row["count"] is not None for row in lost):
            wrong.append((seed, netns, lost[:2]))
        if lines("back", one) and plain([lines("back", one)]) != plain([one]):
            wrong.append((seed, netns, "read back"))
say(not wrong, "of one namespace, where records were lost: no connection in pieces", wrong)
text = run([one], "events")
say("some records lost" in text and " 1 record lost" not in text,
    "of one namespace: how many were lost is not told", text[:300])

# ---- scenes ---------------------------------------------------------------

wrong = []
for name in sorted(glob.glob(scene("*"))):
    raw = play(name)
    path = save("scene", raw)
    half = len(split(raw)) // 2 * RECORD + HEADER
    halves = [save("half1", raw[:half]), save("half2", raw[:HEADER] + raw[half:])]
    once = told([path])
    wrong += [(os.path.basename(name), how) for how, paths in
              (("twice", [path, path]), ("in halves", halves)) if told(paths) != once]
say(not wrong, "scenes twice and in halves: told as once", wrong)

# ---- what a kernel does not let see ---------------------------------------

seeing, blind = [save("beta%d" % bits, put(host(head + b"".join(rest), "beta", 7),
                                           MISSING, "=I", bits))
                 for bits in (0, SEND_RESET | TIMEWAIT_END)]
for name, missing, word in (("half_close", 0, "TIME_WAIT is not over"),
                            ("half_close", TIMEWAIT_END, "is not observed"),
                            ("forged", 0, "not sent by"),
                            ("forged", SEND_RESET, "not sent by")):
    path = save(name, put(play(scene(name)), MISSING, "=I", missing))
    counts = [run(paths, "timeline", "port", "40000").count(word)
              for paths in ([path], [path, seeing], [path, blind])]
    say(len(set(counts)) == 1, "%s, missing %#x: another host's kernel says nothing of it" %
        (name, missing), (word, counts))

subprocess.run(["rm", "-rf", WORK], check=True)
finish()
