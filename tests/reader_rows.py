#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Are the rows of `tcphs events --json` the records of /proc/tcphs/events?
Each is there once and in its order, and says what the record says; what a
record alone does not know, a row may say. usage: reader_rows.py ROWS
"""
import json
import os
import sys

from records import EVENTS, drain, split


def main():
    with open(sys.argv[1]) as f:
        rows = [json.loads(line) for line in f]
    fd = os.open(EVENTS, os.O_RDONLY)
    _, records = split(drain(fd))
    os.close(fd)
    # A TIME_WAIT may have ended since.
    later = records[len(rows):]
    if len(rows) > len(records) or any(r.get("via") != "timewait" for r in later):
        sys.exit("%d rows, %d records" % (len(rows), len(records)))
    wrong = 0
    for row, record in zip(rows, records):
        for field, value in record.items():
            if field in ("sock", "listener") or value is None:
                continue
            says = row.get(field)
            if field == "uid" and value == 0xffffffff:
                value = None
            if field == "flags":
                says, value = sorted(says), sorted(value)
            elif field == "options":
                says = {k: v for k, v in says.items() if v}
                value = {k: v for k, v in value.items() if v}
                says.pop("fastopen", None)
                value.pop("fastopen", None)
            elif field == "ack" and not value or field == "retransmit":
                says = says or value
            elif field in ("reason", "state", "listener", "since", "until"):
                continue
            if says != value:
                wrong += 1
                print("record %d: %s is %s, must be %s" % (
                    record["n"], field, says, value))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
