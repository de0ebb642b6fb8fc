#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A reader of /proc/tcphs/events that behaves as told, and writes the bytes
that it got into FILE.

usage: reader.py follow FILE	reads, sleeping in read(), until end of file
       reader.py poll FILE	reads, sleeping in poll(), until end of file
       reader.py late FILE	opens, and reads only when its stdin ends

Says "ready" when it has opened. At the end it says how it ended: "eof" or the
name of an error.
"""
import errno
import os
import select
import sys

from records import EVENTS, drain


def follow(fd, out):
    while True:
        got = os.read(fd, 1 << 16)
        if not got:
            return "eof"
        out.write(got)


def poll(fd, out):
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    while True:
        poller.poll()
        got = os.read(fd, 1 << 16)
        if not got:
            return "eof"
        out.write(got)


def late(fd, out):
    sys.stdin.read()
    out.write(drain(fd))
    return "done"


def main():
    how, name = sys.argv[1:]
    fd = os.open(EVENTS, os.O_RDONLY)
    print("ready", flush=True)
    with open(name, "wb", buffering=0) as out:
        try:
            ended = {"follow": follow, "poll": poll, "late": late}[how](fd, out)
        except OSError as err:
            ended = errno.errorcode[err.errno]
    print(ended, flush=True)


if __name__ == "__main__":
    main()
