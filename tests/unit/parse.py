#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Records as JSON, read back: what is told of them is what is told of the
recording, byte for byte, also where an engine has written them its own way,
in another order, or more than once. And JSON that is no record, or half a one.

usage: parse.py DIRECTORY-OF-PROGRAMS
"""
import glob
import json
import os
import random
import subprocess
import tempfile

import program
from program import DATA, OUT, TCPHS
from tap import finish, say

ENV = dict(program.ENV, COLUMNS="100")
dice = random.Random(7)


def run(args, data=None, paths=()):
    command = [TCPHS] + args.split()
    for path in paths or ["-"]:
        command += ["-r", path]
    p = subprocess.run(command, env=ENV, input=data, capture_output=True, timeout=300)
    return p.returncode, p.stdout, p.stderr.decode()


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def text(objects):
    return "".join(json.dumps(o, separators=(",", ":")) + "\n"
                   for o in objects).encode()


# ---- as engines write it -----------------------------------------------------

def quoted(row):
    """Numbers and truth as text, arrays and objects too: ClickHouse's String."""
    def value(name, v):
        if isinstance(v, bool):
            return int(v)
        if isinstance(v, int):
            return str(v)
        if name == "flags":
            return "[" + ",".join("'%s'" % f for f in v) + "]"
        if isinstance(v, (dict, list)):
            return json.dumps(v)
        return v

    return {name: value(name, v) for name, v in row.items()}


def table(objects):
    """Every column in every row, null where it says nothing."""
    names = sorted({name for o in objects for name in o})
    return [{name: o.get(name) for name in names} for o in objects]


def sparse(row):
    """What is unknown is not there."""
    return {name: v for name, v in row.items() if v is not None}


def flat(row):
    """The options as columns, and their bytes were not kept."""
    row = dict(row)
    for name, v in (row.pop("options", None) or {}).items():
        row["options." + name] = v
    row.pop("option_bytes", None)
    row.pop("header", None)
    return row


def shuffled(objects):
    objects = list(objects)
    dice.shuffle(objects)
    return objects


COMMANDS = ("timeline", "timeline --explain", "timeline --json", "list", "list --json",
            "events", "events --json", "live --json")
VARIANTS = (
    ("as it is", lambda o: o, COMMANDS),
    ("numbers as text", lambda o: [quoted(r) for r in o], COMMANDS),
    ("a table's rows", table, COMMANDS[::3]),
    ("without what is null", lambda o: [sparse(r) for r in o], COMMANDS[::3]),
    ("shuffled", shuffled, COMMANDS),
    ("options as columns", lambda o: [flat(r) for r in o], ("timeline", "list")),
)

