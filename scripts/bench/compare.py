#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares what recording costs with what it cost, both beside ftrace. Prints KTAP.

usage: compare.py BENCH.json RECORDED.json [FILE-TO-WRITE]
"""
import json
import sys

import report

LIMIT = 1.05
YARDSTICK = 'ftrace event'


def main():
    with open(sys.argv[1]) as file:
        _, added = report.added(json.load(file))
    yardstick = added.pop(YARDSTICK)['connect'][0]
    shares = {tracer: loads['connect'][0] / yardstick for tracer, loads in added.items()}
    if len(sys.argv) > 3 and sys.argv[3]:
        with open(sys.argv[3], 'w') as file:
            json.dump({tracer: round(share, 3) for tracer, share in shares.items()}, file,
                      indent=1)
            file.write('\n')
    with open(sys.argv[2]) as file:
        recorded = json.load(file)
    print('TAP version 13')
    failed = False
    for number, (tracer, was) in enumerate(recorded.items(), 1):
        over = shares[tracer] > was * LIMIT
        failed |= over
        print(f'{"not " if over else ""}ok {number} {tracer}: {shares[tracer]:.3f} of what '
              f'ftrace\'s event adds, it was {was:.3f}')
    print(f'1..{len(recorded)}')
    return failed


if __name__ == '__main__':
    sys.exit(main())
