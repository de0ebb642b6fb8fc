#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What root of a user namespace with a netns of its own can learn of others who work
meanwhile: nothing, by poll(), by read() or by the numbers of its own records.

usage: onlooker.py SECONDS
"""
import os
import select
import socket
import struct
import subprocess
import sys
import time

KIND_LOST = 5
# Two records of a CPU that happened at once have numbers one after the other.
AT_ONCE = 16


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


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    fd = os.open("/proc/tcphs/events", os.O_RDONLY | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    say(poll.poll(0), "of one netns: the header can be read")
    take(fd)
    told = watch(fd, float(sys.argv[1]))
    say(told == (0, 0), "of one netns: poll() tells nothing of others")
    if told != (0, 0):
        print("# %d times at once, %d after a while" % told)
    say(not take(fd), "of one netns: nor has read() anything")
    connect()
    say(poll.poll(5000), "of one netns: poll() tells of its own")
    taken, end = take(fd), time.monotonic() + 0.5
    while time.monotonic() < end:
        time.sleep(0.02)
        taken += take(fd)
    rows = [row for row in struct.iter_unpack("=QQ12xHB97x", taken) if row[3] != KIND_LOST]
    say(len(rows) > 20 and all(0 <= n - ts < AT_ONCE for ts, n, _, _ in rows),
        "of one netns: its records' numbers are their times")
    last = {}
    say(all(n > last.get(cpu, 0) and not last.update({cpu: n}) for _, n, cpu, _ in rows),
        "of one netns: and grow on each CPU")
    say(not poll.poll(0), "of one netns: all read, there is nothing more")


if __name__ == "__main__":
    main()
