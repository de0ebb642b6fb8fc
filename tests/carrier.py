#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A wire that is a process, as a VPN's daemon is: makes a tap device "eth0" in each
of two network namespaces and carries what one sends to the other, until it is
killed. What it writes goes up the stack at once, with it as the current process.

usage: carrier.py NETNS NETNS
"""
import fcntl
import os
import select
import struct
import sys

from agent import enter_netns, set_comm

TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000


def make_tap(netns):
    enter_netns("/run/netns/" + netns)
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"eth0", IFF_TAP | IFF_NO_PI))
    return fd


def main():
    set_comm("carrier")
    ends = [make_tap(netns) for netns in sys.argv[1:3]]
    other = dict(zip(ends, reversed(ends)))
    print("ready", flush=True)
    while True:
        for end in select.select(ends, [], [])[0]:
            frame = os.read(end, 65536)
            try:
                os.write(other[end], frame)
            except OSError:
                pass		# its device is down


if __name__ == "__main__":
    sys.exit(main())
