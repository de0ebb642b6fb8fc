#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Connections whose ends have users, marks and cgroups of their own, for
credentials.sh. Prints for each end: name, which end, netns, the client's port,
uid, mark, cgroup.

usage: credentials.py --place NAME,NETNS,NETNS,IP,IP,IP6,IP6 [--place ...]
                      CGROUP-OF-CLIENTS CGROUP-OF-SERVERS
"""
import argparse
import os
import socket
import sys

from agent import enter_netns
from traffic import FAMILIES

SO_MARK = 36
CLIENT, SERVER = ("client", 1001, 0xbeef), ("server", 1002, 7)


def become(netns, cgroup):
    """A socket has the cgroup of who makes it"""
    with open(os.path.join(cgroup, "cgroup.procs"), "w") as f:
        f.write(str(os.getpid()))
    enter_netns("/run/netns/" + netns)


def make(who, family, addr):
    """And its user; only root marks it"""
    _, uid, mark = who
    os.seteuid(uid)
    sock = socket.socket(socket.AF_INET if family == "inet" else
                         socket.AF_INET6)
    os.seteuid(0)
    sock.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
    sock.bind((addr, 0))
    return sock


def serve(pipe, netns, cgroup, family, addr):
    become(netns, cgroup)
    listener = make(SERVER, family, addr)
    listener.listen(1)
    pipe.send(b"%d\n" % listener.getsockname()[1])
    # The socket that accept() gives is its caller's.
    os.seteuid(SERVER[1])
    sock, _ = listener.accept()
    os.seteuid(0)
    sock.recv(1)
    sock.close()
    listener.close()


def connect(pipe, netns, cgroup, family, addr, to):
    become(netns, cgroup)
    sock = make(CLIENT, family, addr)
    sock.connect((to, int(pipe.recv(16))))
    port = sock.getsockname()[1]
    sock.close()
    return port


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--place", action="append", required=True)
    args.add_argument("cgroup", nargs=2)
    args = args.parse_args()
    for place in (p.split(",") for p in args.place):
        for family in FAMILIES:
            name, net_c, net_s, *addr = place
            here, there = addr[2:] if family == "inet6" else addr[:2]
            if family == "v4mapped":
                here, there = "::ffff:" + here, "::ffff:" + there
            ours, theirs = socket.socketpair()
            child = os.fork()
            if not child:
                status = 1
                try:
                    serve(theirs, net_s, args.cgroup[1], family, there)
                    status = 0
                finally:
                    if status:
                        sys.excepthook(*sys.exc_info())
                    sys.stderr.flush()
                    os._exit(status)
            port = connect(ours, net_c, args.cgroup[0], family, here, there)
            if os.waitpid(child, 0)[1]:
                return 1
            for who, netns, cgroup in ((CLIENT, net_c, args.cgroup[0]),
                                       (SERVER, net_s, args.cgroup[1])):
                print("%s.%s" % (family, name), who[0],
                      os.stat("/run/netns/" + netns).st_ino, port, who[1],
                      who[2], os.stat(cgroup).st_ino, flush=True)
    # The cgroups are to be removed.
    with open(os.path.join(os.path.dirname(args.cgroup[0]), "cgroup.procs"),
              "w") as f:
        f.write(str(os.getpid()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
