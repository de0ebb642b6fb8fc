#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Loads a module with the first allocation failing, then with the second, and
so on, until none is left to fail: by /proc/self/fail-nth, which counts those of
this task only. Prints "ok NAME" or "not ok NAME".

The kernel complains of its own failed vmalloc()s, in the name of this process,
"tcphs-faults": scripts/vmlog.sh lets that pass.

usage: failures.py MODULE.ko [PARAMETER=VALUE...]
"""
import collections
import ctypes
import errno
import os
import socket
import sys

from agent import set_comm

FINIT_MODULE, DELETE_MODULE = 313, 176	# x86-64
LIMIT = 20000
# Functions that the module watches: nobody else does here.
WATCHED = ("tcp_twsk_destructor", "reqsk_destructor", "security_sock_graft")

libc = ctypes.CDLL(None, use_errno=True)


def load(fd, words, nth):
    """Returns the error, and whether the fault came"""
    with open("/proc/thread-self/fail-nth", "r+b", buffering=0) as fail:
        os.write(fail.fileno(), b"%d" % nth)
        bad = libc.syscall(FINIT_MODULE, fd, words, 0)
        err = ctypes.get_errno() if bad else 0
        left = int(os.pread(fail.fileno(), 20, 0))
        os.write(fail.fileno(), b"0")
    return err, left == 0


def unload(name):
    if libc.syscall(DELETE_MODULE, name.encode(), os.O_NONBLOCK):
        raise OSError(ctypes.get_errno(), "delete_module")


def hooked():
    """Lines of the kernel's lists of kprobes and of traced functions that are ours"""
    ours = []
    for path in ("kprobes/list", "tracing/enabled_functions"):
        with open("/sys/kernel/debug/" + path, encoding="ascii") as f:
            ours += [path + ": " + line.strip() for line in f
                     if "tcphs" in line or any(name in line for name in WATCHED)]
    return ours


def connect(listener):
    """What hooks were left would be called, in a module that is gone"""
    client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    server.close()
    client.close()


def main():
    set_comm("tcphs-faults")
    fd = os.open(sys.argv[1], os.O_RDONLY)
    words = " ".join(sys.argv[2:]).encode()
    name = "tcphs"
    ends = collections.Counter()
    wrong, left = [], []
    listener = socket.create_server(("127.0.0.1", 0))
    load(fd, words, 0)
    if not hooked():
        wrong.append("a hook of a loaded module is not seen")
    unload(name)
    for nth in range(1, LIMIT):
        err, came = load(fd, words, nth)
        if not err:
            unload(name)
        if not came:
            break
        ends[errno.errorcode.get(err, "loaded")] += 1
        if err not in (0, errno.ENOMEM):
            wrong.append("%d: %s" % (nth, errno.errorcode[err]))
        for path in ("/proc/tcphs", "/sys/module/tcphs"):
            if os.path.exists(path):
                left.append("%d: %s" % (nth, path))
        # The kernel goes through all its functions for that list.
        if nth % 16 == 0:
            left += ["%d: %s" % (nth, line) for line in hooked()]
        connect(listener)
    left += ["at the end: " + line for line in hooked()]
    print("%s allocations fail one by one, %d of them: %s" % (
        "ok" if ends["ENOMEM"] and not came and not err else "not ok",
        sum(ends.values()), ", ".join("%s %d" % item
                                      for item in sorted(ends.items()))))
    print("%s each such load fails with ENOMEM or does without" %
          ("not ok" if wrong else "ok"))
    print("\n".join(wrong[:20]))
    print("%s nothing is left of it, hooks neither" % ("not ok" if left else "ok"))
    print("\n".join(left[:20]))


if __name__ == "__main__":
    main()
