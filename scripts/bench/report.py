#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the bench measured, as a table, and as data for the picture.

usage: report.py BENCH.json [BARS.dat]
"""
import json
import statistics
import sys

# Per unit of a load; which load, and the column's head.
COLUMNS = [('connect', 'connection'), ('netns', 'over veth'), ('write16k', '16 KiB write'),
           ('write200', '200 B write'), ('flood', 'SYN of a flood')]


def spread_of(found):
    """How far from the median half of them are."""
    middle = statistics.median(found)
    return statistics.median(abs(value - middle) for value in found)


def rounds_of(rows, tracer, load):
    """round -> what its blocks took"""
    found = {}
    for row in rows:
        if row['tracer'] == tracer:
            found.setdefault(row['round'], []).extend(row['instructions'].get(load, []))
    return {number: blocks for number, blocks in found.items() if blocks}


def base_of(rows, load):
    """Without a tracer. Return: median and spread."""
    found = [block for blocks in rounds_of(rows, 'none', load).values() for block in blocks]
    return statistics.median(found), spread_of(found)


def added(bench):
    """tracer -> load -> (instructions added, spread), each block beside its round"""
    rows = bench['rows']
    base = {load: base_of(rows, load) for load in bench['units']}
    found = {}
    for tracer in dict.fromkeys(row['tracer'] for row in rows):
        if tracer == 'none':
            continue
        found[tracer] = {}
        for load in bench['units']:
            without = rounds_of(rows, 'none', load)
            more = [block - statistics.median(without[number])
                    for number, blocks in rounds_of(rows, tracer, load).items()
                    for block in blocks]
            found[tracer][load] = statistics.median(more), spread_of(more)
    return base, found


def each(bench, found):
    """What single events cost: (what, instructions) as far as it was measured."""
    none, shake, full = 'tcphs segments=none', 'tcphs', 'tcphs segments=all'
    count = bench['records']
    if none in found and 'connect' in found[none]:
        yield ('a transition (segments=none, a connection\'s '
               f'{count[none]["connect"]["transitions"]:.0f})',
               found[none]['connect'][0] / count[none]['connect']['transitions'])
    if shake in found and 'connect' in found[shake]:
        yield ('a record of any kind (segments=handshake, a connection\'s '
               f'{count[shake]["connect"]["records_written"]:.0f})',
               found[shake]['connect'][0] / count[shake]['connect']['records_written'])
    for load in 'write16k', 'write200':
        if shake not in found or full not in found or load not in found[full]:
            continue
        segments = count[full][load]['segments']
        recorded = segments - count[shake][load]['segments']
        yield (f'a segment of data that is looked at only (segments=handshake, {load})',
               found[shake][load][0] / segments)
        yield (f'and what recording it adds (segments=all, {load})',
               (found[full][load][0] - found[shake][load][0]) / recorded)


def main():
    with open(sys.argv[1]) as file:
        bench = json.load(file)
    base, found = added(bench)
    columns = [(load, head) for load, head in COLUMNS if load in base]
    print(f'Linux {bench["kernel"]}; guest instructions of the whole system, median of '
          f'{bench["rounds"]} rounds of {bench["blocks"]} blocks; half of them are within ±\n')
    print('| added per | ' + ' | '.join(head for _, head in columns) +
          ' | lost | memory |')
    print('| --- |' + ' ---: |' * (len(columns) + 2))
    print('| *without a tracer* | ' +
          ' | '.join(f'*{base[load][0]:,.0f} ± {base[load][1]:,.0f}*' for load, _ in columns) +
          ' | | |')
    for tracer, loads in found.items():
        rows = [row for row in bench['rows'] if row['tracer'] == tracer]
        cells = [f'{loads[load][0]:+,.0f} ± {loads[load][1]:,.0f}' for load, _ in columns]
        memory = max(row['memory_kb'] for row in rows)
        print(f'| {tracer} | ' + ' | '.join(cells) +
              f' | {sum(row["lost"] for row in rows):,} | ' +
              (f'{memory / 1024:,.1f} MiB |' if memory else ' |'))
    print()
    for load, head in columns:
        counted = bench['records']['tcphs'][load]
        print(f'{head}: {counted["records_written"]:.2f} records, '
              f'{counted["transitions"]:.2f} of them transitions, '
              f'{counted["segments"]:.2f} segments')
    print('\n| instructions that tcphs adds to | |\n| --- | ---: |')
    for what, value in each(bench, found):
        print(f'| {what} | {value:,.0f} |')
    if len(sys.argv) > 2:
        with open(sys.argv[2], 'w') as file:
            for tracer, loads in sorted(found.items(), key=lambda item: item[1]['connect']):
                file.write(f'"{tracer}"\t{max(loads["connect"][0], 1):.0f}\t'
                           f'{int(tracer.startswith("tcphs"))}\n')


if __name__ == '__main__':
    main()
