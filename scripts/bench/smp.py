#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Is a record dearer when all CPUs write at once? Runs in the VM, on all of its CPUs.

usage: smp.py OUTPUT.json SHIFT

One load per CPU, pinned, each in a network namespace of its own, begun together.
The VM's time counts the instructions of all its CPUs, 2^SHIFT ns each, and passes
over nothing as long as any of them works: so what elapses until the last load is
done is the instructions of all. SHIFT makes an instruction longer on fewer CPUs, so
that a CPU gets through as many in a second, and as many timer ticks come in between,
however many there are.

QEMU runs the CPUs in turn, and one that spins for another with PAUSE gives its turn
to the next: more work would be seen here, mere waiting would not. writers.py looks
for that.
"""
import contextlib
import json
import os
import subprocess
import sys
import time

import guest

ROUNDS = int(os.environ.get('ROUNDS', '5'))
COUNT = 200
TRACERS = ['none', 'tcphs segments=none', 'tcphs', 'ftrace event']


@contextlib.contextmanager
def namespaces(cpus):
    names = [f'cpu{cpu}' for cpu in range(cpus)]
    try:
        for name in names:
            guest.run('ip', 'netns', 'add', name)
            guest.run('ip', '-n', name, 'link', 'set', 'lo', 'up')
            # Who finds no room for a TIME_WAIT has none, and no record of it.
            guest.run('ip', 'netns', 'exec', name, 'sysctl', '-qw',
                      'net.ipv4.tcp_max_tw_buckets=1000000',
                      'net.ipv4.ip_local_port_range=10000 65535')
        yield names
    finally:
        for name in names:
            subprocess.run(['ip', 'netns', 'del', name], check=False)


def ready(netns, words, port, pin=True):
    """Loads that wait to begin, one per network namespace, and per CPU if pinned."""
    loads = []
    for cpu, name in enumerate(netns):
        place = ['ip', 'netns', 'exec', name] + (['taskset', '-c', str(cpu)] if pin else [])
        loads.append(subprocess.Popen(
            place + [guest.LOAD] + words, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env=dict(os.environ, PORT=str(port))))
    for load in loads:
        load.stdout.readline()
    time.sleep(guest.DRAIN)
    return loads


def release(loads):
    for load in loads:
        load.stdin.write('\n')
        load.stdin.flush()


def end(loads):
    """Waits until the last is done. Return: ns, of that moment."""
    said = [load.stdout.readline() for load in loads]
    now = time.monotonic_ns()
    for load in loads:
        load.stdin.close()
        load.wait()
    if said != ['done\n'] * len(loads):
        raise RuntimeError(f'a load failed: {said}')
    return now


def elapsed(netns, words, port):
    """ns until the last of the loads that begin together, one per CPU, is done"""
    loads = ready(netns, words, port)
    begin = time.monotonic_ns()
    release(loads)
    return end(loads) - begin


def main():
    output, shift = sys.argv[1], int(sys.argv[2])
    cpus = os.cpu_count()
    rows = {name: [] for name in TRACERS}
    records = {}
    with namespaces(cpus) as netns:
        port = 7100

        def block(words):
            nonlocal port
            port += 1
            return (elapsed(netns, words, port) >> shift) / COUNT / cpus

        for number in range(ROUNDS + 1):
            for name in TRACERS:
                tracer = guest.TRACERS[name]()
                tracer.begin()
                before = guest.kinds() if name.startswith('tcphs') else {}
                rows[name].append(block(['connect', str(COUNT)]))
                if before:
                    after = guest.kinds()
                    records[name] = (after['records_written'] -
                                     before['records_written']) / (COUNT * 1.25 * cpus)
                tracer.end()
            print(f'{cpus} CPUs, round {number} of {ROUNDS}', file=sys.stderr, flush=True)
    with open(output, 'w') as file:
        # The first round is a warm-up.
        json.dump({'cpus': cpus, 'records': records,
                   'rows': {name: found[1:] for name, found in rows.items()}}, file, indent=1)


if __name__ == '__main__':
    main()
