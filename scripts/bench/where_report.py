#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Where the instructions go that readers cost, as a table.

usage: where_report.py WHERE.json READER

READER is the program that was measured: its line numbers say which file an address is of.
"""
import collections
import json
import subprocess
import sys

KERNEL = {
    'pages cleared': ('clear_page',),
    'bytes copied': ('copy_user', 'copy_page', '_copy_', 'copyin', 'copyout', 'memcpy'),
}

# What the reader's files are for; of a header's function it counts what that is for.
READER = {
    'taking records in, in order': 'source stock gap order stop input bundle proof endian hold',
    'whose they are': 'flow end match pair due address table listener host filter rule',
    'what they meant': 'step side connection copies clue bytes passage verdict story late '
                       'summary change course fate answer owner stranger report cause sum',
    'rows and text': 'live output clock writer names options number json value note caption text',
}


def kernel_place(symbol):
    for what, begins in KERNEL.items():
        if symbol.startswith(begins):
            return 'kernel: ' + what
    return 'kernel: pages, calls, faults, wake-ups'


def files_of(program, addresses):
    """address -> the name of its source file, without its end"""
    lines = subprocess.run(['addr2line', '-e', program], input='\n'.join(addresses) + '\n',
                           check=True, capture_output=True, text=True).stdout.splitlines()
    return {address: line.rsplit('/', 1)[-1].split(':')[0].rsplit('.', 1)[0]
            for address, line in zip(addresses, lines)}


def places(row, program):
    """place -> instructions; file -> instructions, of files that no place names"""
    stages = {name: stage for stage, names in READER.items() for name in names.split()}
    files = files_of(program, [what for place, what, _ in row['samples'] if place == 'reader'])
    each = row['instructions'] / sum(count for *_, count in row['samples'])
    found, others = collections.Counter(), collections.Counter()
    for place, what, count in row['samples']:
        if place == 'module':
            name = 'module: records for the reader'
        elif place == 'kernel':
            name = kernel_place(what)
        elif place == 'library':
            name = 'reader: libc, memory and copies'
        elif files[what] in stages:
            name = 'reader: ' + stages[files[what]]
        else:
            name = 'reader: other files'
            others[files[what]] += count * each
        found[name] += count * each
    return found, others


def main():
    with open(sys.argv[1]) as file:
        rows = json.load(file)['rows']
    found = [places(row, sys.argv[2]) for row in rows]
    order = (['module: records for the reader'] + ['kernel: ' + what for what in KERNEL] +
             [kernel_place('')] + ['reader: ' + stage for stage in READER] +
             ['reader: libc, memory and copies', 'reader: other files'])
    print('\nWhere they go, of one connection; shares by samples\n')
    print('| | ' + ' | '.join(row['reader'] for row in rows) + ' |')
    print('| --- |' + ' ---: |' * len(rows))
    for name in order:
        if any(counts[name] >= 50 for counts, _ in found):
            print(f'| {name} | ' + ' | '.join(f'{counts[name]:,.0f}' for counts, _ in found) + ' |')
    print('| the reader\'s threads | ' +
          ' | '.join(f'{row["instructions"]:,.0f}' for row in rows) + ' |')
    for row, (_, others) in zip(rows, found):
        some = [f'{name} {count:.0f}' for name, count in others.most_common() if count >= 50]
        if some:
            print(f'\nother files of {row["reader"]}: ' + ', '.join(some))


if __name__ == '__main__':
    main()
