#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What was lost at the full rate, as tables. usage: full_report.py FULL.json"""
import json
import sys


def yes(row):
    return 'yes' if row['exact'] else '**no**'


def rates(rows, unit):
    print(f'| reader | {unit} | a second | records | read | lost | gaps | all accounted for |')
    print('| --- |' + ' ---: |' * 6 + ' --- |')
    for row in rows:
        print(f'| {row["reader"]} | {row["units"]:,} | {row["units"] / row["seconds"]:,.0f} | '
              f'{row["written"]:,} | {row["read"]:,} | {row["lost"]:,} | {row["gaps"]:,} | '
              f'{yes(row)} |')


def main():
    with open(sys.argv[1]) as file:
        found = json.load(file)
    print(f'\nAs fast as {found["cpus"]} CPUs go, for {found["full"][0]["seconds"]:.0f} s; all '
          'accounted for: read + lost = written\n')
    rates(found['full'], 'connections')
    print('\nA flood of spoofed SYNs\n')
    rates(found['flood'], 'SYNs')
    for row in found['flood']:
        if 'syns' in row:
            print(f'\n{row["reader"]} has {row["syns"]:,} of them')
    print('\nA reader that stood still while the ring was overwritten\n')
    print('| came back | CPU | written | read | lost | gaps | exact |')
    print('| --- |' + ' ---: |' * 5 + ' --- |')
    for key, when in (('stopped', 'when all was quiet'),
                      ('stopped, back under load', 'while all went on')):
        for row in found[key]:
            print(f'| {when} | {row["cpu"]} | {row["written"]:,} | {row["read"]:,} | '
                  f'{row["lost"]:,} | {row["gaps"]:,} | {yes(row)} |')


if __name__ == '__main__':
    main()
