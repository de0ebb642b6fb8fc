#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Is a record lost, and if so, is it counted? Runs in the VM, on all its CPUs.

usage: full.py OUTPUT.json

MINUTE=60 seconds of connections as fast as the VM makes them, one load per CPU, while a
reader runs; FLOOD=100000 spoofed SYNs; and a reader that is stopped meanwhile and
comes back. What was read and what was lost must be what /proc/tcphs/stats says was
written. Ends with 1 where it is not, or where `record` or `live` lost any at the full
rate.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time

import guest
import smp

MINUTE = int(os.environ.get('MINUTE', '60'))
FLOOD = int(os.environ.get('FLOOD', '100000'))
CENSUS = '/bench/census'
RECORDING = '/tmp/record.tcphs'
FILTER = '/proc/tcphs/filter'
READERS = {
    'record': ['record', '-o', RECORDING],
    'live': ['live'],
    'live --json': ['live', '--json'],
}
CHOSEN = os.environ.get('READERS', ','.join(READERS)).split(',')


def stats():
    with open('/proc/tcphs/stats') as file:
        pairs = (line.split(None, 1) for line in file)
        return {name: int(value) for name, value in pairs if value.strip().isdigit()}


def written():
    """By CPU."""
    found = stats()
    return [found[f'cpu{cpu}_written'] for cpu in range(os.cpu_count())]


def quiet(on):
    """Nothing is recorded any more, or all is."""
    with open(FILTER, 'w') as file:
        file.write('port 9\n' if on else 'off\n')
    time.sleep(0.5)


def churn(netns, seconds):
    """Connections of all CPUs. Return: how many."""
    loads = smp.ready(netns, ['churn', str(seconds)], 7100)
    smp.release(loads)
    counts = [int(load.stdout.readline()) for load in loads]
    smp.end(loads)
    return sum(counts)


def few(netns):
    """Connections that the smallest ring has room for, on each CPU."""
    loads = smp.ready(netns, ['connect', '8'], 7100)
    smp.release(loads)
    smp.end(loads)


class Reader(guest.Tracer):
    def __init__(self, name):
        super().__init__()
        self.name = name
        if os.path.exists(RECORDING):
            os.unlink(RECORDING)
        self.start(guest.TCPHS, *READERS[name])
        # It tells what happens from the moment that it waits for it.
        self.catch_up()

    def run_ns(self):
        with open(f'/proc/{self.reader.pid}/schedstat') as file:
            return int(file.read().split()[0])

    def catch_up(self):
        """Waits until it waits."""
        before = -1e9
        while self.run_ns() - before > 20e6 or self.runs():
            before = self.run_ns()
            time.sleep(1)

    def runs(self):
        with open(f'/proc/{self.reader.pid}/stat') as file:
            return file.read().rsplit(')', 1)[1].split()[0] == 'R'

    def counts(self):
        """Ends it. Return: records read and lost, and in how many gaps."""
        said = self.stop()
        if self.name == 'record':
            found = census()
            return [sum(value for key, value in found.items() if key.endswith(what))
                    for what in ('_read', '_lost', '_gaps')]
        told, lost = (int(number.replace(',', '')) for number in
                      re.search(r'([\d,]+) records, ([\d,]+) lost', said).groups())
        mark = '"kind":"lost"' if 'json' in self.name else ' lost on CPU'
        with open('/tmp/output') as file:
            gaps = sum(mark in line.replace('": "', '":"') for line in file)
        # A gap is a record that the reader was told.
        return told - gaps, lost, gaps


def census():
    done = subprocess.run([CENSUS, RECORDING], text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return {name: int(value) for name, value in map(str.split, done.stdout.splitlines())}


def under_reader(name, load):
    """load() with a reader. Return: a row, with what load() returned as units."""
    module = guest.Module()
    module.begin()
    reader = Reader(name)
    before = sum(written())
    begin = time.monotonic()
    units = load()
    seconds = time.monotonic() - begin
    quiet(True)
    reader.catch_up()
    total = sum(written()) - before
    read, lost, gaps = reader.counts()
    row = {'reader': name, 'units': units, 'seconds': seconds, 'written': total,
           'read': read, 'lost': lost, 'gaps': gaps, 'exact': read + lost == total}
    if name == 'record':
        row['syns'] = census()['syns']
    module.end()
    print(row, file=sys.stderr, flush=True)
    return row


def flood():
    words = ['flood', str(FLOOD), '/run/netns/server']
    loads = smp.ready(['client'], words, 7100, pin=False)
    smp.release(loads)
    smp.end(loads)
    # And a quarter as a warm-up.
    return FLOOD + FLOOD // 4


def settle(netns):
    """Waits for the end of what a flood has left half open: a timer takes each of them
    away, up to half a minute later, and the next row would be told of it."""
    table = ['ip', 'netns', 'exec', netns, 'cat', '/proc/net/tcp']
    syn_recv = '03'
    while any(line.split()[3] == syn_recv for line in
              subprocess.check_output(table, text=True).splitlines()):
        time.sleep(1)


def overflow(netns, size):
    """Writes more than a ring holds, on each CPU."""
    before = written()
    while min(now - was for now, was in zip(written(), before)) < 3 * size:
        churn(netns, 1)


def stopped(netns, quiet_return):
    """A reader stands still while more is written than a (small) ring holds."""
    module = guest.Module()
    module.parameters = module.parameters + ['ring_kb=64']
    module.begin()
    size = stats()['records_per_cpu']
    reader = Reader('record')
    few(netns)
    quiet(True)
    reader.catch_up()
    before = written()
    reader.reader.send_signal(signal.SIGSTOP)
    quiet(False)
    overflow(netns, size)
    if quiet_return:
        quiet(True)
        reader.reader.send_signal(signal.SIGCONT)
    else:
        reader.reader.send_signal(signal.SIGCONT)
        overflow(netns, size)
        quiet(True)
    reader.catch_up()
    after = written()
    reader.stop()
    found = census()
    module.end()
    rows = []
    for cpu, (was, now) in enumerate(zip(before, after)):
        row = {'cpu': cpu, 'written': now, 'read': found[f'cpu{cpu}_read'],
               'lost': found[f'cpu{cpu}_lost'], 'gaps': found[f'cpu{cpu}_gaps']}
        row['exact'] = row['read'] + row['lost'] == now and row['lost'] > 0
        if quiet_return:
            # All that was overwritten, but what had been read before.
            row['overwritten'] = now - size - was
            row['exact'] &= row['lost'] == row['overwritten'] and row['gaps'] == 1
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
    return rows


def main():
    found = {'cpus': os.cpu_count()}
    os.environ['LC_ALL'] = 'C'
    with smp.namespaces(os.cpu_count()) as netns:
        found['stopped'] = stopped(netns, True)
        found['stopped, back under load'] = stopped(netns, False)
    found['full'] = []
    for name in CHOSEN:
        with smp.namespaces(os.cpu_count()) as netns:
            found['full'].append(under_reader(name, lambda: churn(netns, MINUTE)))
    found['flood'] = []
    for name in CHOSEN:
        with guest.namespaces(True):
            found['flood'].append(under_reader(name, flood))
            settle('server')
    with open(sys.argv[1], 'w') as file:
        json.dump(found, file, indent=1)
    rows = found['stopped'] + found['stopped, back under load'] + found['full'] + found['flood']
    return not all(row['exact'] for row in rows) or any(
        row['lost'] for row in found['full'] if row['reader'] in ('record', 'live'))


if __name__ == '__main__':
    sys.exit(main())
