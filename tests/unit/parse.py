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
import sys
import tempfile

OUT = sys.argv[1]
TCPHS = os.path.join(OUT, "tcphs")
DATA = "../data"
ENV = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC", COLUMNS="100",
           ASAN_OPTIONS="exitcode=99", UBSAN_OPTIONS="exitcode=99",
           LSAN_OPTIONS="suppressions=lsan.supp:print_suppressions=0")
SANITIZED = "sanitized" in OUT
dice = random.Random(7)
failed = False


def say(good, name, note=""):
    global failed
    print("%s %s" % ("ok" if good else "not ok", name))
    if not good:
        failed = True
        for line in str(note).splitlines()[:20]:
            print("# " + line[:300])


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

    sys.exit(failed)
