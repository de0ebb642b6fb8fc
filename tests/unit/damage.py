#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Recordings that are cut, damaged, foreign, newer or of the other byte order:
each is told of by a message and an exit status, and none brings the reader down.

usage: damage.py DIRECTORY-OF-PROGRAMS
"""
import os
import random
import struct
import subprocess
import tempfile

from program import DATA, ENV, OUT, TCPHS
from recording import HEADER, RECORD, split
from tap import finish, say


def run(raw, *args, path=None):
    """(status, standard output, standard error) of the reader on these bytes"""
    with tempfile.NamedTemporaryFile() as f:
        f.write(raw)
        f.flush()
        p = subprocess.run([TCPHS, *args, "-r", path or f.name], env=ENV,
                           capture_output=True, timeout=60)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def scene(name):
    with tempfile.NamedTemporaryFile() as f:
        subprocess.run([os.path.join(OUT, "scene_test"), "-o", f.name,
                        os.path.join(DATA, name + ".scene")], check=True)
        return f.read()


def expect(name, raw, status, words, *args, out=None):
    got, text, err = run(raw, *(args or ("events",)))
    good = got == status and words in err and (out is None or text == out)
    say(good, name, "status %d, expected %d\nmessage: %sexpected in it: %s" %
        (got, status, err, words))


def put(raw, at, data):
    return raw[:at] + data + raw[at + len(data):]


# What follows the common part of each record, by its kind: struct's letters.
BIRTH = {1: "4B QII 8x II 16s HBBI"}
REQUEST = "4B 6I II QIHH HBBI"
PAYLOAD = {1: "4B 6I II 16s HBBI", 2: "4B III HH 40s", 3: "4B I BBH 6I II 16s",
           4: "I QQQ IIIIIIII", 5: "4x QQQ 32s", 6: "B3x QQ I 12x II 16s"}
HEADER_FORMAT = "8s I HH IIII Q q QQ II BB 6x 64s 64s 16s Q 24s"


def swapped(raw):
    """The same recording as a machine of the other byte order writes it"""
    def swap(fmt, data):
        fmt = fmt.replace(" ", "")
        return struct.pack(">" + fmt, *struct.unpack("<" + fmt, data))

    new = swap(HEADER_FORMAT, raw[:HEADER])
    for at in range(HEADER, len(raw), RECORD):
        r = raw[at:at + RECORD]
        kind, birth = r[30], r[30] == 1 and r[68 + 3] & 0x80
        new += swap("QQQ I H BB 16s 16s HH", r[:68])
        if kind == 1 and r[68 + 2] == 2:
            new += swap(REQUEST, r[68:])
        else:
            new += swap((BIRTH if birth else PAYLOAD)[kind], r[68:])
    return new


def main():
    good = scene("three_way")
    records = (len(good) - HEADER) // RECORD
    status, whole, err = run(good, "events")
    rows = whole.splitlines(True)
    say(status == 0 and len(rows) == records and not err, "a good recording",
        err)

    expect("empty", b"", 1, "empty")
    expect("foreign", b"\x7fELF" + bytes(1000), 1, "not a tcphs recording")
    expect("a few foreign bytes", b"hello", 1, "not a tcphs recording")
    expect("cut in its header", good[:100], 1, "truncated in its header")
    expect("a header only", good[:HEADER], 0, "", out="")
    for cut in (1, 64, 127):
        expect("cut %d bytes into its 6th record" % cut,
               good[:HEADER + 5 * RECORD + cut], 1,
               "record 6 has %d of 128 bytes" % cut,
               out="".join(rows[:5]))
    expect("cut between records", good[:HEADER + 5 * RECORD], 0, "",
           out="".join(rows[:5]))
    expect("newer", put(good, 12, struct.pack("<H", 2)), 1,
           "format 2.0 is newer")
    expect("a byte order that does not exist", put(good, 8, b"\4\3\1\2"), 1,
           "byte order")
    expect("records of 0 bytes", put(good, 20, bytes(4)), 1, "header damaged")
    expect("a header of 4 GB", put(good, 16, b"\xff\xff\xff\xff"), 1,
           "header damaged")
    status, _, err = run(b"", "events", path="/nowhere")
    say(status == 1 and "/nowhere: No such file" in err, "no such file", err)

    # One damaged record: named, left out, and the rest is told.
    for what, at, data in (("kind", 30, b"\x63"), ("state", 68, b"\x0c"),
                           ("state", 69, b"\0"), ("via", 70, b"\x09"),
                           ("CPU number", 28, b"\xff\xff"),
                           ("record number or time", 0, b"\xff" * 8)):
        raw = put(good, HEADER + 1 * RECORD + at, data)
        status, text, err = run(raw, "events")
        kept = [r for r in text.splitlines(True) if "lost on CPU" not in r]
        say(status == 1 and "record 2 is damaged (%s)" % what in err and
            kept == rows[:1] + rows[2:] and "1 record lost on CPU 0" in text,
            "a damaged record: %s" % what, err + text)
    status, text, err = run(put(good, HEADER + RECORD + 30, b"\x63"),
                            "timeline", "--strict")
    say(status == 1 and "lossy" in text,
        "a connection with a damaged record is lossy", text)

    # A later minor version: longer header and records, kinds of its own.
    raw = put(good[:HEADER], 14, struct.pack("<HII", 1, HEADER + 64,
                                             RECORD + 16)) + bytes(64)
    for i in range(records):
        at = HEADER + i * RECORD
        raw += good[at:at + RECORD] + b"new field 123456"
    expect("a newer minor version", raw, 0, "", out=whole)
    at = HEADER + 64 + 3 * (RECORD + 16) + 30
    status, text, err = run(put(raw, at, b"\x63"), "events")
    say(status == 0 and not err, "a newer minor version's new kind", err)

    # --strict
    lossy = scene("lossy")
    say(run(lossy, "timeline", "--strict")[0] == 4, "--strict, lossy: 4")
    say(run(lossy, "timeline")[0] == 0, "not strict, lossy: 0")
    say(run(good, "timeline", "--strict")[0] == 0, "--strict, complete: 0")

    # The other byte order: the same words.
    for name in sorted(os.listdir(DATA)):
        if not name.endswith(".scene"):
            continue
        raw = scene(name[:-6])
        for args in (("events", "--json"), ("timeline", "--json")):
            one, two = run(raw, *args), run(swapped(raw), *args)
            if one != two:
                break
        say(one == two, "%s in the other byte order" % name,
            "%s\n%s" % (one[1:], two[1:]))

    # Whatever bits are flipped: a message perhaps, never a crash.
    dice = random.Random(1)
    bad = ""
    names = ("three_way", "cookie", "simultaneous_close", "reuse_passive",
             "lossy", "keepalive")
    for i in range(240):
        raw = bytearray(scene(names[i % len(names)]))
        for _ in range(dice.choice((1, 1, 10, 100))):
            raw[dice.randrange(HEADER if i % 4 else 0, len(raw))] ^= \
                1 << dice.randrange(8)
        if i % 5 == 0:
            body = split(raw)
            dice.shuffle(body)
            raw[HEADER:] = b"".join(body)
        args = (("timeline",), ("timeline", "--json"), ("list",), ("events",),
                ("events", "--json"))[i % 5]
        try:
            status, _, err = run(bytes(raw), *args)
        except (subprocess.TimeoutExpired, UnicodeDecodeError) as e:
            status, err = -1, str(e)
        if status not in (0, 1):
            bad += "flip %d, %s: status %d\n%s\n" % (i, args, status,
                                                    err[-1500:])
    say(not bad, "240 recordings with flipped bits", bad)
    finish()


if __name__ == "__main__":
    main()
