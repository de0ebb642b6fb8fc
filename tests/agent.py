# SPDX-License-Identifier: GPL-2.0
"""One end of a connection: a process of its own, with its own name and network
namespace, that does with one real socket what it is told and says what came of
it.

The parent holds an End. `end.connect(addr, port)` runs Agent.connect in the
child and returns its result; `end.start("accept")` ... `end.finish()` does the
same without waiting. A failed call raises OSError in the parent, with the
child's errno. Everything waits for a condition, never for a time, and gives up
after PATIENCE seconds.
"""
import ctypes
import errno
import fcntl
import json
import os
import select
import socket
import struct
import sys
import termios
import time
import traceback

from witness import STATES, ip_text

PATIENCE = 90 * int(os.environ.get("TCPHS_SLOW", 1))	# see lib.sh
PR_SET_NAME = 15
CLONE_NEWNET = 0x40000000
FAMILY = {"inet": socket.AF_INET, "inet6": socket.AF_INET6,
          "v4mapped": socket.AF_INET6}
# Those that Python has no names for.
OPTIONS = {"TCP_TX_DELAY": 37}
# In struct tcp_info, the same on every kernel since 4.2.
TCPI_SEGS_OUT = 136

libc = ctypes.CDLL(None, use_errno=True)


def enter_netns(path):
    with open(path) as f:
        if libc.setns(f.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + path)


def set_comm(name):
    libc.prctl(PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)


def wait_for(what, test):
    """Polls until test() says something true, and returns that"""
    end = time.monotonic() + PATIENCE
    while True:
        found = test()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError("waited %d s for %s" % (PATIENCE, what))
        time.sleep(0.005)


