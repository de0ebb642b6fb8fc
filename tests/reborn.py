#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A network namespace that gets the number of one that is gone, and runs COMMAND.

usage: reborn.py INODE COMMAND...	(as root of a user namespace)

The kernel gives the lowest number that is free, to a namespace of any kind and to
each file of a network namespace's /proc/net: UTS namespaces, which take one each, hold
what is lower, until INODE is next. How many files come before the namespace itself
depends on the kernel (7.2: none, 5.10: one): so many are let go again, by chance.
Exit status 1: INODE is not free, or went elsewhere: try again; else COMMAND's.
"""
import ctypes
import os
import random
import subprocess
import sys

CLONE_NEWUTS = 0x04000000
CLONE_NEWNET = 0x40000000
MANY = 1000
BEFORE = 2

libc = ctypes.CDLL(None, use_errno=True)


def unshare(flag, name):
    """Into a new namespace; its number, and a file that holds it"""
    if libc.unshare(flag):
        sys.exit("unshare: " + os.strerror(ctypes.get_errno()))
    file = os.open("/proc/self/ns/" + name, os.O_RDONLY)
    return os.fstat(file).st_ino, file


wanted = int(sys.argv[1])
held = []
for _ in range(MANY):
    number, file = unshare(CLONE_NEWUTS, "uts")
    if number > wanted:
        break
    if number < wanted:
        held.append(file)
        continue
    os.close(file)
    unshare(CLONE_NEWUTS, "uts")	# it is free from here on
    for file in held[len(held) - random.randrange(BEFORE):]:
        os.close(file)
    number, file = unshare(CLONE_NEWNET, "net")
    if number == wanted:
        sys.exit(subprocess.call(sys.argv[2:]))
    break
sys.exit(1)
