#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A stream of JSON whose consumer stands still for a while and then reads on, and whose
reader does while the ring overflows. usage: feed.py READER NETNS. Prints "ok NAME" or
"not ok NAME".
"""
import json
import os
import signal
import subprocess
import sys
import time

from pipe import take

RSS_KB = 2048		# what the reader may grow by, besides what it takes in
RECORD = 128


def say(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name), flush=True)
    for text in problems[:10]:
        print("\t" + text)


def churn(netns, count):
    subprocess.run(["./churn.py", "--count", str(count), "--workers", "2", netns],
                   stdout=subprocess.DEVNULL, check=True)


def memory(pid):
    with open("/proc/%d/status" % pid) as f:
        return {line.split()[0]: int(line.split()[1]) for line in f
                if line.startswith("Vm")}


def has_opened(pid):
    fds = "/proc/%d/fd" % pid
    return any(os.readlink(os.path.join(fds, fd)).endswith("/tcphs/events")
               for fd in os.listdir(fds))


def stats():
    with open("/proc/tcphs/stats") as f:
        return dict(line.split(None, 1) for line in f)


def judge(name, rows, written, from_start):
    """Each number of a CPU is told once: as a record, or as lost."""
    expected, last, wrong, lost = {}, {}, [], 0
    for r in rows:
        cpu = r["cpu"]
        if not (r["host"] and r["boot"] and r["session"] and
                abs(r["wall"] / 1e9 - time.time()) < 3600):
            wrong.append("nobody knows whose it is, or when: %s" % r)
        at = expected.get(cpu, 0 if from_start else r["n"])
        if r["n"] != at:
            wrong.append("CPU %d: %s %d, expected %d" % (cpu, r["kind"], r["n"], at))
        if r["kind"] == "lost":
            lost += r["count"]
            expected[cpu] = r["n"] + r["count"]
            if cpu in last and r["since"] != last[cpu]:
                wrong.append("CPU %d: the gap begins at %s, not %s" % (
                    cpu, r["since"], last[cpu]))
        else:
            expected[cpu] = r["n"] + 1
            last[cpu] = r["ts"]
    say(name + ": each record is there or counted as lost", wrong)
    say(name + ": the ring did overflow", [] if lost else ["nothing was lost"])
    # What was written until then is told of; more may have been since.
    for key, value in written.items():
        if key.startswith("cpu") and key.endswith("_written"):
            cpu = int(key[3:-8])
            if int(value) and expected.get(cpu, 0) < int(value):
                wrong.append("CPU %d: told of %d, written %s" % (
                    cpu, expected.get(cpu, 0), value.strip()))
    overwritten = int(written["records_overwritten"])
    if lost > overwritten:
        wrong.append("%d lost, %d overwritten" % (lost, overwritten))
    say(name + ": the counts are those of /proc/tcphs/stats", wrong)
    print("# %s: %d records, %d of them lost, %s written" % (
        name, sum(r["kind"] != "lost" for r in rows) + lost, lost,
        written["records_written"].strip()))


def run(tool, netns, command, from_start):
    name = " ".join(command)
    p = subprocess.Popen([tool] + command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    fd = p.stdout.fileno()
    deadline = time.monotonic() + 30
    while not has_opened(p.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    churn(netns, 20)
    text = take(fd, 2)
    say(name + ": whole lines, without waiting for more",
        [] if text.endswith(b"\n") and text.count(b"\n") > 100 else [repr(text[-100:])])
    if p.poll() is not None:
        say(name + ": it goes on", [p.stderr.read().decode()])
        return
    before, begun = memory(p.pid), stats()
    churn(netns, 800)
    after, written = memory(p.pid), stats()
    taken = (int(written["records_written"]) - int(begun["records_written"])) * RECORD // 1024
    say(name + ": while nobody reads it grows by what it takes in",
        [] if after["VmRSS:"] - before["VmRSS:"] < taken + RSS_KB else
        ["%d kB, then %d kB, for %d kB of records" % (before["VmRSS:"], after["VmRSS:"], taken)])
    # It takes in all that it can: to lose some it has to stand still itself.
    p.send_signal(signal.SIGSTOP)
    churn(netns, 100)
    written = stats()
    p.send_signal(signal.SIGCONT)
    text += take(fd, 3)
    churn(netns, 20)
    text += take(fd, 2)
    p.send_signal(signal.SIGINT)
    text += take(fd, 30)
    status = p.wait(30)
    say(name + ": its exit status", [] if status == 0 else
        ["%d %s" % (status, p.stderr.read().decode())])
    print("# %s: %d kB of memory at most" % (name, max(after["VmHWM:"], before["VmHWM:"])))
    judge(name, [json.loads(line) for line in text.splitlines()], written, from_start)


def main():
    tool, netns = sys.argv[1:]
    run(tool, netns, ["events", "--json", "-f"], True)
    # It tells what happens from now on.
    run(tool, netns, ["live", "--json"], False)

    # Who goes away ends it, although nothing happens.
    p = subprocess.Popen([tool, "events", "--json", "-f"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    take(p.stdout.fileno(), 2)
    p.stdout.close()
    try:
        p.wait(30)
    except subprocess.TimeoutExpired:
        p.kill()
    said = p.stderr.read().decode()
    say("who reads goes away: it ends, without a word",
        [] if (p.returncode, said) == (0, "") else ["%s %s" % (p.returncode, said)])


if __name__ == "__main__":
    main()
