#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A storm of short connections over loopback: random family, closer, data and
resets. Not for comparing: traffic.py says what it did, this does not.

usage: churn.py [--count N] [--workers N] NETNS
Without --count until killed. Says "ready" when every worker has connected.
"""
import argparse
import os
import random
import signal
import socket
import struct
import sys

from agent import enter_netns, set_comm


def one(rng, listeners):
    listener = rng.choice(listeners)
    client = socket.socket(listener.family)
    client.connect(listener.getsockname()[:2])
    server, _ = listener.accept()
    ends = [client, server]
    rng.shuffle(ends)
    if rng.random() < 0.5:
        ends[0].send(bytes(rng.randrange(1, 2000)))
    if rng.random() < 0.2:
        ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                           struct.pack("=ii", 1, 0))
    for end in ends:
        end.close()


def worker(number, count, ready):
    set_comm("churn-%d" % number)
    rng = random.Random(number)
    listeners = []
    for family, addr in ((socket.AF_INET, "127.0.0.1"),
                         (socket.AF_INET6, "::1"),
                         (socket.AF_INET6, "::ffff:127.0.0.1")):
        listener = socket.socket(family)
        listener.bind((addr, 0))
        listener.listen(16)
        listeners.append(listener)
    done = 0
    while count is None or done < count:
        one(rng, listeners)
        done += 1
        if done == 1:
            os.write(ready, b"x")


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--count", type=int)
    args.add_argument("--workers", type=int, default=2)
    args.add_argument("netns")
    args = args.parse_args()
    enter_netns("/run/netns/" + args.netns)
    # TIME_WAIT would use up the ports.
    with open("/proc/sys/net/ipv4/tcp_max_tw_buckets", "w") as f:
        f.write("64")
    listening, ready = os.pipe()
    children = []
    for number in range(args.workers):
        pid = os.fork()
        if not pid:
            try:
                worker(number, args.count, ready)
            except OSError as err:
                print("churn.py: %s" % err, file=sys.stderr)
                os._exit(1)
            os._exit(0)
        children.append(pid)
    os.close(ready)
    for _ in children:
        os.read(listening, 1)
    print("ready", flush=True)

    def stop(*_):
        for pid in children:
            os.kill(pid, signal.SIGKILL)
    signal.signal(signal.SIGTERM, stop)
    status = 0
    for pid in children:
        status |= os.waitpid(pid, 0)[1]
    return 1 if status and args.count else 0


if __name__ == "__main__":
    sys.exit(main())
