#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The man pages say what the program, the module and the format have.

usage: pages.py DIRECTORY-OF-PROGRAMS

Names are taken from where they are made: --help, the JSON that the reader
writes, the module's files and parameters, the header's structures by a
compiler. A page that lacks one, or has one too many, fails.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

OUT = os.path.abspath(sys.argv[1])
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
failed = False


def result(wrong, name):
    global failed
    print("%s %s" % ("not ok" if wrong else "ok", name))
    for line in wrong:
        print("# " + line)
    failed |= bool(wrong)


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def plain(source):
    """A page's words, without macros' line breaks."""
    source = source.replace(r"\-", "-").replace(r"\&", "").replace(r"\(dq", '"')
    return " ".join(source.split())


def section(source, name):
    return re.search(r"^\.Sh %s\n(.*?)(?=^\.Sh |\Z)" % name, source, re.M | re.S).group(1)


def missing(names, have, what):
    return ["%s: %s" % (what, n) for n in sorted(set(names) - set(have))]


def macro_words(source, macro):
    """The arguments of a macro, on lines of its own or after another."""
    words = []
    for line in re.findall(r"^\.(?:\w+ )*?%s (.*)$" % macro, source, re.M):
        for word in line.split():
            if word[0] in "()" or word in ("No", "Pq", "Po", "Pc", "Dq", "Ns"):
                break
            words.append(word.strip(",;.:"))
    return [w for w in words if w]


page8 = text("user/tcphs.8")
page5 = text("user/tcphs.5")
tcphs = os.path.join(OUT, "tcphs")
scene_test = os.path.join(OUT, "scene_test")

# ---- commands and options ----------------------------------------------------

usage = run(tcphs, "--help")
commands = re.search(r"Commands:\n(.*?)\n\n", usage, re.S).group(1)
commands = re.findall(r"^  (\w+)", commands, re.M)
described = re.findall(r"^\.It Ic (\w+)", section(page8, "COMMANDS"), re.M)
result(missing(commands, described, "not in tcphs(8)") +
       missing(described, commands, "not in --help"), "tcphs(8): commands")

# What the parser itself knows; -ttt counts as -t.
parsed = text("user/main.c")
parsed = re.search(r"argp_option options\[\] = \{(.*?)\n\};", parsed, re.S).group(1)
known = set()
letters = dict(re.findall(r"(KEY_\w+) = ('\w')", text("user/main.c")))
for name, key, rest in re.findall(r'\{ "([\w-]+)", (\S+), (.*)', parsed):
    if "OPTION_HIDDEN" in rest:
        continue
    known.add("--" + name)
    key = letters.get(key, key)
    if key.startswith("'"):
        known.add("-" + key[1])


def told(line):
    """The options that a line of --help tells of."""
    return re.findall(r"(?<![\w-])(--?[a-zA-Z][\w-]*)", line)


helped = set()
for line in re.findall(r"^  ( *--?.*?)(?:  |=|$)", usage.split("Options:")[1], re.M):
    helped |= set(told(line))
items = re.findall(r"^\.It (Fl .*)$", section(page8, "OPTIONS"), re.M)
documented = set()
for item in items:
    for word in re.findall(r"Fl (\S+)", item):
        documented.add("-" + word)
result(missing(known, documented, "not in tcphs(8)") +
       missing(documented, known, "not parsed"), "tcphs(8): options")
result(missing(known, helped, "not in --help"), "--help: options")

# ---- verdicts ----------------------------------------------------------------

verdicts = section(page8, "VERDICTS")
rules = [line.split(" ", 2) for line in run(scene_test, "-v").splitlines()]
wrong = []
for kind, name, rule in rules:
    if name != "null" and plain(".It %s %s" % (name, rule)) not in plain(verdicts):
        wrong.append("no rule: %s: %s" % (name, rule))
for kind, end in (("open", "How it opened"), ("close", "How it closed")):
    part = re.search(r"^\.Ss %s\n(.*?)(?=^\.Ss |\Z)" % end, verdicts, re.M | re.S).group(1)
    order = re.findall(r"^\.It (\S+)", part, re.M)
    if order != [n for k, n, _ in rules if k == kind and n != "null"]:
        wrong.append("%s: not the order of the rules" % kind)
result(wrong, "tcphs(8): the rules of the verdicts, word for word")

contract = ("three-way simultaneous fast-open syn-cookie refused timed-out reset half-open "
            "unseen four-way three-segment half-close reset-by-client reset-by-server open "
            "complete partial lossy").split()
result(missing(contract, re.findall(r"^\.It (\S+)", verdicts, re.M), "no verdict"),
       "tcphs(8): every verdict")

# ---- JSON --------------------------------------------------------------------

keys = set(re.findall(r'\bset\(\w+, "(\w+)"', text("user/json.c")))


def collect(value):
    if isinstance(value, dict):
        keys.update(value)
        for name, v in value.items():
            # Their names are those of the verdicts.
            if name not in ("opens", "closes", "records"):
                collect(v)
    elif isinstance(value, list):
        for v in value:
            collect(v)


with tempfile.TemporaryDirectory() as work:
    recording = os.path.join(work, "scene.tcphs")
    for scene in glob.glob(os.path.join(ROOT, "tests/data/*.scene")):
        subprocess.run([scene_test, "-o", recording, scene], check=True)
        for command in (["events"], ["list"], ["timeline", "--explain"]):
            lines = run(tcphs, "--json", "-r", recording, *command)
            for line in lines.splitlines():
                collect(json.loads(line))
