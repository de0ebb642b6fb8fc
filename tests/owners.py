#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Who owns an end, under load on every CPU.

One process listens, others that it forked accept, and connections are handed on
once more: half of them are closed by a child of the acceptor. Clients are
processes of their own; burners keep every CPU busy with softirqs' victims.
Prints what each process did as JSON lines: the truth to compare with.

With --judge FILE TIMELINE: compares, and prints "ok" or "not ok" lines.
"""
import argparse
import ctypes
import json
import os
import signal
import socket
import sys

LIBC = ctypes.CDLL(None)
PR_SET_NAME = 15


def name_process(name):
    LIBC.prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def child(name, job, *arguments):
    pid = os.fork()
    if pid:
        return pid
    name_process(name)
    try:
        job(*arguments)
    finally:
        os._exit(0)


def burn():
    while True:
        pass


def say(out, **row):
    os.write(out, (json.dumps(row) + "\n").encode())


def accept_all(listener, out, hand_on):
    """Until the listener's time-out; each other one is closed by a child."""
    turn = 0
    while True:
        try:
            taken, peer = listener.accept()
        except OSError:
            return
        taken.settimeout(30)
        say(out, end="server", port=peer[1], accepted=os.getpid(),
            comm=name_of(os.getpid()))
        turn += 1
        if hand_on and turn % 2:
            mine, its = os.pipe()
            pid = child("closer", close_later, taken, peer[1], out, mine)
            taken.close()
            # From here on the child's is the last one.
            os.write(its, b"g")
            os.waitpid(pid, 0)
            os.close(mine)
            os.close(its)
        else:
            taken.recv(1)
            taken.close()


def close_later(taken, port, out, go):
    say(out, end="server", port=port, closed=os.getpid())
    taken.recv(1)
    os.read(go, 1)
    taken.close()


def name_of(pid):
    with open("/proc/%d/comm" % pid) as comm:
        return comm.read().strip()


def connect_many(address, count, out):
    for _ in range(count):
        with socket.create_connection(address, timeout=30) as sock:
            say(out, end="client", port=sock.getsockname()[1],
                connected=os.getpid(), comm=name_of(os.getpid()))
            sock.sendall(b"x")


def traffic(path, count):
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    burners = [child("bystander", burn)
               for _ in range(2 * (os.cpu_count() or 1))]
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    address = listener.getsockname()
    listener.settimeout(4 * int(os.environ.get("TCPHS_SLOW", 1)))
    say(out, listener=address[1], pid=os.getpid())
    acceptors = [child("acceptor-%d" % i, accept_all, listener, out, i == 0)
                 for i in range(3)]
    clients = [child("client-%d" % i, connect_many, address, count, out)
               for i in range(4)]
    for pid in clients + acceptors:
        os.waitpid(pid, 0)
    for pid in burners:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def load(path):
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def judge(truth, told):
    rows = load(truth)
    port = next(row["listener"] for row in rows if "listener" in row)
    # On loopback a port may be used again after a second in TIME_WAIT: several
    # connections, in the order in which they were made.
    wanted, found = {}, {}
    for row in rows:
        if "port" in row:
            wanted.setdefault(row["port"], []).append(row)
    for c in load(told):
        if c["kind"] == "connection" and c["server"]["port"] == port:
            found.setdefault(c["client"]["port"], []).append(c)
    wrong = {"connect": [], "accept": [], "close": []}
    for number, facts in wanted.items():
        for key, word, end in (("connect", "connected", "client"),
                               ("accept", "accepted", "server")):
            true = [(fact[word], fact["comm"]) for fact in facts if word in fact]
            said = [(c[end]["pid"], c[end]["comm"])
                    for c in found.get(number, [])]
            if said != true:
                wrong[key].append((number, said, true))
        closers = [c["server"]["closed_by"] for c in found.get(number, [])]
        for fact in facts:
            if "closed" in fact and fact["closed"] not in [
                    closer["pid"] for closer in closers if closer]:
                wrong["close"].append((number, closers, fact))
    say_each(wrong, rows)


def say_each(wrong, rows):
    for key, word in (("connect", "connected"), ("accept", "accepted"),
                      ("close", "closed")):
        count = sum(word in row for row in rows)
        print("%s %d processes of %s() are the true ones" % (
            "not ok" if wrong[key] or not count else "ok", count, key))
        for what in wrong[key][:8]:
            print("# %s" % (what,))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--traffic", metavar="FILE")
    parser.add_argument("--count", type=int, default=25)
    parser.add_argument("--judge", nargs=2, metavar=("FILE", "TIMELINE"))
    options = parser.parse_args()
    if options.traffic:
        traffic(options.traffic, options.count)
    if options.judge:
        judge(*options.judge)
    return 0


if __name__ == "__main__":
    sys.exit(main())
