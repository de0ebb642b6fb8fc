#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Is every record of a stream either there or counted as lost, just where the
gap is? usage: lossy.py RECORDING STATS, of one moment. Prints "ok NAME" or
"not ok NAME".
"""
import sys

from records import split


def say(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for text in problems[:10]:
        print("\t" + text)


def main():
    with open(sys.argv[1], "rb") as f:
        _, rows = split(f.read())
    with open(sys.argv[2]) as f:
        stats = dict(line.split(None, 1) for line in f)
    expected, last, gaps, lost = {}, {}, [], 0
    behind = {}			# CPU -> until when its last gap lasts
    for r in rows:
        cpu = r["cpu"]
        at = expected.get(cpu, 0)
        if r["n"] != at:
            gaps.append("CPU %d: record %d after %d" % (cpu, r["n"], at - 1))
        if r["kind"] == "lost":
            lost += r["count"]
            expected[cpu] = r["n"] + r["count"]
            if not r["count"]:
                gaps.append("CPU %d: 0 records lost" % cpu)
            if r["since"] != last.get(cpu, 0):
                gaps.append("CPU %d: the gap begins at %d, not %d" % (
                    cpu, r["since"], last.get(cpu, 0)))
            # Nobody shall take what comes next for everything.
            if max(last.values(), default=0) > r["ts"]:
                gaps.append("CPU %d: the gap comes after records of its time" %
                            cpu)
            behind[cpu] = r["until"]
        else:
            expected[cpu] = r["n"] + 1
            last[cpu] = r["ts"]
            if behind.pop(cpu, r["ts"]) != r["ts"]:
                gaps.append("CPU %d: the gap does not end at %d" % (cpu, r["ts"]))
    say("each record is there or counted as lost", gaps)
    say("the ring did overflow", [] if lost else ["nothing was lost"])
    wrong = []
    for cpu, count in expected.items():
        written = int(stats["cpu%d_written" % cpu])
        if count != written:
            wrong.append("CPU %d: %d told of, %d written" % (cpu, count,
                                                             written))
    kept = sum(r["kind"] != "lost" for r in rows)
    overwritten = int(stats["records_overwritten"])
    # The ring is quiet when it is read: nothing that is still there is skipped.
    if lost != overwritten:
        wrong.append("%d lost, %d overwritten" % (lost, overwritten))
    if kept + lost != int(stats["records_written"]):
        wrong.append("%d kept + %d lost, %s written" % (
            kept, lost, stats["records_written"].strip()))
    say("the counts are those of /proc/tcphs/stats", wrong)
    times = [r["ts"] for r in rows]
    say("in the order of time, gaps too", [] if times == sorted(times)
        else ["not sorted"])


if __name__ == "__main__":
    main()