def proc_end(text):
    """("127.0.0.1", 80) out of the "0100007F:0050" of /proc/net/tcp"""
    addr, port = text.split(":")
    raw = bytes.fromhex(addr)
    words = struct.unpack(">%dI" % (len(raw) // 4), raw)
    return ip_text(struct.pack("=%dI" % len(words), *words)), int(port, 16)


def proc_sockets():
    """(local, remote, state) of each TCP socket in this network namespace"""
    for name in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        with open(name) as f:
            next(f)
            for row in f:
                word = row.split()
                yield (proc_end(word[1]), proc_end(word[2]),
                       STATES[int(word[3], 16)])


def end_of(name):
    """What getsockname() says, v4-mapped as plain IPv4"""
    addr = name[0].split("%")[0]
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    return ip_text(socket.inet_pton(family, addr)), name[1]


class Agent:
    """Runs in the child. A method's result must be good for JSON."""

    def __init__(self, family):
        self.family = family
        self.sock = None
        self.listener = None
        self.local = self.remote = None
        self.sent = self.received = 0

    def spell(self, addr):
        return "::ffff:" + addr if self.family == "v4mapped" and \
            "." in addr else addr

    def socket(self):
        self.sock = socket.socket(FAMILY[self.family])
        self.sock.settimeout(PATIENCE)

    def bind(self, addr, port=0):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((self.spell(addr), port))
        return end_of(self.sock.getsockname())

    def listen(self, backlog=8):
        self.listener, self.sock = self.sock, None
        self.listener.listen(backlog)
        return end_of(self.listener.getsockname())

    def know(self):
        self.local = end_of(self.sock.getsockname())
        self.remote = end_of(self.sock.getpeername())
        return self.local

    def connect(self, addr, port):
        self.sock.connect((self.spell(addr), port))
        return self.know()

    def connect_begin(self, addr, port):
        """Returns when the SYN has been sent"""
        self.sock.setblocking(False)
        err = self.sock.connect_ex((self.spell(addr), port))
        if err != errno.EINPROGRESS:
            raise OSError(err, "connect: " + os.strerror(err))

    def connect_end(self):
        """Until the connection stands that connect_begin() began"""
        select.select([], [self.sock], [], PATIENCE)
        err = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if err:
            raise OSError(err, "connect: " + os.strerror(err))
        self.sock.settimeout(PATIENCE)
        return self.know()

    def connect_and_send(self, addr, port, size):
        """So soon that the data takes the third ACK along"""
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        self.sock.connect((self.spell(addr), port))
        self.send(size)
        return self.know()

    def connect_fail(self, addr, port):
        """The errno with which the network answered a connect()"""
        self.connect_begin(addr, port)
        self.local = end_of(self.sock.getsockname())
        self.remote = (addr, port)
        select.select([], [self.sock], [], PATIENCE)
        return self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def accept(self):
        self.sock, _ = self.listener.accept()
        self.sock.settimeout(PATIENCE)
        return self.know()

    def close_listener(self):
        self.listener.close()
        self.listener = None

    def send(self, size):
        self.sock.sendall(bytes(i & 0xff for i in range(size)))
        self.sent += size

    def recv(self, size):
        while size:
            got = self.sock.recv(size)
            if not got:
                raise EOFError("the peer closed too early")
            self.received += len(got)
            size -= len(got)

    def recv_end(self):
        """Waits for the peer's FIN, or its RST: "eof" or "reset" """
        try:
            while True:
                got = self.sock.recv(65536)
                if not got:
                    return "eof"
                self.received += len(got)
        except ConnectionResetError:
            return "reset"

    def send_syn(self, local, remote, size):
        """A SYN of our own making, with `size` bytes of options"""
        options = struct.pack("!BBH", 2, 4, 1400) + b"\1" * (size - 4)
        head = struct.pack("!HHIIBBHHH", local[1], remote[1], 0x7c950001, 0,
                           (20 + size) << 2, 2, 1024, 0, 0) + options
        pseudo = b"".join(socket.inet_aton(a[0]) for a in (local, remote)) + \
            struct.pack("!HH", 6, len(head)) + head
        total = sum(struct.unpack("!%dH" % (len(pseudo) // 2), pseudo))
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        head = head[:16] + struct.pack("!H", ~total & 0xffff) + head[18:]
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                 socket.IPPROTO_TCP)
        self.raw.settimeout(PATIENCE)
        self.raw.connect((remote[0], 0))
        self.raw.send(head)
        self.local, self.remote = tuple(local), tuple(remote)

    def wait_syn_ack(self):
        """
        Until the answer to send_syn() has arrived. Raw sockets get a segment
        before TCP does, and TCP answers in the same softirq.
        """
        while True:
            got = self.raw.recv(256)
            tcp = got[(got[0] & 15) * 4:]
            if struct.unpack_from("!HH", tcp) == (self.remote[1],
                                                  self.local[1]):
                return tcp[13]

    def wait_queued(self, size):
        """Until that many bytes have arrived and lie there unread"""
        def queued():
            raw = fcntl.ioctl(self.sock, termios.FIONREAD, b"\0" * 4)
            return struct.unpack("=i", raw)[0] >= size
        wait_for("%d unread bytes" % size, queued)

    def wait_acked(self):
        """Until the peer has acknowledged all that was sent"""
        def empty():
            raw = fcntl.ioctl(self.sock, termios.TIOCOUTQ, b"\0" * 4)
            return struct.unpack("=i", raw)[0] == 0
        wait_for("every byte to be acknowledged", empty)

    def setopt(self, level, name, value):
        self.sock.setsockopt(getattr(socket, level),
                             OPTIONS.get(name) or getattr(socket, name), value)

    def linger0(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("=ii", 1, 0))

    def segs_out(self):
        info = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        return struct.unpack_from("=I", info, TCPI_SEGS_OUT)[0]

    def end_and_shutdown(self):
        """
        Waits for the peer's FIN and answers with its own at once. How many
        segments that took: 1 where the ACK rode on the FIN.
        """
        before = self.segs_out()
        if self.recv_end() != "eof":
            raise EOFError("reset instead of FIN")
        self.sock.shutdown(socket.SHUT_WR)
        return self.segs_out() - before

    def shutdown(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()
        self.sock = None

    def state(self):
        for local, remote, state in proc_sockets():
            if (local, remote) == (self.local, self.remote):
                return state
        return "CLOSE"

    def wait_state(self, *states):
        """Until this end's socket is in one of them; CLOSE: there is none"""
        last = []

        def there():
            last[:] = [self.state()]
            return last[0] in states
        try:
            wait_for("state " + "/".join(states), there)
        except TimeoutError as err:
            raise TimeoutError("%s; it is in %s" % (err, last[0]))

    def wait_no_request(self):
        """Until no half-open connection is left in this namespace"""
        wait_for("the request to go", lambda: all(
            state != "SYN_RECV" for _, _, state in proc_sockets()))

    def watch_end(self, waited):
        """The time at which this end was last seen in a state, and the one at
        which it was first seen out of it. SYN_RECV: a request of the listener's"""
        local = self.listener and end_of(self.listener.getsockname())

        def there():
            if waited != "SYN_RECV":
                return self.state() == waited
            return any((end, state) == (local, waited)
                       for end, _, state in proc_sockets())
        wait_for("a socket in " + waited, there)
        last, end = 0, time.monotonic() + 2 * PATIENCE
        while True:
            now = time.monotonic_ns()
            if not there():
                return last, time.monotonic_ns()
            last = now
            if time.monotonic() > end:
                raise TimeoutError("it stays in " + waited)
            time.sleep(0.2)

    def sysctl(self, name, value):
        with open("/proc/sys/net/" + name, "w") as f:
            f.write(str(value))

    def name(self):
        return self.local

    def counts(self):
        return [self.sent, self.received]


class End:
    """The parent's handle on an Agent in a new process"""

    def __init__(self, comm, netns, family, uid=0):
        ours, theirs = socket.socketpair()
        self.comm, self.netns, self.uid = comm, netns, uid
        self.pid = os.fork()
        if not self.pid:
            ours.close()
            serve(theirs, comm, netns, family, uid)
        theirs.close()
        self.pipe = ours.makefile("rwb")
        ours.close()
        self.finish()

    def start(self, verb, *args):
        self.pipe.write(json.dumps([verb, args]).encode() + b"\n")
        self.pipe.flush()

    def finish(self):
        row = self.pipe.readline()
        if not row:
            raise RuntimeError("%s died" % self.comm)
        answer = json.loads(row)
        if "errno" in answer:
            raise OSError(answer["errno"], "%s: %s" % (self.comm,
                                                       answer["text"]))
        if "text" in answer:
            raise RuntimeError("%s: %s" % (self.comm, answer["text"]))
        return answer["value"]

    def __getattr__(self, verb):
        def call(*args):
            self.start(verb, *args)
            return self.finish()
        return call

    def quit(self):
        self.pipe.close()
        os.waitpid(self.pid, 0)


def serve(pipe, comm, netns, family, uid):
    """The child's whole life: one command per line until the pipe closes"""
    status = 1
    try:
        # A child forked later holds the pipes of its elder siblings.
        os.closerange(3, pipe.fileno())
        os.closerange(pipe.fileno() + 1, 256)
        set_comm(comm)
        if netns:
            enter_netns("/run/netns/" + netns)
        if uid:
            os.setgid(uid)
            os.setuid(uid)
        agent = Agent(family)
        stream = pipe.makefile("rwb")
        answer = {"value": None}
        while True:
            stream.write(json.dumps(answer).encode() + b"\n")
            stream.flush()
            row = stream.readline()
            if not row:
                break
            verb, args = json.loads(row)
            try:
                answer = {"value": getattr(agent, verb)(*args)}
            except OSError as err:
                answer = {"errno": err.errno or 0,
                          "text": "%s: %s" % (verb, err)}
            except Exception:
                answer = {"text": traceback.format_exc()}
        status = 0
    except (ConnectionResetError, BrokenPipeError):
        pass	# the parent has gone, and said why
    except Exception:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
