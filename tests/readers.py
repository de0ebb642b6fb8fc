#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads /proc/tcphs/events in every way that there is. Prints "ok NAME" or
"not ok NAME". usage: readers.py NETNS READER DIR; NETNS is for its own
connections; everything else is filtered out, so that silence is silence.
"""
import contextlib
import ctypes
import errno
import mmap
import os
import select
import signal
import subprocess
import sys
import time

from agent import wait_for
from records import EVENTS, MAGIC, drain, header, split

FILTER = "/proc/tcphs/filter"
libc = ctypes.CDLL(None, use_errno=True)


def say(name, problem=None):
    print("%s %s" % ("not ok" if problem else "ok", name))
    if problem:
        print("\t%s" % problem)


def is_(name, got, wanted):
    say(name, None if got == wanted else "got %s, expected %s" % (got, wanted))


@contextlib.contextmanager
def opened(flags=0):
    fd = os.open(EVENTS, os.O_RDONLY | flags)
    try:
        yield fd
    finally:
        os.close(fd)


def error_of(call, *args):
    try:
        return len(call(*args))
    except OSError as err:
        return errno.errorcode[err.errno]


def connections(netns, count, workers=1):
    subprocess.run(["./churn.py", "--count", str(count), "--workers",
                    str(workers), netns], check=True,
                   stdout=subprocess.DEVNULL)


def written():
    with open("/proc/tcphs/stats") as f:
        for line in f:
            if line.startswith("records_written "):
                return int(line.split()[1])


def settle():
    """Until nothing has been recorded for a while"""
    last = [written(), time.monotonic()]

    def quiet():
        now = written()
        if now != last[0]:
            last[:] = [now, time.monotonic()]
        return time.monotonic() - last[1] > 0.3
    wait_for("silence", quiet)


def memory_ends(fd):
    """Room for five records and a half, at no even address. Return: what came."""
    page = mmap.PAGESIZE
    libc.mmap.restype = ctypes.c_void_p
    at = libc.mmap(None, ctypes.c_size_t(2 * page), mmap.PROT_READ | mmap.PROT_WRITE,
                   mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, ctypes.c_size_t(0))
    end = at + page
    libc.mprotect(ctypes.c_void_p(end), ctypes.c_size_t(page), 0)
    begin = end - 5 * 128 - 67
    size = libc.read(fd, ctypes.c_void_p(begin), ctypes.c_size_t(page))
    is_("a read to memory that ends gives the records that it has room for", size,
        5 * 128)
    got = ctypes.string_at(begin, max(size, 0))
    libc.munmap(ctypes.c_void_p(at), ctypes.c_size_t(2 * page))
    return got


def small_buffers(netns):
    with opened() as fd:
        is_("a first read smaller than the header", error_of(os.read, fd, 255),
            "EINVAL")
        got = os.read(fd, 256)
        is_("the header alone", (len(got), got[:8]), (256, MAGIC))
        is_("a read smaller than a record", error_of(os.read, fd, 127),
            "EINVAL")
        is_("a read of 0 bytes", error_of(os.read, fd, 0), "EINVAL")
        is_("a read to a bad address", libc.read(fd, ctypes.c_void_p(8), 4096),
            -1)
        rest = memory_ends(fd)
        for size in (128, 129, 255, 1000, 5000):
            more = os.read(fd, size)
            say("a read of %d bytes gives whole records" % size,
                None if more and len(more) % 128 == 0 and len(more) <= size
                else "%d bytes" % len(more))
            rest += more
        rest += drain(fd)
    with opened() as fd:
        all_ = drain(fd)
    say("none of that lost or changed a record",
        None if all_[256:] == rest else "%d bytes, not %d" % (
            len(rest), len(all_) - 256))


def not_blocking():
    with opened(os.O_NONBLOCK) as fd:
        drained = drain(fd)
        # drain() resets the flag
        os.set_blocking(fd, False)
        is_("O_NONBLOCK with nothing to read", error_of(os.read, fd, 4096),
            "EAGAIN")
        say("reading consumes nothing", None if len(drained) > 256
            else "a new reader got %d bytes" % len(drained))


def polling(netns):
    with opened() as fd:
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        is_("poll() before the header is read", poller.poll(0),
            [(fd, select.POLLIN)])
        drain(fd)
        is_("poll() with nothing to read", poller.poll(200), [])
        child = subprocess.Popen(["./churn.py", "--count", "1", "--workers",
                                  "1", netns], stdout=subprocess.DEVNULL)
        is_("poll() wakes up", poller.poll(60000), [(fd, select.POLLIN)])
        say("and then there is something", None if drain(fd) else "nothing")
        child.wait()


def sleeping(netns):
    with opened() as fd:
        drain(fd)

        def on_alarm(*_):
            raise InterruptedError(errno.EINTR, "alarm")
        signal.signal(signal.SIGALRM, on_alarm)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        is_("a signal ends a sleeping read()", error_of(os.read, fd, 4096),
            "EINTR")
        child = subprocess.Popen(["./churn.py", "--count", "1", "--workers",
                                  "1", netns], stdout=subprocess.DEVNULL)
        signal.alarm(60)
        got = error_of(os.read, fd, 4096)
        signal.alarm(0)
        say("a record ends a sleeping read()",
            None if isinstance(got, int) and got else "got %s" % got)
        child.wait()


def many(netns, path):
    """Readers of every kind during a storm: all get the same"""
    names = [os.path.join(path, "many%d" % i) for i in range(6)]
    procs = [subprocess.Popen(["./reader.py", "poll" if i % 2 else "follow",
                               name], stdout=subprocess.PIPE)
             for i, name in enumerate(names)]
    for proc in procs:
        proc.stdout.readline()
    connections(netns, 60, 2)
    settle()
    with opened() as fd:
        all_ = drain(fd)

    def complete():
        return all(os.path.getsize(n) >= len(all_) for n in names)
    try:
        wait_for("the readers", complete)
    except TimeoutError:
        pass
    for proc in procs:
        proc.kill()
        proc.wait()
    # The headers differ in `opened` alone.
    _, rows = split(all_)
    key = sorted((r["cpu"], r["n"]) for r in rows)
    for name in names:
        with open(name, "rb") as f:
            _, mine = split(f.read())
        wrong = None
        if sorted((r["cpu"], r["n"]) for r in mine) != key:
            wrong = "%d records, not %d" % (len(mine), len(rows))
        elif [r["ts"] for r in mine] != sorted(r["ts"] for r in mine):
            wrong = "not in the order of time"
        say("one of %d readers in a storm" % len(names), wrong)


def recording(tool, path):
    name = os.path.join(path, "recording")
    out = subprocess.run([tool, "record", "-o", name, "-d", "1"],
                         capture_output=True)
    is_("tcphs record", out.returncode, 0)
    with open(name, "rb") as f:
        mine = f.read()
    with opened() as fd:
        all_ = drain(fd)
    head, theirs = header(mine), header(all_)
    head["opened"] = theirs["opened"]
    head["wall_offset"] = theirs["wall_offset"]
    say("a recording is the same bytes", None if mine[256:] == all_[256:] and
        head == theirs else "%d bytes, not %d" % (len(mine), len(all_)))


def main():
    netns, tool, path = sys.argv[1:]
    with open(FILTER, "w") as f:
        f.write("netns %d\n" % os.stat("/run/netns/" + netns).st_ino)
    try:
        connections(netns, 10)
        settle()
        small_buffers(netns)
        not_blocking()
        recording(tool, path)
        polling(netns)
        settle()
        sleeping(netns)
        settle()
        many(netns, path)
    finally:
        with open(FILTER, "w") as f:
            f.write("off\n")


if __name__ == "__main__":
    main()
