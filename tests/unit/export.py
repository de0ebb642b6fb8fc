#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""`tcphs export`: packets against the recording (export_test), pictures against
the timeline's JSON, and what happens when the file cannot be written.

usage: export.py DIRECTORY-OF-PROGRAMS
"""
import json
import os
import random
import re
import resource
import signal
import struct
import subprocess
import tempfile
import xml.etree.ElementTree as ET

from program import DATA, ENV, OUT, TCPHS
from tap import finish, relay, say

SVG = "{http://www.w3.org/2000/svg}"


def export(recording, to, *args, **how):
    p = subprocess.run([TCPHS, "export", "-r", recording, "-o", to, *args],
                       env=ENV, capture_output=True, timeout=60, **how)
    return p.returncode, p.stderr.decode()


def relative(number, isn):
    return number if isn is None else (number - isn) % 2 ** 32


def label(c, step):
    """What stands at a segment's arrow"""
    one, two = c["client"]["isn"], c["server"]["isn"]
    if step["from"] == "server":
        one, two = two, one
    flags = step["flags"]
    text = ",".join(flags) if flags else "none"
    reset = "RST" in flags and step["seq"] == 0
    text += " seq=%d" % (0 if reset else relative(step["seq"], one))
    if "SYN" in flags:
        text += " [%d]" % step["seq"]
    if "ACK" in flags:
        text += " ack=%d" % relative(step["ack"], two)
    if step["len"]:
        text += " len=%d" % step["len"]
    return text


def check_svg(name, path, told):
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError as e:
        say(False, "%s: the SVG is XML" % name, str(e))
        return None
    texts = [t.text or "" for t in root.iter(SVG + "text")]
    width, height = int(root.get("width")), int(root.get("height"))
    lacking, outside = [], []
    for c in told:
        for step in c["steps"]:
            if step["flags"]:
                want = label(c, step)
                if want in texts:
                    texts.remove(want)
                else:
                    lacking.append(want)
        for side in ("client", "server"):
            for state in c[side]["states"] or []:
                if state["state"] in texts:
                    texts.remove(state["state"])
                else:
                    lacking.append("%s %s" % (side, state["state"]))
    for t in list(root.iter(SVG + "text")):
        if not (0 <= float(t.get("x")) <= width and
                0 <= float(t.get("y")) <= height):
            outside.append(t.text)
    for line in root.iter(SVG + "line"):
        if not all(-5 <= float(line.get(k)) <= max(width, height)
                   for k in ("x1", "x2", "y1", "y2")):
            outside.append(str(line.attrib))
    say(width == 900 and not lacking and not outside,
        "%s: the SVG has every segment and state" % name,
        "width %d\nmissing: %s\noutside: %s" % (width, lacking, outside))
    return width, height


def check_png(name, path, size):
    with open(path, "rb") as f:
        head = f.read(24)
        f.seek(-12, 2)
        tail = f.read()
    got = struct.unpack(">II", head[16:24])
    say(head[:8] == b"\x89PNG\r\n\x1a\n" and tail[4:8] == b"IEND" and
        size is not None and abs(got[0] - 2 * size[0]) <= 2 and
        abs(got[1] - 2 * size[1]) <= 2,
        "%s: the PNG is as large" % name, "%s %s" % (got, size))


