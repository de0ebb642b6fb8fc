# SPDX-License-Identifier: GPL-2.0
"""What a program writes into a pipe. tests/unit has it too."""
import os
import select


def take(fd, seconds):
    """What comes until nothing has come for so long"""
    text = b""
    while select.select([fd], [], [], seconds)[0]:
        part = os.read(fd, 1 << 16)
        if not part:
            break
        text += part
    return text
