#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Can a write wait for another CPU? Reads the module's machine code.

usage: writers.py tcphs.ko

What the probes and hooks can reach in the module must have no lock, no loop with
PAUSE and no function of the kernel that waits. Counting instructions cannot show
that: QEMU lets another CPU go on at a PAUSE. Atomic instructions wait for nobody,
but move a cache line: those functions are named. Ends with 1 if a write may wait.
"""
import re
import subprocess
import sys

ROOTS = ('hook_in4 hook_in6 hook_out4 hook_out6 tcphs_transition_state '
         'tcphs_transition_destroy tcphs_transition_send_reset '
         'tcphs_transition_receive_reset timewait_end request_end accept').split()
WAITS = re.compile(r'lock|mutex|semaphore|^down|^up_|wait|schedule|sleep|alloc|synchronize')
# No lock: a counter of the task's own. The irq_work is the CPU's own, too.
HARMLESS = {'__rcu_read_lock', '__rcu_read_unlock'}
ATOMIC = re.compile(r'\tlock |\txchg .*\(')


def functions(module):
    """name -> lines of its disassembly"""
    text = subprocess.run(['objdump', '-dr', '--no-show-raw-insn', module], check=True,
                          capture_output=True, text=True).stdout
    found, lines = {}, []
    for line in text.splitlines():
        head = re.match(r'[0-9a-f]+ <(.+)>:$', line)
        if head:
            lines = found.setdefault(head.group(1), [])
        else:
            lines.append(line)
    return found


def targets(lines):
    """Functions that are called or jumped to. A relocation says better where to."""
    for line, after in zip(lines, lines[1:] + ['']):
        jump = re.search(r'\t(?:call|j\w+) +[0-9a-f]+ <([^+>]+)', line)
        moved = re.search(r'R_X86_64_P\w+\t([^.+-][^+-]*)', after)
        if jump and 'R_X86_64_P' not in after:
            yield jump.group(1)
        elif jump and moved:
            yield moved.group(1)


def reached(code):
    """Return: functions of the module, and of the kernel"""
    own, kernel, todo = set(), set(), [name for name in ROOTS if name in code]
    while todo:
        name = todo.pop()
        if name in own:
            continue
        own.add(name)
        if name + '.cold' in code:
            todo.append(name + '.cold')
        for target in targets(code[name]):
            if target in code:
                todo.append(target)
            else:
                kernel.add(target)
    return own, kernel


def main():
    code = functions(sys.argv[1])
    absent = [name for name in ROOTS if name not in code]
    if absent:
        sys.exit(f'{sys.argv[1]} has no {" ".join(absent)}: ROOTS in {sys.argv[0]} is old')
    own, kernel = reached(code)
    waits = sorted(name for name in kernel - HARMLESS if WAITS.search(name))
    waits += sorted(f'{name} (PAUSE)' for name in own
                    if any('\tpause' in line for line in code[name]))
    atomic = sorted(name for name in own if any(ATOMIC.search(line) for line in code[name]))
    print(f'\nA write can reach {len(own)} functions of the module; that wait: '
          f'{", ".join(waits) or "none"}; with atomic instructions: '
          f'{", ".join(atomic) or "none"}')
    return bool(waits)


if __name__ == '__main__':
    sys.exit(main())
