#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Many short connections, each of another kind: random family, place, closer,
bytes, pauses and resets, some at a time. account.py says what became of them.

usage: storm.py [--count N] [--at-once N] [--seed N]
                --place NAME,NETNS,NETNS,IP,IP,IP6,IP6 [--place ...]

Prints when it begins and ends, as traffic.py does.
"""
import argparse
import os
import random
import socket
import struct
import sys
import time

from agent import enter_netns, set_comm
from traffic import emit, emit_clock

PATIENCE = 60 * int(os.environ.get("TCPHS_SLOW", 1))	# see lib.sh


def make_listeners(place):
    """A worker's own: (client's netns, listening socket) for each family"""
    _, net_c, net_s, _, ip, _, ip6 = place
    enter_netns("/run/netns/" + net_s)
    for family, addr in ((socket.AF_INET, ip), (socket.AF_INET6, ip6),
                         (socket.AF_INET6, "::ffff:" + ip)):
        listener = socket.socket(family)
        listener.bind((addr, 0))
        listener.listen(16)
        listener.settimeout(PATIENCE)
        yield net_c, listener


def drain(sock):
    """Reads until the peer ends it, whichever way"""
    try:
        while sock.recv(65536):
            pass
    except ConnectionError:
        pass


def talk(rng, ends):
    for _ in range(rng.randrange(3)):
        sender, reader = rng.sample(ends, 2)
        size = rng.randrange(1, 5000)
        sender.sendall(bytes(size))
        if rng.random() < 0.8:		# else it lies there unread
            while size:
                size -= len(reader.recv(size))


def finish(rng, ends):
    first, second = rng.sample(ends, 2)
    way = rng.random()
    if way < 0.2:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("=ii", 1, 0))
    elif way < 0.3:
        first.shutdown(socket.SHUT_WR)
        drain(second)
        try:
            second.sendall(bytes(rng.randrange(1, 5000)))
        except ConnectionError:
            pass
        second.close()
        drain(first)
        first.close()
        return
    elif way < 0.5:
        # Reads all and answers the FIN, or the reset.
        first.shutdown(socket.SHUT_WR)
        drain(second)
        second.close()
        drain(first)
        first.close()
        return
    first.close()
    if way > 0.7:
        time.sleep(rng.random() * 0.02)
    second.close()


def one(rng, listeners):
    netns, listener = rng.choice(listeners)
    enter_netns("/run/netns/" + netns)
    client = socket.socket(listener.family)
    client.settimeout(PATIENCE)
    client.connect(listener.getsockname()[:2])
    server, _ = listener.accept()
    server.settimeout(PATIENCE)
    ends = [client, server]
    talk(rng, ends)
    finish(rng, ends)


def work(number, count, places, seed):
    set_comm("storm-%d" % number)
    rng = random.Random(seed * 1000 + number)
    listeners = [one for place in places for one in make_listeners(place)]
    for _ in range(count):
        one(rng, listeners)
    # A FIN that still waits for its answer is not cut off.
    time.sleep(1)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--count", type=int, default=1500)
    args.add_argument("--at-once", type=int, default=8)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--place", action="append", required=True)
    args = args.parse_args()
    places = [p.split(",") for p in args.place]
    emit_clock()
    emit(kind="begin", mono=time.monotonic_ns(), seed=args.seed)
    workers = []
    for number in range(args.at_once):
        share = (args.count + number) // args.at_once
        pid = os.fork()
        if not pid:
            status = 1
            try:
                work(number, share, places, args.seed)
                status = 0
            finally:
                if status:
                    sys.excepthook(*sys.exc_info())
                sys.stderr.flush()
                os._exit(status)
        workers.append(pid)
    failed = sum(os.waitpid(pid, 0)[1] != 0 for pid in workers)
    emit(kind="end", mono=time.monotonic_ns())
    emit_clock()
    return failed


if __name__ == "__main__":
    sys.exit(main())
