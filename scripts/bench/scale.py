#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Is the reader's cost a straight line? For scripts/bench/scale.sh.

usage: scale.py TCPHS TOOLS RECORDING OUTPUT.json [COMMAND...]

TOOLS is a directory with multiply and usage, the programs beside this one.

Each command reads recordings of more and more connections, which multiply(1) makes
of one real connection; nothing of it is in a file. There are two shapes: one where a
thousand connections a second come and go, with a minute of TIME_WAIT behind them, and
one where all are open at the same time.

User time per record and peak memory are measured for COUNTS.
Instructions, which are the same in each run, are counted for COUNTED, by cachegrind
without its caches; it is too slow for a million. What starting the program takes is
measured with BASE connections, and taken away.
"""
import json
import os
import re
import subprocess
import sys

COUNTS = [int(n) for n in os.environ.get('COUNTS', '10000 100000 1000000').split()]
COUNTED = [int(n) for n in os.environ.get('COUNTED', '1000 10000').split()]
COMMANDS = ['list', 'timeline', 'live', 'events --json']
BASE = 10
PORT = '7002'
# name: ns from one connection to the next, and for how long each of COUNT is open
SHAPES = {
    'come and go': (1000000, lambda count: 0),
    'all open': (100000, lambda count: count * 100000),
}
# What a million may cost more than ten thousand, as a share, per record: of
# instructions, and of time, in which caches and neighbours have a say.
INSTRUCTIONS_LIMIT = 1.1
TIME_LIMIT = 3.0
# And memory, per connection: arrays double.
MEMORY_LIMIT = 1.5
# One connection of the second shape takes so much of it at the most.
OPEN_BYTES = 8192


class Scale:
    def __init__(self, tcphs, tools, recording):
        self.tcphs, self.tools, self.recording = tcphs, tools, recording
        with subprocess.Popen(self.maker(1, 'come and go'), stdout=subprocess.PIPE) as made:
            # A header, and the two records of the listener.
            self.per_connection = (len(made.stdout.read()) - 256) // 128 - 2

    def maker(self, count, shape):
        gap, hold = SHAPES[shape]
        return [self.tools + '/multiply', self.recording, PORT, str(count), str(gap), str(hold(count))]

    def records(self, count):
        return count * self.per_connection

    def run(self, words, count, shape):
        """The command reads so many connections. Return: what it says to stderr."""
        with subprocess.Popen(self.maker(count, shape), stdout=subprocess.PIPE) as made:
            reader = subprocess.run(words, stdin=made.stdout, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True, check=False)
        if reader.returncode or made.returncode:
            raise RuntimeError(f'{" ".join(words)} ended with {reader.returncode}, multiply '
                               f'with {made.returncode}: {reader.stderr}')
        return reader.stderr

    def measure(self, command, count, shape):
        """Seconds of user time, the shortest; KiB of memory."""
        words = ['sh', '-c', 'exec "$@" 3>&2 2>/dev/null', 'sh', self.tools + '/usage',
                 self.tcphs] + command.split() + ['-r', '-']
        # Short runs are disturbed most.
        runs = [self.run(words, count, shape).split()
                for _ in range(3 if count < 50000 else 1)]
        return min(int(run[0]) for run in runs) / 1e6, max(int(run[1]) for run in runs)

    def count(self, command, count, shape):
        """Instructions."""
        words = ['valgrind', '--tool=cachegrind', '--cache-sim=no',
                 '--cachegrind-out-file=/dev/null', self.tcphs] + command.split() + ['-r', '-']
        return int(re.search(r'I +refs: +([\d,]+)', self.run(words, count, shape)).group(1).replace(',', ''))

    def points(self, command, shape):
        """A row for each number of connections."""
        base_time, base_kb = self.measure(command, BASE, shape)
        base = self.count(command, BASE, shape) if COUNTED else 0
        for count in sorted(set(COUNTS + COUNTED)):
            row = {'command': command, 'shape': shape, 'connections': count}
            records = self.records(count - BASE)
            if count in COUNTED:
                row['instructions'] = (self.count(command, count, shape) - base) / records
            if count in COUNTS:
                if shape == 'all open' and count * OPEN_BYTES > available_bytes():
                    print(f'{command}: {count:,} connections, {shape}: left out, '
                          f'{count * OPEN_BYTES >> 20:,} MiB of memory are not free',
                          file=sys.stderr)
                    continue
                seconds, kb = self.measure(command, count, shape)
                row['ns'] = (seconds - base_time) / records * 1e9
                row['mib'] = kb / 1024
                row['bytes'] = (kb - base_kb) * 1024 / count
            yield row


def available_bytes():
    with open('/proc/meminfo') as file:
        return int(re.search(r'MemAvailable: +(\d+)', file.read()).group(1)) * 1024


def say(row):
    def cell(name, form):
        return format(row[name], form) if name in row else ''

    print(f'| {row["command"]} | {row["shape"]} | {row["connections"]:,} | '
          f'{cell("instructions", ",.0f")} | {cell("ns", ",.0f")} | {cell("mib", ",.1f")} | '
          f'{cell("bytes", ",.0f")} |', flush=True)


def grown(rows, name):
    """How much more the last one has than the first one, as a factor."""
    values = [row[name] for row in rows if name in row]
    return values[-1] / values[0] if len(values) > 1 and values[0] > 0 else None


def bent(rows):
    """What is no straight line."""
    for name, unit, limit in (('instructions', 'instructions per record', INSTRUCTIONS_LIMIT),
                              ('ns', 'time per record', TIME_LIMIT),
                              ('bytes', 'memory per connection', MEMORY_LIMIT)):
        factor = grown(rows, name)
        if factor is not None and factor > limit:
            yield (f'{rows[0]["command"]}, {rows[0]["shape"]}: {unit} grew to {factor:.2f} '
                   f'times, the limit is {limit}')


def main():
    tcphs, tools, recording, output = sys.argv[1:5]
    if min(COUNTS + COUNTED) <= BASE:
        sys.exit(f'COUNTS, COUNTED: more than {BASE} connections are meant')
    scale = Scale(tcphs, tools, recording)
    rows, wrong = [], []
    print('| command | connections | how many | instructions/record | ns/record | peak MiB '
          '| bytes/connection |')
    print('| --- | --- | ---: | ---: | ---: | ---: | ---: |')
    for command in sys.argv[5:] or COMMANDS:
        for shape in SHAPES:
            found = []
            for row in scale.points(command, shape):
                say(row)
                found.append(row)
            rows += found
            wrong += bent(found)
    with open(output, 'w') as file:
        json.dump({'records_per_connection': scale.per_connection, 'rows': rows}, file, indent=1)
    for line in wrong:
        print(f'not a straight line: {line}')
    return bool(wrong)


if __name__ == '__main__':
    sys.exit(main())