fields = section(page8, "FIELDS")
result(missing(keys, macro_words(fields, "Va"), "no field"), "tcphs(8): JSON fields")

# ---- the module --------------------------------------------------------------

files = section(page8, "FILES")
names = re.findall(r'\{ "(\w+)", 0\d+, &tcphs?_?\w*', text("module/proc.c"))
names += re.findall(r'\{ "(\w+)", 0\d+, &(?:stats|filter)_ops', text("module/proc.c"))
result(["nothing found in proc.c"] * (len(set(names)) != 4) +
       missing(names, re.findall(r"^\.It Pa /proc/tcphs/(\w+)", files, re.M), "no file"),
       "tcphs(8): files")

parameters = re.findall(r"MODULE_PARM_DESC\((\w+)", text("module/main.c"))
have = re.findall(r"^\.It Cm (\w+) Ns", section(page8, "MODULE PARAMETERS"), re.M)
result(missing(parameters, have, "not in tcphs(8)") + missing(have, parameters, "not one"),
       "tcphs(8): module parameters")

stats = text("module/stats.c")
names = re.findall(r'seq_printf\(seq, "(\w+?) ?%', stats)
names = [n for n in re.findall(r'seq_printf\(seq, "([a-z_]+) ', stats)]
names += re.findall(r'^\t\[TCPHS_\w+\] = "(\w+s)",$', stats, re.M)
names += ["cpuN_" + n for n in re.findall(r'"cpu%d_(\w+) ', stats)]
names += ["hook_NAME"]
result(missing(names, re.findall(r"^\.Ql (\w+)", files, re.M), "no line of stats"),
       "tcphs(8): statistics")

codes = set(re.findall(r"TCPHS_EXIT_\w+ = (\d)", text("user/message.h")))
result(missing(codes, re.findall(r"^\.It (\d)$", section(page8, "EXIT STATUS"), re.M),
               "no exit status"), "tcphs(8): exit status")

# ---- tcphs(5) and the header -------------------------------------------------

header = text("module/uapi/tcphs.h")
code = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
structs = {}
for name, body in re.findall(r"^struct (\w+) \{\n(.*?)^\}", code, re.M | re.S):
    members = re.findall(r"(\w+)(?:\[\w+\])?;", body)
    structs[name] = members
# The payload by kind stands for itself.
kinds = {"transition", "segment", "reset", "destroy", "lost", "accept"}
structs["tcphs_record"] = [m for m in structs["tcphs_record"] if m not in kinds]
constants = set(re.findall(r"\b(TCPHS_\w+)\b", code))
constants -= {"TCPHS_PACKED", "TCPHS_MAGIC", "TCPHS_HEADER_SIZE", "TCPHS_RECORD_SIZE",
              "TCPHS_BYTE_ORDER", "TCPHS_ABI_MAJOR", "TCPHS_ABI_MINOR",
              "TCPHS_UID_UNKNOWN", "TCPHS_REASON_UNKNOWN"}

program = ["#include <stddef.h>", "#include <stdio.h>", "#include <tcphs.h>",
           "int main(void) {"]
for name, members in structs.items():
    for m in members:
        program.append('printf("%%s %%s %%zu %%zu\\n", "%s", "%s", offsetof(struct %s, %s), '
                       "sizeof(((struct %s *)0)->%s));" % (name, m, name, m, name, m))
for name in sorted(constants):
    program.append('printf("%s %%lld\\n", (long long)%s);' % (name, name))
program.append("return 0; }")
with tempfile.TemporaryDirectory() as work:
    with open(os.path.join(work, "print.c"), "w", encoding="ascii") as f:
        f.write("\n".join(program) + "\n")
    subprocess.run(["cc", "-isystem", os.path.join(ROOT, "module/uapi"), "-o",
                    os.path.join(work, "print"), os.path.join(work, "print.c")], check=True)
    lines = run(os.path.join(work, "print")).splitlines()
real = {tuple(line.split()) for line in lines}

page = set()
for name, body in re.findall(r"^\.Ss struct (\w+)\n(.*?)(?=^\.S[sh] |\Z)", page5, re.M | re.S):
    for m, offset, size in re.findall(r"^\.It Va (\w+) Pq (\d+) , (\d+)$", body, re.M):
        page.add((name, m, offset, size))
for name, value in re.findall(r"^\.It Dv (TCPHS_\w+) Pq (\w+)$", page5, re.M):
    page.add((name, str(int(value, 0))))
result(["not in tcphs(5): " + " ".join(r) for r in sorted(real - page)] +
       ["not so in tcphs.h: " + " ".join(r) for r in sorted(page - real)],
       "tcphs(5): %d fields and constants as the compiler has them" % len(real))

# ---- as man pages ------------------------------------------------------------

if shutil.which("mandoc"):
    for name in ("tcphs.8", "tcphs.5"):
        path = os.path.join(ROOT, "user", name)
        lint = subprocess.run(["mandoc", "-Tlint", path], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False).stdout
        result([line for line in lint.splitlines() if "STYLE" not in line],
               "mandoc -Tlint %s" % name)
else:
    print("ok mandoc -Tlint # SKIP mandoc is not installed")

sys.exit(failed)
