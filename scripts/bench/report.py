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


def base_of(rows, load):
    """Without a tracer. Return: median, and how far from it half of them are."""
    found = [value for row in rows if row['tracer'] == 'none'
             for value in row['instructions'].get(load, [])]
    return statistics.median(found), spread_of(found)


def spread_of(found):
    middle = statistics.median(found)
    return statistics.median(abs(value - middle) for value in found)


def added(bench):
    """tracer -> load -> (instructions added, spread)"""
    rows = bench['rows']
    base = {load: base_of(rows, load) for load in bench['units']}
    found = {}
    for row in rows:
        if row['tracer'] == 'none':
            continue
        found[row['tracer']] = {
            load: (statistics.median(blocks) - base[load][0],
                   spread_of(blocks) + base[load][1])
            for load, blocks in row['instructions'].items()}
    return base, found


def main():
    with open(sys.argv[1]) as file:
        bench = json.load(file)
    base, found = added(bench)
    columns = [(load, head) for load, head in COLUMNS if load in base]
    print(f'Linux {bench["kernel"]}; guest instructions of the whole system, median of '
          f'{bench["blocks"]} blocks; half of them are within ±\n')
    print('| added per | ' + ' | '.join(head for _, head in columns) +
          ' | lost | memory |')
    print('| --- |' + ' ---: |' * (len(columns) + 2))
    print('| *without a tracer* | ' +
          ' | '.join(f'*{base[load][0]:,.0f} ± {base[load][1]:,.0f}*' for load, _ in columns) +
          ' | | |')
    rows = {row['tracer']: row for row in bench['rows']}
    for tracer, loads in found.items():
        cells = [f'{loads[load][0]:+,.0f} ± {loads[load][1]:,.0f}' for load, _ in columns]
        memory = rows[tracer]['memory_kb']
        print(f'| {tracer} | ' + ' | '.join(cells) +
              f' | {rows[tracer]["lost"]:,} | ' +
              (f'{memory / 1024:,.1f} MiB |' if memory else ' |'))
    print()
    for load, head in columns:
        counted = bench['records'][load]
        print(f'{head}: {counted["records_written"]:.2f} records, '
              f'{counted["transitions"]:.2f} of them transitions, '
              f'{counted["segments"]:.2f} segments')
    full = found.get('tcphs', {}).get('connect')
    if full:
        counted = bench['records']['connect']
        print(f'\ntcphs, a connection: {full[0] / counted["records_written"]:.0f} '
              'instructions a record')
    if len(sys.argv) > 2:
        with open(sys.argv[2], 'w') as file:
            for tracer, loads in sorted(found.items(), key=lambda item: item[1]['connect']):
                file.write(f'"{tracer}"\t{max(loads["connect"][0], 1):.0f}\t'
                           f'{int(tracer.startswith("tcphs"))}\n')


if __name__ == '__main__':
    main()
