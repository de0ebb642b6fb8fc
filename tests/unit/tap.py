# SPDX-License-Identifier: GPL-2.0
"""Results without numbers: run.sh numbers those of all programs."""
import sys

_failed = False


def say(good, name, note=""):
    """"ok NAME" or "not ok NAME"; then the note says why, line by line."""
    global _failed
    print("%s %s" % ("ok" if good else "not ok", name))
    if not good:
        _failed = True
        for line in str(note).splitlines()[:20]:
            print("# " + line[:300])


def relay(text, status):
    """The results of another program, and its exit status."""
    global _failed
    print(text, end="")
    _failed |= status != 0


def finish():
    """Exit with status 1 when something was not ok."""
    sys.exit(_failed)