def check_scene(work, name):
    recording = os.path.join(work, name + ".tcphs")
    subprocess.run([os.path.join(OUT, "scene_test"), "-o", recording,
                    os.path.join(DATA, name + ".scene")], check=True)
    p = subprocess.run([TCPHS, "timeline", "--json", "-r", recording],
                       capture_output=True, check=True, env=ENV)
    told = [c for c in map(json.loads, p.stdout.splitlines())
            if c["kind"] == "connection"]
    files = {s: os.path.join(work, name + s) for s in (".pcapng", ".svg", ".mmd")}
    for path in files.values():
        status, err = export(recording, path)
        if status:
            say(False, "%s: %s" % (name, path), err)
            return
    p = subprocess.run([os.path.join(OUT, "export_test"), name, recording,
                        files[".pcapng"]], capture_output=True, text=True)
    relay(p.stdout, p.returncode)
    say(p.returncode <= 1, "%s: export_test ends well" % name, p.stderr)
    with open(files[".pcapng"], "rb") as f:
        raw = f.read()
    lacking = []
    for c in told:
        for step in c["steps"]:
            if step["note"] and any(s["flags"] for s in c["steps"]) and \
                    step["note"].encode() not in raw:
                lacking.append(step["note"])
    say(not lacking, "%s: the packets' comments have each note" % name,
        str(lacking))
    claims = raw.count(b", not received by the ")
    lost = sum(step["lost"] is True and bool(step["flags"])
               for c in told for step in c["steps"])
    say(claims == lost, "%s: not received is what was lost" % name,
        "%d packets, %d segments" % (claims, lost))
    size = check_svg(name, files[".svg"], told)
    if name in ("three_way", "same_addresses"):
        png = os.path.join(work, name + ".png")
        status, err = export(recording, png)
        say(status == 0, "%s: PNG" % name, err)
        check_png(name, png, size)
    with open(files[".mmd"]) as f:
        lines = f.read().splitlines()
    known = re.compile(r"    (participant P\d+ as \S.*|Note over P\d+(,P\d+)?: \S.*|"
                       r"P\d+(->>|-->>|-x|--x)P\d+: \S.*|%% .*)$")
    odd = [line for line in lines[1:] if not known.match(line) or
           re.search(r"#(?!\d+;)|(?<!\d);", line)]
    say(lines[0] == "sequenceDiagram" and not odd,
        "%s: only statements of a sequence diagram" % name, "\n".join(odd))


def mermaid(work, check):
    """Mermaid's own parser, where MERMAID_CHECK names a program that has it"""
    files = sorted(os.path.join(work, f) for f in os.listdir(work)
                   if f.endswith(".mmd"))
    if not check:
        print("ok Mermaid's own parser # SKIP MERMAID_CHECK= names no program")
        return
    p = subprocess.run(check.split() + files, capture_output=True, text=True)
    say(p.returncode == 0, "Mermaid's own parser", p.stdout + p.stderr)


