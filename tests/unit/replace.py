#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""-o FILE: what is there is replaced in whole or stays, a link leads to what is
replaced, what is no regular file is written into, and what is read is not touched.

usage: replace.py DIRECTORY-OF-PROGRAMS
"""
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from program import DATA, ENV, TCPHS
from recording import HEADER, RECORD, read
from tap import finish, say

GOOD = os.path.join(DATA, "loopback.tcphs")
RAW = read("loopback")
# The commands that write a file anew, and how it is called.
ANEW = ((("stats", "--prometheus"), "x.prom"), (("export",), "x.mmd"),
        (("export",), "x.pcapng"), (("export",), "x.svg"))


def run(*args, **more):
    more.setdefault("stdout", subprocess.DEVNULL)
    p = subprocess.run([TCPHS, *args], env=ENV, stderr=subprocess.PIPE, timeout=120, **more)
    return p.returncode, p.stderr.decode()


def content(path):
    """None: there is no such file."""
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


def write(path, what):
    with open(path, "wb") as f:
        f.write(what)


def as_nobody(work):
    """Root may all: another user, and the program where that one may go."""
    more = {"input": RAW}
    if os.geteuid() == 0:
        more["executable"] = shutil.copy(TCPHS, os.path.join(work, "program"))
        more["preexec_fn"] = lambda: os.setuid(65534)
    return more


def stop_in_the_middle(args, work, number):
    """Of a recording that does not go on; which files were there meanwhile."""
    before = set(os.listdir(work))
    # A shell has what it starts in the background ignore some.
    p = subprocess.Popen([TCPHS, *args, "-r", "-"], stdin=subprocess.PIPE, env=ENV,
                         stderr=subprocess.DEVNULL,
                         preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    p.stdin.write(RAW[:HEADER + RECORD])
    p.stdin.flush()
    for _ in range(500):
        made = set(os.listdir(work)) - before
        if made:
            break
        time.sleep(0.01)
    time.sleep(0.2)
    p.send_signal(number)
    status = p.wait(10)
    p.stdin.close()
    return status, made


def leave_early(args, fifo):
    """Who reads the output goes before there is any."""
    p = subprocess.Popen([TCPHS, *args, "-r", "-", "-o", fifo], stdin=subprocess.PIPE, env=ENV,
                         stderr=subprocess.PIPE)
    with open(fifo, "rb"):
        pass
    error = p.communicate(RAW, timeout=120)[1]
    return p.returncode, error.decode()


def check_anew(args, name):
    title = " ".join(args) + " -o " + name
    with tempfile.TemporaryDirectory() as work:
        def at(*path):
            return os.path.join(work, *path)

        os.mkdir(at("there"))
        to = at("there", name)
        plain = run(*args, "-r", GOOD, "-o", to)
        want = content(to)
        say(plain == (0, "") and len(want) > 1000, title + ": a new file", plain)

        # What is there keeps its mode and owner.
        write(to, b"before\n")
        os.chmod(to, 0o640)
        if os.geteuid() == 0:
            os.chown(to, 12345, 54321)
        was = os.stat(to)
        got = run(*args, "-r", GOOD, "-o", to)
        now = os.stat(to)
        say(got == (0, "") and content(to) == want and
            (was.st_mode, was.st_uid, was.st_gid) == (now.st_mode, now.st_uid, now.st_gid),
            title + ": over another file, with its mode and owner", (got, was, now))

        # Links, of which the last leads to nothing yet.
        os.symlink(os.path.join("there", name), at("one." + name))
        os.symlink(at("one." + name), at("two." + name))
        for there in (True, False):
            if not there:
                os.unlink(to)
            got = run(*args, "-r", GOOD, "-o", at("two." + name))
            say(got == (0, "") and content(to) == want and
                os.path.islink(at("two." + name)) and os.path.islink(at("one." + name)) and
                os.listdir(at("there")) == [name],
                "%s: links to what is%s there" % (title, "" if there else " not"),
                (got, os.listdir(work), os.listdir(at("there"))))
        os.symlink("loop." + name, at("loop." + name))
        got = run(*args, "-r", GOOD, "-o", at("loop." + name))
        say(got[0] == 1 and "Too many levels of symbolic links" in got[1] and
            os.path.islink(at("loop." + name)), title + ": a link to itself", got)

        # No regular file.
        os.mkfifo(at("pipe." + name))
        os.symlink("pipe." + name, at("way." + name))
        for path in (at("pipe." + name), at("way." + name)):
            taken = []
            reader = threading.Thread(target=lambda p=path: taken.append(content(p)),
                                      daemon=True)
            reader.start()
            got = run(*args, "-r", GOOD, "-o", path)
            reader.join(10)
            say(got == (0, "") and taken == [want] and
                not os.path.isfile(path), title + ": into " + os.path.basename(path)[:4], got)
        got = leave_early(args, at("pipe." + name))
        say(got == (0, ""), title + ": into a pipe that nobody reads any more", got)
        if os.geteuid() == 0:
            full = at("full." + name)
            os.mknod(full, 0o20666, os.makedev(1, 7))
            got = run(*args, "-r", GOOD, "-o", full)
            say(got[0] == 1 and "No space left" in got[1] and not os.path.isfile(full),
                title + ": a device stays one", got)
        # Neither over what may not be written, nor where nothing can be made.
        os.chmod(work, 0o755)
        os.chmod(at("there"), 0o777)
        for mode, words in ((0o444, "Permission denied"),
                            (0o666, "no file can be made beside it: Permission denied")):
            write(to, b"before\n")
            os.chmod(to, mode)
            if mode == 0o666:
                os.chmod(at("there"), 0o555)
            got = run(*args, "-r", "-", "-o", to, **as_nobody(work))
            say(got[0] == 1 and words in got[1] and content(to) == b"before\n",
                "%s: %s" % (title, words), got)
            os.chmod(at("there"), 0o777)
        got = run(*args, "-r", GOOD, "-o", at("none", name))
        say(got[0] == 1 and "No such file" in got[1], title + ": no such directory", got)

        # What goes wrong in the middle.
        write(to, b"before\n")
        for path, stays in ((to, b"before\n"), (at("new." + name), None)):
            got = run(*args, "-r", GOOD, "-o", path, preexec_fn=lambda:
                      resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
            say(got[0] == 1 and "File too large" in got[1] and
                content(path) == stays,
                "%s: no room for %s file" % (title, "another" if stays else "a new"), got)
            got = run(*args, "-r", at("nowhere"), "-o", path)
            say(got[0] == 1 and "nowhere" in got[1] and
                content(path) == stays,
                "%s: nothing to read for %s file" % (title, "another" if stays else "a new"), got)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            status, made = stop_in_the_middle((*args, "-o", to), at("there"), number)
            say(status == -number and made and os.listdir(at("there")) == [name] and
                content(to) == b"before\n", "%s: %s: what was there stays, and nothing else" %
                (title, signal.Signals(number).name), (status, made, os.listdir(at("there"))))


def check_input(args, name):
    """What is read is not to be written: by name, by links, and by standard input."""
    title = " ".join(args) + " -o " + name
    with tempfile.TemporaryDirectory() as work:
        path, soft, hard = (os.path.join(work, n + name) for n in ("in.", "soft.", "hard."))
        write(path, RAW)
        os.symlink(path, soft)
        os.link(path, hard)
        for read_from in (path, soft, hard, "-"):
            for to in (path, soft, hard):
                with open(path, "rb") as f:
                    got = run(*args, "-r", read_from, "-o", to, stdin=f)
                if got[0] != 2 or "this is the recording itself" not in got[1] or \
                        content(path) != RAW:
                    say(False, "%s: -r %s -o %s" % (title, read_from, to), got)
                    write(path, RAW)
        say(sorted(os.listdir(work)) == sorted(os.path.basename(p) for p in (path, soft, hard)),
            title + ": not onto what is read", os.listdir(work))


for command, called in ANEW:
    check_anew(command, called)
    check_input(command, called)
check_input(("record",), "x.tcphs")

with tempfile.TemporaryDirectory() as directory:
    # Appended by the shell: neither an endless file nor one that is cut.
    target = os.path.join(directory, "in.tcphs")
    write(target, RAW)
    with open(target, "ab") as out:
        p = subprocess.run([TCPHS, "record", "-r", target, "-o", "-"], env=ENV, stdout=out,
                           stderr=subprocess.PIPE, timeout=60)
    say(p.returncode == 2 and b"recording itself" in p.stderr and content(target) == RAW,
        "record -o - >> what is read", p)
    # Whole records, behind what was there before; who writes next leaves no hole.
    grown = os.path.join(directory, "grown")
    for mode, how in (("ab", "appended"), ("r+b", "behind other output")):
        for old in (b"", b"o" * 5000):
            write(grown, old)
            with open(grown, mode) as out:
                out.seek(0, os.SEEK_END)
                got = run("record", "-r", GOOD, "-o", "-", stdout=out, preexec_fn=lambda:
                          resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000)))
                out.write(b"behind")
            now = content(grown)
            whole = now[len(old):-len(b"behind")]
            say(got[0] == 1 and "File too large: %d bytes are whole" % len(whole) in got[1] and
                now == old + whole + b"behind" and RAW.startswith(whole) and
                len(whole) > 4000 and (len(whole) - HEADER) % RECORD == 0,
                "record -o -, %s: no room behind %d bytes" % (how, len(old)), (got, len(now)))
    log = os.path.join(directory, "log")
    write(log, b"before\n")
    # As /dev/stdout is, which is not to be risked.
    link = os.path.join(directory, "stdout")
    os.symlink("/proc/self/fd/1", link)
    with open(log, "ab") as out:
        p = subprocess.run([TCPHS, "stats", "--prometheus", "-r", GOOD, "-o", link],
                           env=ENV, stdout=out, stderr=subprocess.PIPE, timeout=60)
    say(p.returncode == 0 and content(log).startswith(b"before\n# HELP") and
        os.path.islink(link), "a link to standard output, which appends",
        (p, content(log)[:100]))
    # Any other descriptor, that of another process, too.
    with open(log, "ab") as out, open(os.path.join(directory, "holder"), "wb") as own:
        number, pid = out.fileno(), os.getpid()
        for name in ("/proc/self/fd/%d" % number, "/dev/fd/%d" % number,
                     "/proc/%d/fd/%d" % (pid, number)):
            for args in (("stats", "--prometheus"), ("export",), ("record",)):
                write(log, b"before\n")
                link = os.path.join(directory, "link.mmd")
                os.symlink(name, link)
                got = run(*args, "-r", GOOD, "-o", link, pass_fds=(number,))
                now = content(log)
                say(got == (0, "") and now.startswith(b"before\n") and len(now) > 1000 and
                    os.path.islink(link), "%s -o %s: appends" %
                    (" ".join(args), name.replace(str(pid), "PID").replace(str(number), "N")),
                    (got, now[:100]))
                os.unlink(link)
        number = own.fileno()
        own.write(b"before\n")
        own.flush()
        for args in (("stats", "--prometheus"), ("record",)):
            got = run(*args, "-r", GOOD, "-o", "/dev/fd/%d" % number, pass_fds=(number,))
            own.write(b"behind " + args[0].encode())
            own.flush()
            now = content(own.name)
            say(got == (0, "") and now.startswith(b"before\n") and
                now.endswith(b"behind " + args[0].encode()) and b"\0" * 200 not in now,
                "%s -o /dev/fd/N: where it is" % " ".join(args), (got, now[:100], now[-100:]))
    other = os.path.join(directory, "other.tcphs")
    write(other, b"x" * 100000)
    with open(target, "rb") as f:
        say(run("record", "-r", "-", "-o", other, stdin=f) == (0, "") and content(other) == RAW,
            "record over a longer file")
finish()