with tempfile.TemporaryDirectory() as work:
    recordings = sorted(glob.glob(os.path.join(DATA, "*.tcphs")))
    for scene in sorted(glob.glob(os.path.join(DATA, "*.scene"))):
        name = os.path.basename(scene)[:-6]
        recordings.append(os.path.join(work, name + ".tcphs"))
        subprocess.run([os.path.join(OUT, "scene_test"), "-o", recordings[-1], scene],
                       check=True)
    expected = {}
    for path in recordings:
        for command in COMMANDS:
            expected[path, command] = run(command, paths=[path])[:2]
    for name, change, commands in VARIANTS:
        for command in commands:
            wrong = ""
            for path in recordings:
                objects = rows(expected[path, "events --json"][1])
                status, out, err = run(command, text(change(objects)))
                if (status, out) != expected[path, command] or \
                        (err and not command.startswith("live")):
                    wrong += "%s: %d %s" % (os.path.basename(path), status, err)
                    for a, b in zip(expected[path, command][1].decode().splitlines(),
                                    out.decode().splitlines()):
                        if a != b:
                            wrong += "\n%s\n%s\n" % (a, b)
                            break
            say(not wrong, "read back, %s: %s, of %d recordings" %
                (name, command, len(recordings)), wrong)

    # Through files of their own kind, too.
    for suffix in ("pcapng", "svg", "mmd"):
        wrong = ""
        for path in recordings:
            one, two = (os.path.join(work, "%d.%s" % (i, suffix)) for i in (1, 2))
            source = os.path.join(work, "x")    # recognised by what is in it
            with open(source, "wb") as f:
                f.write(expected[path, "events --json"][1])
            first = run("export -o " + one, paths=[path])
            second = run("export -o " + two, paths=[source])
            if first != second or open(one, "rb").read() != open(two, "rb").read():
                wrong += "%s: %s %s\n" % (path, first, second)
        say(not wrong, "exported from JSON: " + suffix, wrong)

    # ---- twice ---------------------------------------------------------------

    behaviours = os.path.join(DATA, "behaviours.tcphs")
    whole = rows(expected[behaviours, "events --json"][1])
    for name, objects, times in (("each twice", whole + whole, len(whole)),
                                 ("some thrice, shuffled",
                                  shuffled(whole + 2 * whole[::3]), 2 * len(whole[::3]))):
        for command in ("timeline", "list", "events --json"):
            status, out, err = run(command, text(objects))
            say((status, out) == expected[behaviours, command] and
                "%d records came more than once: told once" % times in err,
                "%s: %s" % (name, command), "%d %s" % (status, err))

    # What one reader lost and another one delivered is not lost.
    of_all = {"kind", "cpu", "n", "ts", "netns", "family", "saddr", "sport", "daddr", "dport",
              "sock"}
    lossy = rows(run("events --json", paths=(os.path.join(DATA, "overwritten.tcphs"),))[1])
    say({r["kind"] for r in lossy} >= {"lost", "transition", "segment", "destroy"} and
        all(of_all <= r.keys() for r in lossy) and
        all(r["sock"] is r["netns"] is None for r in lossy if r["kind"] == "lost"),
        "what all kinds have, lost records too")

    gap = {"kind": "lost", "cpu": whole[20]["cpu"], "n": whole[20]["n"],
           "ts": whole[20]["ts"] + 1, "wall": whole[20]["wall"] + 1, "since": 0,
           "count": 1}
    gap.update({name: whole[20][name] for name in ("host", "boot", "session")})
    status, out, err = run("events --json", text(whole + [gap]))
    say((status, out) == expected[behaviours, "events --json"] and not err,
        "a gap that another reader filled", err)
    status, out, err = run("timeline --strict", text(whole[:20] + [gap] + whole[21:]))
    say(status == 4 and b"lossy" in out and not err, "a gap that nobody filled", err)
    status, out, err = run("timeline --strict", text(whole[:20] + whole[21:]))
    say(status == 0 and not err, "a query that left a record out: nothing is lost", err)

    # ---- several hosts in one stream -----------------------------------------

    CLIENT, SERVER = 4026532281, 4026532230

    def host(netns, name, boot, shift):
        """The records of one namespace, as a machine of its own has them."""
        own = [dict(r, host=name, boot=boot, session="%016x" % len(boot * shift),
                    ts=r["ts"] + shift, netns=4026531840)
               for r in whole if r.get("netns") == netns]
        for r in own:
            if r["kind"] == "lost" and r["since"]:
                r["since"] += shift
        return own

    alpha = host(CLIENT, "alpha", "01" * 16, 1)
    beta = host(SERVER, "beta", "02020202-0202-0202-0202-020202020202", 86400)
    for r in beta:
        r["ts"] += 86400 * 10**9 - 86400
    files = []
    for name, objects in (("alpha", alpha), ("beta", beta)):
        one, two = os.path.join(work, name + ".json"), os.path.join(work, name + ".tcphs")
        with open(one, "wb") as f:
            f.write(text(objects))
        status, _, err = run("record -o " + two, paths=[one])
        say(status == 0 and not err, "record: from JSON, %s" % name, err)
        files.append(two)
        again = run("events --json", paths=[two])
        say(again == run("events --json", paths=[one]) and not again[2],
            "record: from JSON, %s: the same" % name, again[2])
    for command in COMMANDS:
        two = run(command, paths=files)
        say(b"alpha" in two[1] and b"beta" in two[1] and two[0] == 0 and
            (command != "timeline" or b"clock of beta: -86399.99" in two[1]),
            "two hosts: %s: they are told apart" % command, two)
        for name, objects in (
                ("one after the other", alpha + beta),
                ("mixed", alpha[:1] + shuffled(alpha[1:] + beta)),
                ("mixed, numbers as text",
                 [quoted(r) for r in alpha[:1] + shuffled(alpha[1:] + beta)])):
            got = run(command, text(objects))
            say(got == two, "two hosts, %s: %s: as of two recordings" % (name, command),
                "%d %s\n%s\n%s" % (got[0], got[2], got[1][:500].decode(),
                                   two[1][:500].decode()))
    got = run("timeline", paths=[os.path.join(work, "alpha.json"), files[1]])
    say(got == run("timeline", paths=files), "two hosts: JSON and a recording", got[2])
    status, _, err = run("record -o " + os.path.join(work, "x.tcphs"), text(alpha + beta))
    say(status == 1 and "records of 2 hosts or loads" in err,
        "record: of two hosts there is no one recording", err)

    # ---- what is wrong is named, the rest is told ------------------------------

    lines = expected[behaviours, "events --json"][1].splitlines(True)
    plain = [line.rstrip() for line in lines]

    def spoilt(name, line, words, at=7):
        data = b"".join(lines[:at] + [line] + lines[at + 1:])
        status, out, err = run("events --json", data)
        kept = out.splitlines()
        say(status == 1 and "line %d is left out: " % (at + 1) in err and words in err and
            kept == plain[:at] + plain[at + 1:], "a bad line: " + name,
            "%d %s" % (status, err))

    def other(**values):
        row = json.loads(lines[7])
        for name, v in values.items():
            if v is KeyError:
                row.pop(name)
            else:
                row[name] = v
        return text([row])

    kinds = {r["kind"]: i for i, r in reversed(list(enumerate(rows(b"".join(lines)))))}

    def of_kind(kind, **values):
        row = json.loads(lines[kinds[kind]])
        row.update(values)
        return text([row]), kinds[kind]

    spoilt("no JSON", b"Code: 241. DB::Exception: Memory limit\n", "no JSON")
    spoilt("half a line", lines[7][:90] + b"\n", "no JSON")
    spoilt("not an object", b"[17]\n", "not an object")
    spoilt("no kind", other(kind=KeyError), "kind is missing")
    spoilt("a newer kind", other(kind="future"), "kind is unknown, of a newer tcphs: future")
    spoilt("a connection", b'{"kind":"connection"}\n', "connection is no record")
    spoilt("no number", other(n=KeyError), "n is missing")
    spoilt("a number as an object", other(ts={}), "ts is no whole number")
    spoilt("a number with a point", other(ts=1.5), "ts is no whole number")
    spoilt("a number that is too large", other(cpu=65536), "cpu is out of its range")
    spoilt("a number below 0", other(n=-1), "n is out of its range")
    spoilt("words for a number", other(sport="http"), "sport is no whole number")
    spoilt("an address", other(saddr="localhost"), "saddr is no address: localhost")
    spoilt("a family", other(family="ipx"), "family is unknown: ipx")
    spoilt("a boot", other(boot="yesterday"), "boot is no UUID")
    spoilt("a session", other(session="none"), "session is not hexadecimal")
    spoilt("a year", other(wall=2**63 - 1), "wall is in no year")
    spoilt("the same member twice", b'{"kind":"lost","kind":"lost"}\n', "no JSON")
    spoilt("longer than any record", b'{"kind":"' + b"x" * (1 << 20) + b'"}\n',
           "longer than 1 MiB")
    spoilt("control characters", other(kind="\033[2J"), "kind is unknown, of a newer tcphs: ?[2J")
    for name, kind, words, values in (
            ("a state", "transition", "new is unknown: OPEN", {"new": "OPEN"}),
            ("a flag", "segment", "flags has an unknown one", {"flags": ["SYN", "NEW"]}),
            ("flags as text", "segment", "flags has an unknown one", {"flags": "SYN NEW"}),
            ("flags as a number", "segment", "flags is no array", {"flags": 2}),
            ("a direction", "segment", "dir is neither in nor out", {"dir": "up"}),
            ("truth", "segment", "retransmit is neither true nor false",
             {"retransmit": 2}),
            ("the bytes of options", "segment", "option_bytes is not hexadecimal",
             {"option_bytes": "0x02"}),
            ("too many options", "segment", "option_bytes is not hexadecimal, or too long",
             {"option_bytes": "01" * 41}),
            ("options", "segment", "options is no object as text",
             {"options": "mss 1460", "option_bytes": None}),
            ("an error", "reset", "error is unknown: EWHAT", {"error": "EWHAT"})):
        line, at = of_kind(kind, **values)
        spoilt("%s: %s" % (kind, name), line, words, at)

    status, out, err = run("events --json", b"".join(lines)[:-30])
    say(status == 1 and "truncated: line %d has no end" % len(lines) in err and
        out.splitlines() == plain[:-1], "truncated", err)
    status, out, err = run("events --json", b"".join(lines)[:-1])
    say((status, out.splitlines(), err) == (0, plain, ""), "no newline at the end", err)
    status, out, err = run("events --json", b"".join(lines[:9] + [b"?\n"] * 50 + lines[9:]))
    say(status == 1 and "50 lines are left out in all" in err and
        err.count("\n") == 9 and out.splitlines() == plain, "many bad lines", err)
    status, out, err = run("events --json", b"\xef\xbb\xbf \r\n" +
                           b"\r\n\n".join(x.rstrip() for x in lines) + b"\r\n\r\n")
    say((status, out.splitlines(), err) == (0, plain, ""),
        "a mark of the byte order, empty lines, CR", err)
    status, out, err = run("events --json", text([dict(r, pod="web-7", shard=3) for r in whole]))
    say(status == 0 and out.splitlines() == plain and err.count("\n") == 1 and
        '%d records have members that this tcphs does not know ("pod")' % len(whole) in err,
        "unknown members", err)
    status, out, err = run("events --json", text([dict(r, wall=None) for r in whole]))
    say(status == 0 and 'without "wall"' in err and len(out.splitlines()) == len(plain),
        "no wall time", err)
    said = {row["wall"] for row in rows(out)}
    status, _, again = run("events --json", out)
    say(said == {None} and (status, again) == (0, err), "no wall time, read back",
        "%s %s" % (said, again))
    status, out, err = run("events --json", b'{"kind":"host","host":"x"}\n')
    say(status == 1 and "no record in it" in err, "no record", err)
    status, out, err = run("events --json", b"[\n" + b"".join(lines) + b"]\n")
    say(status == 1 and "line 1 is left out" in err and out.splitlines() == plain,
        "an array", err)
    status, out, err = run("events -f", b"".join(lines))
    say(status == 2 and "does not go with -f" in err and not out, "-f", err)
    finish()
