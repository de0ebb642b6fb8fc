#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What CPUs cost that all write at once, as a table. usage: smp_report.py SMP.json..."""
import json
import statistics
import sys

import report


def middle(found):
    return statistics.median(found), report.spread_of(found)


def main():
    runs = []
    for name in sys.argv[1:]:
        with open(name) as file:
            runs.append(json.load(file))
    heads = [f'{run["cpus"]} CPU{"s" * (run["cpus"] > 1)}' for run in runs]
    print('\nEvery CPU at once, each with connections of its own: instructions of all CPUs '
          'for one connection\n')
    print('| added per connection | ' + ' | '.join(heads) + ' | records |')
    print('| --- |' + ' ---: |' * (len(runs) + 1))
    for tracer in runs[0]['rows']:
        cells = []
        for run in runs:
            found = run['rows'][tracer]
            value, spread = middle(found)
            if tracer == 'none':
                cells.append(f'*{value:,.0f} ± {spread:,.0f}*')
            else:
                # Each beside the run without, of the same round.
                value, spread = middle([mine - none for mine, none in
                                        zip(found, run['rows']['none'])])
                cells.append(f'{value:+,.0f} ± {spread:,.0f}')
        records = runs[0]['records'].get(tracer)
        print(f'| {"*without a tracer*" if tracer == "none" else tracer} | ' +
              ' | '.join(cells) + (f' | {records:.1f} |' if records else ' | |'))


if __name__ == '__main__':
    main()
