#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Four processes listen at one port; as many connections as the kernel deals out.

usage: reuseport.py --traffic FILE COMMAND	COMMAND runs before accept()
       reuseport.py --judge FILE TIMELINE	prints "ok" or "not ok" lines
"""
import json
import os
import socket
import subprocess
import sys
import time

GROUP, CONNECTIONS = 4, 40


def listen(port):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(CONNECTIONS)
    return sock


def accept_all(sock, go):
    """Says how many, and from which ports"""
    os.read(go, 1)
    sock.setblocking(False)
    ports = []
    try:
        while True:
            taken, peer = sock.accept()
            ports.append(peer[1])
            taken.close()
    except BlockingIOError:
        return ports


def traffic(path, command):
    wait, go = os.pipe()
    answers, answer = os.pipe()
    holder = socket.socket()		# bound alone, so that the port stays free
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    port = holder.getsockname()[1]
    for _ in range(GROUP):
        if not os.fork():
            sock = listen(port)
            os.write(answer, b"l")
            row = {"pid": os.getpid(), "port": port, "clients": accept_all(sock, wait)}
            os.write(answer, (json.dumps(row) + "\n").encode())
            os._exit(0)
    for _ in range(GROUP):
        os.read(answers, 1)
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    # The last one's third segment may be on its way.
    time.sleep(0.5)
    status = subprocess.run(command, shell=True).returncode
    os.write(go, b"g" * GROUP)
    os.close(answer)
    with open(path, "w") as out, os.fdopen(answers) as lines:
        out.writelines(lines)
    for client in clients:
        client.close()
    return status


def judge(truth, timeline):
    with open(truth) as rows:
        group = [json.loads(row) for row in rows]
    with open(timeline) as rows:
        told = [json.loads(row) for row in rows]
    port = group[0]["port"]
    whose = {client: row["pid"] for row in group for client in row["clients"]}
    results = [("all were accepted", sum(len(row["clients"]) for row in group),
                CONNECTIONS)]
    for i, row in enumerate(group):
        listener = [(t["syns"], t["synacks"], t["dropped"]) for t in told
                    if (t["kind"], t["pid"] if t["kind"] == "listener" else 0) ==
                    ("listener", row["pid"]) and t["port"] == port]
        n = len(row["clients"])
        results.append(("listener %d: SYNs, SYN,ACKs, dropped" % i, listener,
                        [(n, n, 0)]))
    wrong = ["port %d: %s, it was %d" % (c["client"]["port"], c["server"]["pid"],
                                         whose[c["client"]["port"]])
             for c in told if c["kind"] == "connection" and
             c["server"]["port"] == port and c["client"]["port"] in whose and
             c["server"]["pid"] != whose[c["client"]["port"]]]
    results.append(("before accept() each is its listener's", wrong, []))
    for name, got, expected in results:
        print("ok - " + name if got == expected else
              "not ok - %s\n# got %s, expected %s" % (name, got, expected))


if __name__ == "__main__":
    sys.exit({"--traffic": traffic, "--judge": judge}[sys.argv[1]](*sys.argv[2:]))
