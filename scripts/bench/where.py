#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Where the instructions go that readers cost: runs in the VM, with perf.

usage: where.py OUTPUT.json

While a load makes connections, all that runs is sampled each PERIOD instructions.
The samples of the reader's own threads tell what it did in the kernel, by symbol,
and in the reader, by address: where_report.py knows which file that is. Its
instructions are those that the scheduler has counted for it, without perf; of these
the samples are shares.
"""
import collections
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile

import guest

READERS = ['tcphs, record', 'tcphs, live', 'tcphs, live --json']
CONNECTIONS = 1200
PERIOD = 10000
DATA = '/tmp/perf.data'


def ran(pid):
    """What the threads of a process have run so far, ns."""
    total = 0
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/schedstat') as file:
            total += int(file.read().split()[0])
    return total


def base_of(pid):
    """Where the program was put."""
    with open(f'/proc/{pid}/maps') as maps:
        return int(next(maps).split('-')[0], 16)


@contextlib.contextmanager
def sampled(pid):
    """All threads of a process, into DATA. perf says itself when it has begun: how long
    that takes depends on a disk, and the VM's time does not."""
    with tempfile.TemporaryDirectory() as place:
        order, answer = place + '/order', place + '/answer'
        os.mkfifo(order)
        os.mkfifo(answer)
        orders, answers = os.open(order, os.O_RDWR), os.open(answer, os.O_RDWR)
        with subprocess.Popen(['perf', 'record', '-q', '-e', 'cpu-clock', '-c', str(PERIOD),
                               '-p', str(pid), '-o', DATA, '-D', '-1',
                               '--control', f'fifo:{order},{answer}']) as perf:
            try:
                os.write(orders, b'enable\n')
                while not select.select([answers], [], [], 1)[0]:
                    if perf.poll() is not None:
                        raise RuntimeError(f'perf record: status {perf.returncode}')
                yield
            finally:
                perf.send_signal(signal.SIGINT)
        os.close(orders)
        os.close(answers)


def ours():
    """The module's symbols: perf takes them for the kernel's."""
    with open('/proc/kallsyms') as file:
        return {line.split()[2] for line in file if line.endswith('[tcphs]\n')}


def samples(base):
    """(where, what) -> how many samples: a symbol of the kernel's, an address of ours."""
    found = collections.Counter()
    module = ours()
    lines = subprocess.run(['perf', 'script', '-i', DATA, '-F', 'ip,sym,dso'], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        match = re.fullmatch(r'\s*([0-9a-f]+) (.*) \((.*)\)', line)
        if not match:
            continue
        address, symbol, place = match.groups()
        if place == guest.TCPHS:
            found['reader', hex(int(address, 16) - base)] += 1
        elif place == '[tcphs]' or symbol in module:
            found['module', symbol] += 1
        elif place.startswith('['):
            found['kernel', symbol] += 1
        else:
            found['library', symbol] += 1
    return found


def measure(name):
    """A reader. Return: its instructions for a connection, and its samples."""
    tracer = guest.TRACERS[name]()
    tracer.begin()
    pid = tracer.reader.pid
    with guest.namespaces(False):
        guest.block(tracer, 'connect', 7100)
        before = ran(pid)
        guest.block(tracer, 'connect', 7101)
        # With the load's warm-up.
        instructions = (ran(pid) - before) / (CONNECTIONS * 1.25)
        with sampled(pid):
            guest.block(tracer, 'connect', 7102)
        found = samples(base_of(pid))
    tracer.end()
    return {'reader': name, 'instructions': instructions,
            'samples': [[place, what, count] for (place, what), count in found.items()]}


def main():
    guest.LOADS['connect'] = ('connection', CONNECTIONS, ['connect', str(CONNECTIONS)], False)
    # perf must not sample less because it thinks that it takes too long.
    with open('/proc/sys/kernel/perf_cpu_time_max_percent', 'w') as file:
        file.write('0')
    rows = [measure(name) for name in READERS]
    with open(sys.argv[1], 'w') as file:
        json.dump({'kernel': os.uname().release, 'rows': rows}, file)


if __name__ == '__main__':
    main()