def check_bad(work):
    good = os.path.join(work, "three_way.tcphs")

    def expect(name, status, words, recording, to, *args, **how):
        got, err = export(recording, to, *args, **how)
        say(got == status and words in err, name, "status %d, expected %d\n%s" %
            (got, status, err))

    def at(name):
        return os.path.join(work, name)

    expect("unknown suffix", 2, ".pcapng, .svg, .png or .mmd", good, at("x.gif"))
    expect("only a suffix's letters", 2, ".pcapng", good, at("xpng"))
    p = subprocess.run([TCPHS, "export", "-r", good], env=ENV, capture_output=True)
    say(p.returncode == 2 and b"-o FILE" in p.stderr, "no -o")
    expect("no such directory", 1, "No such file", good, at("none/x.svg"))
    expect("no such recording", 1, "No such file", at("nowhere"), at("new.svg"))
    say(not os.path.exists(at("new.svg")), "no recording: no file")
    with open(at("old.svg"), "w") as f:
        f.write("old")
    expect("no such recording, and a file", 1, "No such file", at("nowhere"),
           at("old.svg"))
    with open(at("old.svg")) as f:
        say(f.read() == "old", "no recording: the file stays as it was")
    with open(good, "rb") as f:
        raw = f.read()
    with open(at("same.svg"), "wb") as f:
        f.write(raw)
    expect("onto the recording itself", 2, "recording itself", at("same.svg"),
           at("same.svg"))
    with open(at("same.svg"), "rb") as f:
        say(f.read() == raw, "the recording stays")

    def no_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    for suffix in (".pcapng", ".svg", ".png", ".mmd"):
        full = at("full" + suffix)
        os.symlink("/dev/full", full)
        expect("full disk, %s" % suffix, 1, "No space left", good, full)
        part = at("part" + suffix)
        expect("no room, %s" % suffix, 1, "File too large", good, part,
               preexec_fn=no_room)
        say(not os.path.exists(part), "no room, %s: no part remains" % suffix)
    with open(at("shorter.mmd"), "w") as f:
        f.write("x" * 100000)
    expect("over a longer file", 0, "", good, at("shorter.mmd"))
    with open(at("shorter.mmd")) as one, open(at("three_way.mmd")) as two:
        say(one.read() == two.read(), "nothing of the longer file remains")
    expect("no connection", 0, "no connection", good, at("x.SVG"), "port", "9")

    # More than a picture holds: the first ones, and how many are not there.
    with open(good, "rb") as f:
        raw = f.read()
    many = bytearray(raw[:256])
    n = 0
    for i in range(30):
        for k in range(256, len(raw), 128):
            r = bytearray(raw[k:k + 128])
            struct.pack_into("<QQ", r, 0, struct.unpack_from("<Q", r)[0] +
                             i * 10 ** 11, n)
            n += 1
            many += r
    with open(at("many.tcphs"), "wb") as f:
        f.write(many)
    for suffix in (".svg", ".mmd"):
        expect("30 connections, %s" % suffix, 0, "10 more connections are left out",
               at("many.tcphs"), at("many" + suffix))
    expect("-n 2", 0, "", at("many.tcphs"), at("two.svg"), "-n", "2")
    with open(at("two.svg")) as f:
        say(f.read().count("three-way open") == 2, "-n 2: two of them")

    # More than Mermaid draws: 20 connections of 80 segments with data.
    scene = "segments all\n"
    for i in range(20):
        us = 10 ** 6 * i
        scene += """end c 10.0.0.1:%d 10.0.0.2:80 sock 0x1%02d isn 1000 peer 5000
%d c CLOSE>SYN_SENT by 211 curl noport
%d c out S
%d c in SA ack 1
%d c SYN_SENT>ESTABLISHED iss irs snd_nxt 1 snd_una 1 rcv_nxt 1
""" % (40000 + i, i, us + 1, us + 2, us + 3, us + 4)
        for k in range(1, 4001, 100):
            scene += "%d c in PA seq %d ack 1 len 100\n%d c out A seq 1 ack %d\n" % (
                us + 10 * k, k, us + 10 * k + 5, k + 100)
    with open(at("long.scene"), "w") as f:
        f.write(scene)
    subprocess.run([os.path.join(OUT, "scene_test"), "-o", at("long.tcphs"),
                    at("long.scene")], check=True)
    status, err = export(at("long.tcphs"), at("long.mmd"))
    with open(at("long.mmd"), encoding="utf-8") as f:
        text = f.read()
    there = len(re.findall("^    Note over .*: #35;[0-9]+ ", text, re.M))
    participants = len(re.findall("^    participant ", text, re.M))
    say(status == 0 and 40000 < len(text) <= 50000 and participants == there + 1 and
        "%d more connections are left out, as Mermaid draws 50,000" % (20 - there) in err,
        "no more than Mermaid draws", "%d characters, %d connections of %d participants\n%s" %
        (len(text), there, participants, err))
    status, err = export(at("long.tcphs"), at("all.mmd"), "-n", "20")
    with open(at("all.mmd"), encoding="utf-8") as f:
        there = len(re.findall("^    Note over .*: #35;[0-9]+ ", f.read(), re.M))
    say(status == 0 and there == 20 and "characters: Mermaid draws 50,000" in err,
        "-n: more than it draws, and that is said", err)

    # Whatever bits are flipped: a message perhaps, never a crash.
    dice = random.Random(2)
    bad = ""
    for i in range(48):
        raw2 = bytearray(raw if i % 2 else many[:256 + 128 * 80])
        for _ in range(dice.choice((1, 10, 100))):
            raw2[dice.randrange(256, len(raw2))] ^= 1 << dice.randrange(8)
        with open(at("flip.tcphs"), "wb") as f:
            f.write(raw2)
        to = at("flip" + (".pcapng", ".svg", ".mmd")[i % 3])
        try:
            status, err = export(at("flip.tcphs"), to)
            if status in (0, 1) and to.endswith(".svg"):
                ET.parse(to)
        except (subprocess.TimeoutExpired, UnicodeDecodeError, ET.ParseError) as e:
            status, err = -1, str(e)
        if status not in (0, 1):
            bad += "flip %d, %s: status %d\n%s\n" % (i, to, status, err[-1500:])
    say(not bad, "48 recordings with flipped bits", bad)


def main():
    with tempfile.TemporaryDirectory() as work:
        for name in sorted(os.listdir(DATA)):
            if name.endswith(".scene"):
                check_scene(work, name[:-6])
        mermaid(work, os.environ.get("MERMAID_CHECK"))
        check_bad(work)
    finish()


if __name__ == "__main__":
    main()
