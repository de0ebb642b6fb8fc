#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Damages a recording in random places, again and again, and has it read.
The reader must end by itself, with a status of its contract. What a run did is
repeated by SEED=. usage: reader_noise.py READER RECORDING SCRATCH
"""
import os
import random
import subprocess
import sys

ROUNDS = 40


def damage(rng, good):
    bad = bytearray(good)
    for _ in range(rng.choice((1, 1, 3, 50))):
        # The header and the first records deserve more of it.
        end = rng.choice((256, 256 + 128 * 4, len(bad)))
        bad[rng.randrange(8, end)] = rng.choice((0, 0xff, rng.randrange(256)))
    if rng.random() < 0.3:
        del bad[rng.randrange(len(bad)):]
    return bad


def main():
    tool, good, scratch = sys.argv[1:]
    seed = os.environ.get("SEED") or str(random.randrange(1 << 32))
    rng = random.Random(seed)
    with open(good, "rb") as f:
        good = f.read()
    for i in range(ROUNDS):
        with open(scratch, "wb") as f:
            f.write(damage(rng, good))
        command = [tool, "-r", scratch] + [["timeline"], ["events", "--json"],
                                           ["list", "--json"],
                                           ["timeline", "--json"]][i % 4]
        try:
            status = subprocess.run(command, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, timeout=60)
        except subprocess.TimeoutExpired:
            sys.exit("SEED=%s, round %d: no end: %s" % (seed, i, command))
        if status.returncode not in (0, 1) or (status.returncode == 1 and
                                               not status.stderr):
            sys.exit("SEED=%s, round %d: status %d: %s\n%s" % (
                seed, i, status.returncode, command,
                status.stderr.decode(errors="replace")[-2000:]))


if __name__ == "__main__":
    main()
