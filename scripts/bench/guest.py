#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The part of the bench that runs in the VM: loads under tracers.

usage: guest.py OUTPUT.json [TRACER...]

The VM's time counts guest instructions, so the time that all tasks ran is the
number of instructions of the whole system but its idle loop. A tracer gets BLOCKS
runs of each load in each of ROUNDS rounds, in network namespaces of their own and
each to another port (so no TIME_WAIT of others is in the way), and every few tracers
the loads run without any: the kernel's own cost moves by a per cent with the state of
its memory caches, so a tracer is compared with the runs without of its own round.
"""
import contextlib
import glob
import json
import os
import re
import signal
import subprocess
import sys
import time

TCPHS = '/tcphs/user/tcphs'
MODULE = '/tcphs/tcphs.ko'
LOAD = '/bench/load'
TRACING = '/sys/kernel/tracing'
EVENT = TRACING + '/events/sock/inet_sock_set_state/enable'
BLOCKS = int(os.environ.get('BLOCKS', '3'))
ROUNDS = int(os.environ.get('ROUNDS', '3'))
# So many tracers between two measurements without one.
STRIDE = 3
# Guest seconds in which readers finish what came to them.
DRAIN = 0.4

# name: what one unit is, how many in a block, words for load(1), both netns?
LOADS = {
    'connect': ('connection', 300, ['connect', '300'], False),
    'netns': ('connection', 300, ['connect', '300'], True),
    'write16k': ('write', 400, ['write', '400', '16384'], False),
    'write200': ('write', 800, ['write', '800', '200'], False),
    'flood': ('SYN', 1500, ['flood', '1500'], True),
}


def run(*words, **more):
    return subprocess.run(words, check=True, text=True, **more)


def instructions():
    """What all tasks but this one have run so far, ns."""
    total = 0
    me = f'/proc/{os.getpid()}/'
    for name in glob.glob('/proc/[0-9]*/task/[0-9]*/schedstat'):
        if name.startswith(me):
            continue
        with contextlib.suppress(OSError), open(name) as file:
            total += int(file.read().split()[0])
    return total


def peak_kb(pid):
    with open(f'/proc/{pid}/status') as file:
        return int(re.search(r'VmHWM:\s+(\d+)', file.read()).group(1))


class Tracer:
    """Nothing: the loads alone. The others are derived from it."""
    drain = DRAIN

    def __init__(self):
        self.lost = 0
        self.memory_kb = 0
        self.reader = None
        self.said = None

    def begin(self):
        pass

    def block(self, netns):
        """Before a block, whose client is in netns."""

    def block_end(self):
        pass

    def end(self):
        pass

    # For those with a process.
    def start(self, *words, netns=None, output='/tmp/output', ready=None):
        self.said = open('/tmp/said', 'w+')
        if netns:
            words = ('ip', 'netns', 'exec', netns) + words
        with open(output, 'w') as file:
            self.reader = subprocess.Popen(words, stdout=file, stderr=self.said,
                                           text=True)
        for _ in range(600):
            time.sleep(0.2)
            if ready is None or ready():
                return
            if self.reader.poll() is not None:
                break
        raise RuntimeError(f'{words}: {open("/tmp/said").read()}')

    def stop(self):
        if self.reader.poll() is not None:
            raise RuntimeError(f'{self.reader.args}: it has ended by itself with '
                               f'{self.reader.returncode}: {open("/tmp/said").read()}')
        self.memory_kb = max(self.memory_kb, peak_kb(self.reader.pid))
        self.reader.send_signal(signal.SIGINT)
        self.reader.wait()
        self.said.seek(0)
        said = self.said.read()
        self.said.close()
        return said


class Module(Tracer):
    parameters = ['segments=handshake']

    def begin(self):
        run('insmod', MODULE, *self.parameters)
        self.memory_kb = int(open('/sys/module/tcphs/parameters/ring_kb').read())

    def end(self):
        run('rmmod', 'tcphs')


class ModuleNone(Module):
    parameters = ['segments=none']


class ModuleAll(Module):
    parameters = ['segments=all']


class ModuleFiltered(Module):
    parameters = ['segments=handshake', 'ports=9']


class ModuleRead(Module):
    words = []

    def begin(self):
        super().begin()
        ring = self.memory_kb
        self.start(TCPHS, *self.words)
        self.memory_kb = ring

    def end(self):
        ring = self.memory_kb
        self.memory_kb = 0
        self.stop()
        self.memory_kb += ring
        self.lost = self.count_lost()
        super().end()

    def count_lost(self):
        return open('/tmp/output').read().count(' lost on CPU')


class Record(ModuleRead):
    words = ['record', '-o', '/tmp/record.tcphs']

    def begin(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink('/tmp/record.tcphs')
        super().begin()

    def count_lost(self):
        rows = subprocess.run([TCPHS, '-r', '/tmp/record.tcphs', 'events', '--json'],
                              check=True, capture_output=True, text=True).stdout
        return sum(json.loads(row)['count'] for row in rows.splitlines()
                   if '"kind":"lost"' in row.replace(' ', ''))


class Live(ModuleRead):
    words = ['live']
    # A connection that is over is judged half a second later.
    drain = 1.0


class LiveJson(Live):
    words = ['live', '--json']

    def count_lost(self):
        return sum(json.loads(row)['count'] for row in open('/tmp/output')
                   if '"kind":"lost"' in row.replace(' ', ''))


class Ftrace(Tracer):
    def begin(self):
        with open(TRACING + '/trace', 'w'):
            pass
        self.switch('1')
        self.memory_kb = int(open(TRACING + '/buffer_total_size_kb').read())

    def switch(self, value):
        with open(EVENT, 'w') as file:
            file.write(value)

    def end(self):
        self.switch('0')


class FtraceRead(Ftrace):
    def begin(self):
        super().begin()
        buffer = self.memory_kb
        self.start('cat', TRACING + '/trace_pipe')
        self.memory_kb = buffer

    def end(self):
        buffer = self.memory_kb
        self.memory_kb = 0
        super().end()
        self.stop()
        self.memory_kb += buffer
        stats = open(TRACING + '/per_cpu/cpu0/stats').read()
        self.lost = int(re.search(r'overrun: (\d+)', stats).group(1))


class Bpftrace(Tracer):
    program = ('BEGIN { printf("ready\\n"); } '
               'tracepoint:sock:inet_sock_set_state /args->protocol == 6/ '
               '{ @[args->oldstate, args->newstate] = count(); }')

    def begin(self):
        self.start('bpftrace', '-e', self.program,
                   ready=lambda: 'ready' in open('/tmp/output').read())

    def end(self):
        self.stop()


class Tcpstates(Tracer):
    def begin(self):
        self.start('tcpstates', ready=self.attached)
        time.sleep(1)

    def attached(self):
        """What it prints into a file stays in its buffer for long."""
        fds = f'/proc/{self.reader.pid}/fd'
        with contextlib.suppress(OSError):
            return any('bpf_link' in os.readlink(f'{fds}/{fd}') or
                       'perf_event' in os.readlink(f'{fds}/{fd}')
                       for fd in os.listdir(fds))
        return False

    def end(self):
        said = self.stop()
        self.lost = sum(int(n) for n in re.findall(r'[Ll]ost (\d+) events', said))


class Conntrack(Tracer):
    """Connection tracking itself, nobody listening."""
    rules = ('table inet bench { chain in { type filter hook input priority 0; '
             'ct state new accept; }; }')

    def block(self, netns):
        run('ip', 'netns', 'exec', netns, 'nft', self.rules)


class ConntrackEvents(Conntrack):
    def block(self, netns):
        super().block(netns)
        self.start('conntrack', '-E', '-p', 'tcp', netns=netns)

    def block_end(self):
        if 'ENOBUFS' in self.stop():
            self.lost += 1


class Tcpdump(Tracer):
    flags = 'tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0'

    def block(self, netns):
        device = 'lo' if self.loopback else 'eth0'
        self.start('tcpdump', '-n', '-i', device, '-Z', 'root', '-w', '/tmp/pcap',
                   self.flags, netns=netns,
                   ready=lambda: 'listening' in open('/tmp/said').read())

    def block_end(self):
        said = self.stop()
        self.lost += int(re.search(r'(\d+) packets dropped by kernel', said).group(1))


TRACERS = {
    'none': Tracer,
    'tcphs segments=none': ModuleNone,
    'tcphs': Module,
    'tcphs segments=all': ModuleAll,
    'tcphs, all filtered out': ModuleFiltered,
    'tcphs, record': Record,
    'tcphs, live': Live,
    'tcphs, live --json': LiveJson,
    'ftrace event': Ftrace,
    'ftrace event, trace_pipe read': FtraceRead,
    'bpftrace, counting by state': Bpftrace,
    'tcpstates (libbpf-tools)': Tcpstates,
    'conntrack': Conntrack,
    'conntrack -E': ConntrackEvents,
    'tcpdump -w of SYN, FIN, RST': Tcpdump,
}


@contextlib.contextmanager
def namespaces(two):
    run('ip', 'netns', 'add', 'client')
    run('ip', 'netns', 'add', 'server')
    try:
        for name in 'client', 'server':
            run('ip', '-n', name, 'link', 'set', 'lo', 'up')
        if two:
            run('ip', '-n', 'client', 'link', 'add', 'eth0', 'type', 'veth',
                'peer', 'name', 'eth0', 'netns', 'server')
            for name, end in ('client', 1), ('server', 2):
                run('ip', '-n', name, 'addr', 'add', f'192.0.2.{end}/24', 'dev', 'eth0')
                run('ip', '-n', name, 'link', 'set', 'eth0', 'up')
            run('ip', '-n', 'server', 'route', 'add', '198.18.0.0/15', 'via', '192.0.2.1')
            run('ip', 'netns', 'exec', 'client', 'ping', '-qc1', '192.0.2.2',
                stdout=subprocess.DEVNULL)
        for name in 'client', 'server':
            run('ip', 'netns', 'exec', name, 'sysctl', '-qw',
                'net.ipv4.tcp_max_tw_buckets=100000')
        yield
    finally:
        run('ip', 'netns', 'del', 'client')
        run('ip', 'netns', 'del', 'server')


def block(tracer, load, port):
    """Instructions of one block, for one unit of the load."""
    _, count, words, two = LOADS[load]
    words = words + (['/run/netns/server'] if two else [])
    with subprocess.Popen(['ip', 'netns', 'exec', 'client', LOAD] + words, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env=dict(os.environ, PORT=str(port))) as process:
        process.stdout.readline()
        time.sleep(tracer.drain)
        before = instructions()
        process.stdin.write('\n')
        process.stdin.flush()
        if process.stdout.readline() != 'done\n':
            raise RuntimeError(f'load {words} failed')
        time.sleep(tracer.drain)
        after = instructions()
        process.stdin.close()
    return (after - before) / count


def blocks(tracer, load, count):
    """A block as a warm-up, and those that count."""
    two = LOADS[load][3]
    with namespaces(two):
        tracer.loopback = not two
        tracer.block('client')
        found = [block(tracer, load, 7100 + i) for i in range(count + 1)]
        tracer.block_end()
    return found[1:]


def kinds():
    """How many records of a kind the module has written."""
    counted = {}
    for line in open('/proc/tcphs/stats'):
        name, value = line.split(None, 1)
        if name in ('transitions', 'segments', 'records_written'):
            counted[name] = int(value)
    return counted


def records_per_unit(mode, loads):
    """What the module records of one unit of each load."""
    found = {}
    tracer = TRACERS[mode]()
    tracer.begin()
    for load in loads:
        before = kinds()
        blocks(tracer, load, 1)
        # Two blocks, and the loads' own warm-ups.
        units = LOADS[load][1] * 1.25 * 2
        found[load] = {name: (value - before[name]) / units
                       for name, value in kinds().items()}
    tracer.end()
    return found


def measure(name, loads, number):
    """One tracer in a round. Return: its row."""
    tracer = TRACERS[name]()
    row = {'tracer': name, 'round': number, 'instructions': {}}
    tracer.begin()
    for load in loads:
        row['instructions'][load] = blocks(tracer, load, BLOCKS)
    tracer.end()
    row['lost'] = tracer.lost
    row['memory_kb'] = tracer.memory_kb
    return row


def measure_round(names, loads, number, failed):
    """All tracers. Return: their rows; adds to failed."""
    rows = []
    for i, name in enumerate(names):
        if i % STRIDE == 0:
            rows.append(measure('none', loads, number))
        print(f'{number + 1} of {ROUNDS}: {name} ...', file=sys.stderr, flush=True)
        try:
            rows.append(measure(name, loads, number))
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            print(f'{name}: {error}', file=sys.stderr)
            failed.append(name)
    rows.append(measure('none', loads, number))
    return rows


def main():
    output, chosen = sys.argv[1], sys.argv[2:]
    loads = os.environ.get('LOADS', ' '.join(LOADS)).split()
    os.environ['LC_ALL'] = 'C'
    if not os.path.exists(TRACING + '/events'):
        run('mount', '-t', 'tracefs', 'nodev', TRACING)
    names = [name for name in TRACERS if name != 'none' and (not chosen or name in chosen)]
    failed = []
    rows = [row for number in range(ROUNDS)
            for row in measure_round(names, loads, number, failed)]
    modes = 'tcphs segments=none', 'tcphs', 'tcphs segments=all'
    with open(output, 'w') as file:
        json.dump({'kernel': os.uname().release, 'blocks': BLOCKS, 'rounds': ROUNDS,
                   'units': {load: LOADS[load][0] for load in loads},
                   'records': {mode: records_per_unit(mode, loads) for mode in modes},
                   'rows': rows}, file, indent=1)
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
