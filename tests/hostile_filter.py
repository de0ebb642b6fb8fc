#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes anything into /proc/tcphs/filter and knows what must come of it: a
second description of the filter's language, in Python, is asked first. Then
several write at once, and what stands there at the end must be a filter.

usage: hostile_filter.py [SEED [WRITES]]
Prints "ok NAME" or "not ok NAME".
"""
import errno
import os
import random
import sys
import time

FILTER = "/proc/tcphs/filter"
TEXT_MAX, NETNS_MAX = 4096, 64
SPACE = b" \t\n\v\f\r\xa0"	# isspace() in the kernel
ENOUGH = 20			# wrong answers shown


def say(name, problems=()):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for problem in problems:
        print("\t%s" % problem)


class Wrong(Exception):
    """A write that is refused, with this errno"""


def number(word, limit):
    digits = word[1:] if word[:1] == b"+" else word
    if not digits or any(c not in b"0123456789" for c in digits):
        raise Wrong(errno.EINVAL)
    if not 0 < int(digits) < limit:
        raise Wrong(errno.EINVAL)
    return int(digits)


def parse(text):
    """What a text sets: (ports, netns), or None for "off"; raises Wrong"""
    ports, netns, off, seen = set(), [], False, False
    for line in text.split(b"\n"):
        line = line.strip(SPACE)
        if not line:
            continue
        word, *rest = line.replace(b"\t", b" ").split(b" ")
        rest = [r for r in rest if r]
        if word == b"off":
            if line != b"off":
                raise Wrong(errno.EINVAL)
            off = True
        elif word == b"port" and rest:
            ports |= {number(r, 1 << 16) for r in rest}
        elif word == b"netns" and rest:
            for r in rest:
                value = number(r, 1 << 32)
                if len(netns) == NETNS_MAX:
                    raise Wrong(errno.E2BIG)
                netns.append(value)
        else:
            raise Wrong(errno.EINVAL)
        seen = True
    if not seen or off and (ports or netns):
        raise Wrong(errno.EINVAL)
    return None if off else (ports, netns)


def shown(filter_):
    if filter_ is None:
        return b"off\n"
    ports, netns = filter_
    text = b""
    if ports:
        text += b"port %s\n" % b" ".join(b"%d" % p for p in sorted(ports))
    if netns:
        text += b"netns %s\n" % b" ".join(b"%d" % n for n in netns)
    return text


class File:
    """One open file: its writes make one filter, as far as they go together"""

    def __init__(self):
        self.fd = os.open(FILTER, os.O_RDWR)
        self.written = b""

    def write(self, text):
        """What this must do: the filter; raises Wrong"""
        if len(text) > TEXT_MAX - len(self.written):
            raise Wrong(errno.E2BIG)
        if b"\0" in text:
            raise Wrong(errno.EINVAL)
        try:
            filter_ = parse(self.written + text)
            self.written += text
        except Wrong as wrong:
            if wrong.args[0] != errno.EINVAL or not self.written:
                raise
            filter_ = parse(text)
            self.written = text
        return filter_


def word(dice):
    return dice.choice((
        lambda: b"port", lambda: b"netns", lambda: b"off",
        lambda: b"%d" % dice.randrange(1, 65536),
        lambda: b"%d" % dice.choice((0, 65535, 65536, 1 << 32, (1 << 32) - 1,
                                     1 << 64, 4026531840)),
        lambda: dice.choice((b"+80", b"-1", b"0x50", b"80,443", b"080", b"8 0",
                             b"PORT", b"of", b"offf", b"ports", b"%n%s", b"")),
        lambda: dice.randbytes(dice.randrange(1, 8))))()


def text(dice):
    kind = dice.random()
    if kind < 0.35:	# right
        line = dice.choice((b"off", b"port %d" % dice.randrange(1, 65536),
                            b"port 80\t443  8080 ", b"netns 4026531840",
                            b"netns 1 2 3\nport 7 8", b"\n\n port 80\r\n"))
        return line + dice.choice((b"", b"\n"))
    if kind < 0.45:	# much
        return b"port " + b" ".join(b"%d" % dice.randrange(1, 65536)
                                    for _ in range(dice.randrange(1, 900)))
    if kind < 0.5:
        return b"netns " + b" ".join(b"%d" % dice.randrange(1, 1 << 32)
                                     for _ in range(dice.randrange(60, 70)))
    if kind < 0.55:
        return dice.randbytes(dice.choice((1, 100, 4095, 4096, 4097, 9000)))
    glue = (b" ", b"\n", b"\t", b"  ", b"\r\n", b"\0", b"\v", b"")
    return b"".join(word(dice) + dice.choice(glue)
                    for _ in range(dice.randrange(1, 7))) or b"x"


def current():
    with open(FILTER, "rb") as f:
        return f.read()


def against_model(dice, count):
    wrong, took, refused = [], 0, 0
    expected = current()
    file = File()
    for _ in range(count):
        if dice.random() < 0.5:
            os.close(file.fd)
            file = File()
        what = text(dice)
        try:
            answer = file.write(what)
            expected, wanted = shown(answer), len(what)
            took += 1
        except Wrong as why:
            wanted = -why.args[0]
            refused += 1
        try:
            got = os.write(file.fd, what)
        except OSError as why:
            got = -why.errno
        now = current()
        if got != wanted or now != expected:
            wrong.append("%r: %d, expected %d; then %r, expected %r" % (
                what[:200], got, wanted, now[:200], expected[:200]))
            expected = now
            os.close(file.fd)
            file = File()
    os.close(file.fd)
    say("%d writes were taken and %d refused, each as it must be" %
        (took, refused), wrong[:ENOUGH])
    say("both happened often", [] if min(took, refused) > count / 10 else
        ["%d and %d" % (took, refused)])


def at_once(dice, seconds):
    children = []
    for _ in range(4):
        seed = dice.random()
        child = os.fork()
        if not child:
            own = random.Random(seed)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                fd = os.open(FILTER, os.O_RDWR)
                for _ in range(own.randrange(1, 4)):
                    try:
                        os.write(fd, text(own))
                        os.read(fd, 100)
                    except OSError:
                        pass
                os.close(fd)
            os._exit(0)
        children.append(child)
    broken = set()
    while children:
        now = current()
        try:
            if shown(parse(now)) != now:
                broken.add("not as it is written: %r" % now[:200])
        except Wrong:
            broken.add("no filter: %r" % now[:200])
        child, status = os.waitpid(-1, os.WNOHANG)
        if child:
            children.remove(child)
            if status:
                broken.add("a writer ended with status %d" % status)
    say("while four write at once it is always a whole filter",
        list(broken)[:ENOUGH])


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    print("# seed %d" % seed)
    dice = random.Random(seed)
    against_model(dice, count)
    at_once(dice, 5)
    with open(FILTER, "wb", buffering=0) as f:
        f.write(b"off\n")
    say("and off is off", [] if current() == b"off\n" else [current()])


if __name__ == "__main__":
    main()
