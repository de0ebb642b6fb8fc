#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What root of a user namespace with a netns of its own can learn of others who work
meanwhile: nothing, by poll(), by read(), by the numbers of its own records or by what
was lost of theirs.

usage: onlooker.py poll SECONDS	they work, and nothing that is its own is overwritten
       onlooker.py lost		they overwrite the ring all the time
"""
import os
import select
import socket
import struct
import subprocess
import sys
import time

RECORD = struct.Struct("=QQ12xHBB96x")		# ts n cpu kind flags
LOST = struct.Struct("=QQ12xHBB40xQQQ32x")	# ... count since until
OPENED, COMPLETE = 56, 224
KIND_LOST, SOME = 5, 1 << 5
TICK, SECOND = 10 * 10**6, 10**9
PATIENCE = 60


def say(good, name):
    print(("ok " if good else "not ok ") + name, flush=True)


def take(fd):
    """All that is there"""
    taken = b""
    while True:
        try:
            more = os.read(fd, 1 << 20)
        except BlockingIOError:
            return taken
        if not more:
            sys.exit("the module was unloaded")
        taken += more


def watch(fd, seconds):
    """How often it was told that there is something"""
    poll, epoll = select.poll(), select.epoll()
    poll.register(fd, select.POLLIN)
    epoll.register(fd, select.EPOLLIN)
    end = time.monotonic() + seconds
    polled = waited = 0
    while time.monotonic() < end:
        polled += bool(poll.poll(0))
        waited += bool(poll.poll(50))
        waited += bool(epoll.poll(0.05))
    return polled, waited


def connect():
    with socket.create_server(("127.0.0.1", 0)) as server, \
            socket.create_connection(server.getsockname()) as client:
        server.accept()[0].close()
        client.close()


def grow_by_one(rows):
    """On each CPU, from the first record's time on"""
    last = {}
    for ts, n, cpu, _, _ in rows:
        if n != (last[cpu] + 1 if cpu in last else ts):
            return False
        last[cpu] = n
    return True


def learn_nothing(fd, seconds):
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    say(poll.poll(0), "of one netns: the header can be read")
    take(fd)
    told = watch(fd, seconds)
    say(told == (0, 0), "of one netns: poll() tells nothing of others")
    if told != (0, 0):
        print("# %d times at once, %d after a while" % told)
    say(not take(fd), "of one netns: nor has read() anything")
    connect()
    say(poll.poll(PATIENCE * 1000), "of one netns: poll() tells of its own")
    taken, end = take(fd), time.monotonic() + PATIENCE
    # The last is the one that goes from TIME_WAIT to CLOSE, a minute later.
    while len(taken) <= 20 * RECORD.size and time.monotonic() < end:
        time.sleep(0.02)
        taken += take(fd)
    rows = [row for row in RECORD.iter_unpack(taken) if row[3] != KIND_LOST]
    say(len(rows) > 20 and grow_by_one(rows), "of one netns: it has numbers of its own")


def lose(fd):
    """What is lost is a CPU's, and others' records are among it"""
    os.read(fd, 256)
    rows, end = [], time.monotonic() + PATIENCE
    while not rows and time.monotonic() < end:
        time.sleep(0.1)
        looked = time.monotonic_ns()
        rows = [row for row in LOST.iter_unpack(take(fd)) if row[3] == KIND_LOST]
    say(rows and all(flags == SOME and count == 1 for _, _, _, _, flags, count, _, _ in rows),
        "of one netns: how many were lost is not told")
    # A gap does not end later than the look at it.
    say(rows and all(since == 0 and (until % TICK == 0 or until == ts or until >= looked)
                     for ts, _, _, _, _, _, since, until in rows),
        "of one netns: nor when, exactly")
    header = os.read(os.open("/proc/tcphs/events", os.O_RDONLY), 256)
    opened, complete = (struct.unpack_from("=Q", header, at)[0] for at in (OPENED, COMPLETE))
    say(complete and (complete % SECOND == 0 or complete == opened),
        "of one netns: nor since when nothing is")


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if sys.argv[1] == "lost":
        # Until all is overwritten that was there before this namespace.
        time.sleep(1)
    fd = os.open("/proc/tcphs/events", os.O_RDONLY | os.O_NONBLOCK)
    if sys.argv[1] == "lost":
        lose(fd)
    else:
        learn_nothing(fd, float(sys.argv[2]))


if __name__ == "__main__":
    main()
