# SPDX-License-Identifier: GPL-2.0
"""The programs under test, of the directory that a test's first argument names."""
import os
import sys

OUT = sys.argv[1]
TCPHS = os.path.join(OUT, "tcphs")
SANITIZED = "sanitized" in OUT
DATA = "../data"
# Status 99 is no program's own.
ENV = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC", COLUMNS="80",
           ASAN_OPTIONS="exitcode=99", UBSAN_OPTIONS="exitcode=99",
           LSAN_OPTIONS="exitcode=99:suppressions=" + os.path.abspath("lsan.supp")
           + ":print_suppressions=0")
