# SPDX-License-Identifier: GPL-2.0
"""The bytes of a recording: a header, and records of one size."""
import os

from program import DATA

HEADER, RECORD = 256, 128


def read(name):
    """The bytes of a recording of tests/data."""
    with open(os.path.join(DATA, name + ".tcphs"), "rb") as f:
        return f.read()


def split(raw):
    """The records, without the header."""
    return [raw[at:at + RECORD] for at in range(HEADER, len(raw), RECORD)]
