#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The fleet's tables have what the reader's JSON has: whatever it prints has a
column, the feed names every column, and the query for ladders reads them all.

usage: fleet.py DIRECTORY-OF-PROGRAMS
"""
import json
import os
import re
import subprocess
import sys

OUT = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
FLEET = os.path.join(HERE, "../../scripts/fleet")
DATA = os.path.join(HERE, "../data")
# What fleet.conf takes out, and what the tables work out for themselves.
LEFT_OUT = {"steps", "states", "closed_by"}
MADE = {"events": {"time", "pair"},
        "connections": {"time", "host", "boot", "service", "server", "client",
                        "client_port", "namespace", "over"}}
failed = False


def equal(name, got, wanted):
    global failed
    print("%s %s" % ("ok" if got == wanted else "not ok", name))
    if got != wanted:
        failed = True
        for what, names in (("only here", got - wanted), ("not here", wanted - got)):
            print("# %s: %s" % (what, " ".join(sorted(map(str, names)))))


def text(name):
    with open(os.path.join(FLEET, name), encoding="utf-8") as f:
        return f.read()


def printed(command):
    """Columns for all that the reader prints of the recordings"""
    found = set()
    for name in sorted(os.listdir(DATA)):
        if not name.endswith(".tcphs"):
            continue
        done = subprocess.run([os.path.join(OUT, "tcphs"), "-r", os.path.join(DATA, name),
                               command, "--json"], stdout=subprocess.PIPE, check=True,
                              env=dict(os.environ, LC_ALL="C.UTF-8"))
        for line in done.stdout.splitlines():
            row = json.loads(line)
            if command == "timeline" and row["kind"] != "connection":
                continue
            for key, value in row.items():
                if isinstance(value, dict):
                    found |= {key + "." + member for member in value
                              if member not in LEFT_OUT}
                elif key not in LEFT_OUT:
                    found.add(key)
    return found


schema = text("schema.sql")
for table, command in (("events", "events"), ("connections", "timeline")):
    body = re.search(r"tcphs\.%s_local\n\(\n(.*?)\n\)\nENGINE" % table, schema, re.S).group(1)
    columns = re.findall(r"^\t`?([\w.]+)`? [A-Z]\w+", body, re.M)
    env = text(table + ".env")
    insert = re.search(r"\(([^)]*)\)", env).group(1).split(", ")
    fields = re.search(r'TCPHS_FIELDS="(.*)"', env).group(1).split("|")
    equal("%s: the table has what the reader prints" % table,
          set(columns) - MADE[table], printed(command))
    equal("%s: the feed names every column" % table, set(insert),
          set(columns) - MADE[table])
    equal("%s: and knows every member" % table, set(fields),
          {column.split(".")[0] for column in insert})
    equal("%s: none twice" % table, {len(insert), len(fields)},
          {len(set(insert)), len(set(fields))})

query = text("both-ends.sql")
asked = re.search(r"^SELECT\n(.*?)\nFROM", query, re.M | re.S).group(1)
events = re.search(r"\(([^)]*)\)", text("events.env")).group(1).split(", ")
# The reader has the options from option_bytes.
equal("both-ends.sql reads every column", set(asked.replace(",", "").split()),
      {column for column in events if not column.startswith("options.")})

# The sample that README.md has takes all of a connection, or nothing, at both ends.
with open(os.path.join(HERE, "../../README.md"), encoding="utf-8") as f:
    sample = re.search(r"""TCPHS_COMMAND="events --json -f '(.*)'""", f.read()).group(1)
sample = sample.replace("63", "3")


def ports(expression):
    rows = []
    for name in ("behaviours", "loopback"):
        done = subprocess.run([os.path.join(OUT, "tcphs"), "-r",
                               os.path.join(DATA, name + ".tcphs"), "events", "--json"] +
                              expression, stdout=subprocess.PIPE, check=True,
                              env=dict(os.environ, LC_ALL="C.UTF-8"))
        rows += [json.loads(line) for line in done.stdout.splitlines()]
    return [(row["cpu"], row["n"], row["family"], (row["sport"] or 0) + (row["dport"] or 0))
            for row in rows if row["kind"] != "lost"]


wanted = {row for row in ports([]) if row[3] % 4 == 0}
equal("a sample has both ends of its connections", set(ports([sample])), wanted)
equal("of both families", {row[2] for row in wanted}, {"inet", "inet6"})
sys.exit(failed)
