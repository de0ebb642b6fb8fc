#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The part of `make check-fleet` that runs in its two VMs. beta has the two shards,
the servers of the load and all the judging; alpha has the clients, and does what
beta says. Both feed the shards as scripts/fleet says. Prints TAP; lines of "# " are
what is worth keeping.

usage: check-fleet-guest.py alpha|beta COUNT
       check-fleet-guest.py serve
       check-fleet-guest.py connect COUNT
       check-fleet-guest.py fail PORT TIMES
"""
import json
import os
import random
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time
import xmlrpc.client
import xmlrpc.server

SELF = os.path.abspath(__file__)
TOP = os.path.dirname(os.path.dirname(SELF))
FLEET = os.path.join(TOP, "scripts/fleet")
TCPHS = os.path.join(TOP, "user/tcphs")
ADDRESS = {"alpha": "10.77.0.1", "beta": "10.77.0.2"}
# What is recorded: the servers, one that nobody listens on, and one that is silent.
PORTS, REFUSED, SILENT = (7001, 7002, 7003), 7998, 7999
REFUSALS, TIMEOUTS = 100, 5
# A connection waits more than it computes: for its peer, and 40 ms for an ACK.
WORKERS = 8
SHARDS = (("shard1", 8123, 9000), ("shard2", 8124, 9001))
SETTINGS = "insert_distributed_sync=1&input_format_import_nested_json=1"
ENGINE = " ".join("http://%s:%d/?%s" % (ADDRESS["beta"], port, SETTINGS)
                  for _, port, _ in SHARDS)
ENV = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "COLUMNS": "100"}
CONTROL = 9


# --------------------------------------------------------------------- the load

def serve():
    """Answers, and closes first where the client says so; never ends"""
    listeners = []
    for port in PORTS:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("", port))
        s.listen(1024)
        s.setblocking(False)
        listeners.append(s)
    for _ in range(WORKERS - 1):
        if not os.fork():
            break
    while True:
        for s in select.select(listeners, [], [])[0]:
            try:
                child, _ = s.accept()
            except BlockingIOError:
                continue
            child.setblocking(True)
            try:
                said = child.recv(16)
                if said[:1] != b"r":
                    child.send(b"answer")
                if said[:1] == b"c":
                    child.recv(16)
            except ConnectionError:
                pass
            child.close()


def connect_one(rng):
    s = socket.socket()
    try:
        s.connect((ADDRESS["beta"], rng.choice(PORTS)))
    except TimeoutError:
        # A host that was busy for two minutes: recorded, as all else is.
        s.close()
        return
    how = rng.choices((b"c", b"s", b"r"), (60, 35, 5))[0]
    s.send(how + b"question")
    if how == b"s":
        while s.recv(16):
            pass
    elif how == b"c":
        s.recv(16)
    else:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
    s.close()


def connect(count):
    """COUNT connections, by WORKERS processes"""
    for worker in range(WORKERS):
        if os.fork():
            continue
        rng = random.Random(os.getpid())
        for _ in range(worker, count, WORKERS):
            connect_one(rng)
        os._exit(0)
    for _ in range(WORKERS):
        os.wait()


def fail_to_connect(port, times):
    for _ in range(times):
        s = socket.socket()
        try:
            s.connect((ADDRESS["beta"], port))
        except OSError:
            pass
        s.close()


# --------------------------------------------------------------------- the hosts

def run(command):
    done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, **ENV), check=False)
    return done.returncode, done.stdout.decode(errors="replace")


class Host:
    def __init__(self, name, proxy=None):
        self.name = name
        self.proxy = proxy

    def try_sh(self, command):
        """(status, what it printed)"""
        if self.proxy:
            status, said = self.proxy.run(command)
            return status, said
        return run(command)

    def sh(self, command):
        status, said = self.try_sh(command)
        if status:
            raise RuntimeError("%s: %s\nstatus %d\n%s" % (self.name, command, status, said))
        return said.strip()

    def start(self, name, command):
        """In the background; its process group is kept in /run/NAME.pid"""
        self.sh("setsid bash -c 'echo $$ >/run/%s.pid; exec %s' </dev/null "
                ">>/run/%s.log 2>&1 & sleep 0.2" % (name, command, name))

    def stop(self, name):
        self.try_sh("pid=$(cat /run/%s.pid); kill $pid; while [ -e /proc/$pid/exe ]; "
                    "do sleep 0.1; done" % name)

    def log(self, name):
        return self.try_sh("cat /run/%s.log" % name)[1]

    def module(self):
        return {k: v for k, _, v in
                (line.partition(" ") for line in
                 self.sh("cat /proc/tcphs/stats").splitlines())}

    # The unit's own lines, without systemd.
    def unit(self, name, stream, change):
        """Shell words that set the environment of tcphs-fleet@STREAM"""
        with open(os.path.join(FLEET, "tcphs-fleet@.service")) as f:
            lines = f.read().splitlines()
        env = dict(line.split("=", 2)[1:] for line in lines
                   if line.startswith("Environment="))
        env.update(TCPHS=TCPHS, TCPHS_ENGINE=ENGINE, TCPHS_RETRY_SECONDS="3",
                   TCPHS_BATCH_MS="3000",
                   STATE_DIRECTORY="/tmp/" + name, RUNTIME_DIRECTORY="/run/" + name)
        env.update(change)
        words = ["set -a", ". /etc/tcphs/%s.env" % stream]
        words += ["%s='%s'" % item for item in env.items()]
        words.append("mkdir -p $STATE_DIRECTORY $RUNTIME_DIRECTORY")
        begin = [line.split("=", 1)[1] for line in lines
                 if line.startswith("ExecStart=")]
        return "; ".join(words), begin[0]

    def feed(self, stream, name=None, **change):
        name = name or stream
        words, begin = self.unit(name, stream, change)
        self.sh("cat >/run/%s.sh <<'END'\n%s\nexec %s\nEND" % (name, words, begin))
        self.start(name, "bash /run/%s.sh" % name)

    def check(self, stream, name=None, **change):
        """(status, what check.sh says)"""
        name = name or stream
        words, _ = self.unit(name, stream, change)
        return self.try_sh("%s; /etc/tcphs/check.sh $STATE_DIRECTORY "
                           "$RUNTIME_DIRECTORY/ctl" % words)

    def counters(self, name):
        """The queue's counters, and those of the filters"""
        said = self.try_sh("syslog-ng-ctl stats -c /run/%s/ctl" % name)[1]
        found = {}
        for line in said.splitlines():
            word = line.rsplit(";", 4)
            if line.startswith("dst.http;d_engine#0") and len(word) == 5:
                found[word[3]] = int(word[4])
            if line.startswith("filter;") and line.split(";")[-2] == "matched":
                found[line.split(";")[1]] = int(line.split(";")[-1])
        return found


def begin_host(name):
    """The wire, a name, and a clock of its own"""
    offset = {"alpha": 3, "beta": 0}[name]
    status, said = run(
        "set -e; modprobe virtio_net; hostname %s; ip link set eth0 up; "
        "mount /dev/$(basename $(dirname $(grep -lx work /sys/block/*/serial))) /tmp; "
        "ip addr add %s/24 dev eth0; date -s +%dsec >/dev/null; "
        "echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range; "
        "echo 1 >/proc/sys/net/ipv4/tcp_syn_retries; "
        "echo 262144 >/proc/sys/net/ipv4/tcp_max_tw_buckets; "
        "mkdir -p /etc/tcphs /var/lib/syslog-ng; cp %s/* /etc/tcphs/; "
        "insmod %s/tcphs.ko ring_kb=131072 ports=%s" %
        (name, ADDRESS[name], offset, FLEET, TOP,
         ",".join(map(str, PORTS + (REFUSED, SILENT)))))
    if status:
        sys.exit("%s: %s" % (name, said))


def alpha():
    begin_host("alpha")
    server = xmlrpc.server.SimpleXMLRPCServer((ADDRESS["alpha"], CONTROL),
                                              logRequests=False, allow_none=True)
    server.register_function(run)
    ended = threading.Event()
    server.register_function(ended.set, "end")
    while not ended.is_set():
        server.handle_request()


def reach_alpha():
    proxy = xmlrpc.client.ServerProxy("http://%s:%d" % (ADDRESS["alpha"], CONTROL),
                                      allow_none=True)
    for _ in range(600):
        try:
            proxy.run("true")
            return proxy
        except OSError:
            time.sleep(1)
    sys.exit("alpha does not answer")


# ----------------------------------------------------------------------- results

class Tap:
    def __init__(self):
        self.count = 0
        self.failed = False

    def say(self, good, name, note=""):
        self.count += 1
        print("%s %d %s" % ("ok" if good else "not ok", self.count, name), flush=True)
        if not good:
            self.failed = True
            for line in str(note).splitlines()[:25]:
                print("#  " + line[:300])
        return good

    def equal(self, name, got, wanted):
        return self.say(got == wanted, name, "got      %s\nexpected %s" % (got, wanted))

    def has(self, name, text, part):
        return self.say(re.search(part, text) is not None, name,
                        "no /%s/ in:\n%s" % (part, text))


def keep(text):
    for line in text.splitlines():
        print("# " + line, flush=True)


def progress(text):
    print("%6d s: %s" % (time.monotonic(), text), flush=True)


# ------------------------------------------------------------------------ shards

class Engine:
    def __init__(self, host):
        self.host = host

    def configure(self):
        with open(os.path.join(FLEET, "cluster.xml")) as f:
            cluster = f.read()
        for number, (_, _, port) in enumerate(SHARDS, 1):
            cluster = re.sub(r"<host>shard%d.example</host>(\s*)<port>9000" % number,
                             r"<host>127.0.0.1</host>\1<port>%d" % port, cluster)
        for name, http, port in SHARDS:
            self.host.sh(
                "mkdir -p /tmp/{0}/config.d /tmp/{0}/data /tmp/{0}/log; cd /tmp/{0}; "
                "cp /etc/clickhouse-server/users.xml .; "
                "sed 's|/var/lib/clickhouse|/tmp/{0}/data|g; "
                "s|/var/log/clickhouse-server|/tmp/{0}/log|g; s|>8123<|>{1}<|; "
                "s|>9000<|>{2}<|; s|>9009<|>{3}<|' "
                "/etc/clickhouse-server/config.xml >config.xml".format(
                    name, http, port, port + 1000))
            with open("/tmp/%s/config.d/tcphs.xml" % name, "w") as f:
                f.write(cluster)
            with open("/tmp/%s/config.d/listen.xml" % name, "w") as f:
                f.write("<yandex><listen_host>0.0.0.0</listen_host></yandex>\n")

    def start(self, number):
        name, http, _ = SHARDS[number]
        self.host.start(name, "clickhouse-server --config-file=/tmp/%s/config.xml" % name)
        self.host.sh("for i in $(seq 300); do curl -sf http://127.0.0.1:%d/ >/dev/null && "
                     "exit; sleep 0.5; done; tail /run/%s.log; exit 1" % (http, name))

    def stop(self, number):
        self.host.stop(SHARDS[number][0])

    def file(self, name, number=0):
        """A file of statements, as the README says"""
        return self.host.sh("clickhouse-client --port %d -n <%s/%s" %
                            (SHARDS[number][2], FLEET, name))

    def ask(self, query, number=0):
        done = subprocess.run(["clickhouse-client", "--port", str(SHARDS[number][2]),
                               "-q", query], stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise RuntimeError("%s\n%s" % (query, done.stderr.decode()))
        return done.stdout.decode().strip()

    def rows(self, query):
        return [json.loads(line) for line in
                self.ask(query + " FORMAT JSONEachRow").splitlines()]

    def every(self, query):
        for number in range(len(SHARDS)):
            self.ask(query, number)

    def query(self, name):
        with open(os.path.join(FLEET, name + ".sql")) as f:
            return self.ask(f.read())


# --------------------------------------------------------------------- the test

class Fleet:
    def __init__(self, count):
        self.count = count
        self.tap = Tap()
        self.beta = Host("beta")
        self.alpha = Host("alpha", reach_alpha())
        self.hosts = (self.alpha, self.beta)
        self.engine = Engine(self.beta)

    def begin(self):
        tap = self.tap
        said = self.beta.try_sh(
            "cd /etc/tcphs; for u in *.service *.timer; do cp $u "
            "/etc/systemd/system/; done; cp %s /usr/sbin/tcphs; cd /etc/systemd/system; "
            "systemd-analyze verify --man=no tcphs-fleet@events.service "
            "tcphs-fleet-check@events.timer tcphs-expire.timer" % TCPHS)
        tap.equal("systemd takes the units", said, (0, ""))
        self.engine.configure()
        for number in range(len(SHARDS)):
            self.engine.start(number)
        said = self.beta.check("events")
        tap.say(said[0] == 1 and "Database tcphs doesn't exist" in said[1],
                "before there are tables, check.sh names what is missing", said)
        for number in range(len(SHARDS)):
            self.engine.file("schema.sql", number)
            self.engine.file("distributed.sql", number)
        for host in self.hosts:
            for stream in ("events", "connections"):
                tap.equal("check.sh has nothing to say: %s of %s" % (stream, host.name),
                          host.check(stream), (0, ""))
                host.feed(stream)
        self.beta.sh("nft add table ip t; nft 'add chain ip t in { type filter hook input "
                     "priority 0; }'; nft add rule ip t in tcp dport %d drop" % SILENT)
        self.beta.start("serve", "python3 %s serve" % SELF)
        self.beta.sh("until [ $(ss -Hltn 'sport >= %d and sport <= %d' | wc -l) = %d ]; "
                     "do sleep 0.5; done" % (PORTS[0], PORTS[-1], len(PORTS)))

    def load(self, count):
        self.alpha.sh("python3 %s connect %d" % (SELF, count))
        progress("%d connections; written %s" % (count, {
            host.name: host.module()["records_written"] for host in self.hosts}))

    def waiting(self):
        """Records that were read and are not stored yet"""
        found = {}
        for host in self.hosts:
            for stream in ("events", "connections"):
                now = host.counters(stream)
                found["%s of %s" % (stream, host.name)] = \
                    now.get("processed", 0) - now.get("written", 0)
        return found

    def says(self, name, pattern):
        """Waits until alpha's feed of events has said so"""
        for _ in range(200):
            if re.search(pattern, self.alpha.log("events")):
                break
            time.sleep(3)
        self.tap.has(name, self.alpha.log("events"), pattern)

    def outage(self):
        """A shard is stopped; then the table is missing, then an old one"""
        tap, third = self.tap, self.count // 3
        self.load(third)
        self.engine.stop(1)
        progress("shard 2 stopped")
        said = self.alpha.check("events")
        tap.say(said[0] == 1 and re.search(r":8124/: curl: .*connect", said[1], re.I),
                "a server that is gone is named", said)
        self.load(third)
        self.says("the feed says that it waits",
                  r"(status_code='500'|server is down|error sending HTTP request)")
        waiting = self.waiting()
        tap.say(waiting["events of alpha"] and waiting["events of beta"],
                "meanwhile the records wait on disk", waiting)
        keep("read and not stored while shard 2 was stopped: %s" % waiting)
        self.engine.start(1)
        progress("shard 2 is back")

        self.engine.every("RENAME TABLE tcphs.events TO tcphs.away")
        said = self.alpha.check("events")
        tap.say(said[0] == 1 and "tcphs.events doesn't exist" in said[1],
                "a table that is missing is named", said)
        self.load(self.count - 2 * third)
        self.says("and the feed says what it got", "status_code='404'")
        self.engine.every("RENAME TABLE tcphs.away TO tcphs.events")
        self.engine.every("ALTER TABLE tcphs.events DROP COLUMN option_bytes")
        said = self.alpha.check("events")
        tap.say(said[0] == 1 and "option_bytes" in said[1],
                "a column that an older table lacks is named", said)
        self.engine.every("ALTER TABLE tcphs.events ADD COLUMN option_bytes "
                          "Nullable(String)")
        tap.equal("and then all is well", self.alpha.check("events"), (0, ""))

    def fail(self):
        for port, times in ((REFUSED, REFUSALS), (SILENT, TIMEOUTS)):
            self.alpha.sh("python3 %s fail %d %d" % (SELF, port, times))

    def wait(self):
        """Until nothing happens any more, and nothing waits"""
        before = None
        while True:
            written = {host.name: int(host.module()["records_written"])
                       for host in self.hosts}
            waiting = self.waiting()
            read = {host.name: host.counters("events").get("processed")
                    for host in self.hosts}
            progress("written %s, read %s, not stored %s" %
                     (written, read, list(waiting.values())))
            # A TIME_WAIT is yet to end.
            left = sum(int(host.sh("ss -Htan '( sport >= %d and sport <= %d ) or "
                                   "( dport >= %d and dport <= %d )' | grep -vc LISTEN; true"
                                   % ((PORTS[0], SILENT) * 2))) for host in self.hosts)
            now = written, [host.counters("connections") for host in self.hosts]
            if now == before and read == written and not left and \
                    not any(waiting.values()):
                return written
            before = now
            time.sleep(20)

    def counts(self, written):
        tap = self.tap
        kinds = {"transition": "transitions", "segment": "segments", "reset": "resets",
                 "destroy": "destroys", "accept": "accepts"}
        stored = {}
        for row in self.engine.rows("SELECT host, kind, count() AS c FROM tcphs.events "
                                    "FINAL GROUP BY host, kind"):
            stored.setdefault(row["host"], {})[row["kind"]] = int(row["c"])
        for host in self.hosts:
            module = host.module()
            wanted = {kind: int(module[name]) for kind, name in kinds.items()
                      if int(module[name])}
            tap.equal("%s: all %d records are in the engine, by kind" %
                      (host.name, written[host.name]), stored.get(host.name), wanted)
            tap.equal("%s: nothing was overwritten" % host.name,
                      module["records_overwritten"], "0")
            keep("%s wrote %d records; the engine has %d: %s" % (
                host.name, written[host.name], sum(stored[host.name].values()),
                stored[host.name]))
        gaps = self.engine.query("gaps")
        missing = [line.split("│")[-2].strip() for line in gaps.splitlines()[1:-1]]
        tap.say(missing and set(missing) == {"0"}, "no number is missing on any CPU", gaps)
        raw, final = (int(self.engine.ask("SELECT count() FROM tcphs.events" + word))
                      for word in ("", " FINAL"))
        ever = int(self.engine.ask("SELECT uniqExact(host, boot, session, cpu, n) "
                                   "FROM tcphs.events"))
        tap.equal("FINAL counts each record once", final, ever)
        again = sum(host.counters("events")["written"] for host in self.hosts)
        keep("rows with those that were sent again: %d; without: %d; acknowledged: %d" %
             (raw, final, again))
        self.engine.every("OPTIMIZE TABLE tcphs.events_local FINAL")
        self.engine.every("OPTIMIZE TABLE tcphs.connections_local FINAL")
        tap.equal("and once merged there are no others", int(self.engine.ask(
            "SELECT count() FROM tcphs.events")), final)
        shards = [int(self.engine.ask("SELECT count() FROM tcphs.events_local", n))
                  for n in range(len(SHARDS))]
        tap.say(min(shards) > final / 4, "both shards have their share", shards)
        split = self.engine.ask("SELECT count() FROM (SELECT pair, uniq(shard) AS u FROM ("
                                "SELECT pair, 1 AS shard FROM tcphs.events_local GROUP BY "
                                "pair UNION ALL SELECT pair, 2 AS shard FROM remote("
                                "'127.0.0.1:%d', tcphs, events_local) GROUP BY pair) "
                                "GROUP BY pair HAVING u > 1)" % SHARDS[1][2])
        tap.equal("and no connection is on two", split, "0")
        self.cost(final)

    def again(self):
        """A record that is sent twice, in a batch of its own"""
        before = self.engine.ask("SELECT count() FROM tcphs.events FINAL")
        row = self.alpha.sh("%s events --json -n 500" % TCPHS)
        with open("/run/again.ev", "w") as f:
            f.write(row + "\n")
        words, _ = self.beta.unit("events", "events", {})
        self.beta.sh("%s; (echo \"$TCPHS_INSERT\"; cat /run/again.ev) | "
                     "curl -sS --fail-with-body --data-binary @- "
                     "${TCPHS_ENGINE%%%% *}" % words)
        raw = int(self.engine.ask("SELECT count() FROM tcphs.events"))
        self.tap.say(raw >= int(before), "500 records are sent once more", raw)
        self.tap.equal("and none of them counts twice",
                       self.engine.ask("SELECT count() FROM tcphs.events FINAL"), before)

    def cost(self, records):
        size = {}
        for number in range(len(SHARDS)):
            for line in self.engine.ask(
                    "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND "
                    "database = 'tcphs' GROUP BY table", number).splitlines():
                table, _, n = line.partition("\t")
                size[table] = size.get(table, 0) + int(n)
        connections = int(self.engine.ask("SELECT count() FROM tcphs.connections FINAL"))
        made = self.count + REFUSALS + TIMEOUTS
        keep("on disk: events %d bytes, %.1f a record, %.0f a connection (both ends); "
             "connections %d bytes, %.1f each, %d of them" %
             (size["events_local"], size["events_local"] / records,
              size["events_local"] / made, size["connections_local"],
              size["connections_local"] / max(connections, 1), connections))

    def recordings(self):
        """What both rings have, as files on beta"""
        for host in self.hosts:
            host.sh("%s record -d 1 -o /tmp/%s.tcphs" % (TCPHS, host.name))
        self.alpha.start("http", "python3 -m http.server -d /tmp 8000")
        self.beta.sh("curl -sSf --retry 30 --retry-connrefused -o /tmp/alpha.tcphs http://%s:8000/alpha.tcphs" %
                     ADDRESS["alpha"])
        self.alpha.stop("http")

    def verdicts(self):
        """Opens and closes are those that the recordings tell"""
        for host in self.hosts:
            told = json.loads(self.beta.sh(
                "%s -r /tmp/%s.tcphs list --json | tail -n 1" % (TCPHS, host.name)))
            for what in ("open", "close"):
                wanted = {k: v for k, v in told[what + "s"].items() if v}
                got = {row["k"]: int(row["c"]) for row in self.engine.rows(
                    "SELECT %s AS k, count() AS c FROM tcphs.connections FINAL WHERE "
                    "host = '%s' AND isNotNull(%s) GROUP BY k" % (what, host.name, what))}
                self.tap.equal("%s: %ss are those of its recording" % (host.name, what),
                               got, wanted)
            keep("%s: %s" % (host.name, {w: told[w] for w in ("opens", "closes")}))
        self.tap.equal("alpha told each connection that it made", int(self.engine.ask(
            "SELECT count() FROM tcphs.connections FINAL WHERE host = 'alpha'")),
                       self.count + REFUSALS + TIMEOUTS)

    def ladders(self):
        """From the engine, and from the two recordings"""
        tap = self.tap
        with open(os.path.join(FLEET, "both-ends.sql")) as f:
            query = f.read()
        one = self.engine.ask(query) + "\n"
        with open("/tmp/one.json", "w") as f:
            f.write(one)
        rows = [json.loads(line) for line in one.splitlines()]
        tap.equal("both-ends.sql has the records of both hosts",
                  sorted({row["host"] for row in rows}), ["alpha", "beta"])
        syn = [row for row in rows if row["host"] == "alpha" and
               row["kind"] == "segment" and row["flags"] == ["SYN"]][0]
        # The client's port is on the way to the same service only once.
        only = "host %s and port %d and port %d" % (syn["saddr"], syn["sport"], syn["dport"])
        for host in self.hosts:
            self.beta.sh("%s -r /tmp/%s.tcphs events --json '%s' >/tmp/%s.json" %
                         (TCPHS, host.name, only, host.name))
        engine = self.beta.sh("%s -r - timeline '%s' </tmp/one.json" % (TCPHS, only))
        files = self.beta.sh("%s -r /tmp/alpha.json -r /tmp/beta.json timeline '%s'" %
                             (TCPHS, only))
        tap.equal("the ladder from the engine is that of the two recordings' records",
                  engine.splitlines(), files.splitlines())
        whole = self.beta.sh("%s -r /tmp/alpha.tcphs -r /tmp/beta.tcphs timeline -t '%s'" %
                             (TCPHS, only))
        plain = self.beta.sh("%s -r - timeline -t '%s' </tmp/one.json" % (TCPHS, only))

        def ladder(text):
            return [line for line in text.splitlines() if not line.startswith("clock of")
                    and " open " not in line]
        tap.equal("and, but for the clocks' error, that of the whole recordings",
                  ladder(plain), ladder(whole))
        tap.has("the clocks are compared by the exchange", engine,
                r"clock of beta: .* off by at most .* from \d+ segments")
        keep(engine)
        # A few hundred connections at once, the sample that README.md has.
        mask = 1
        while self.count // (2 * mask) > 200:
            mask *= 2
        mask -= 1
        some = "(tcp[0:2] + tcp[2:2]) & %d = 0" % mask
        every = re.sub(r"WHERE \(pair, host.*?\nORDER BY",
                       "WHERE ignore(pair, host, boot, ts, cpu, n) = 0 AND "
                       "bitAnd(sport + ifNull(dport, 0), %d) = 0\nORDER BY" % mask, query, flags=re.S)
        with open("/tmp/some.json", "w") as f:
            f.write(self.engine.ask(every) + "\n")
        for host in self.hosts:
            self.beta.sh("%s -r /tmp/%s.tcphs events --json '%s' >/tmp/%s.json" %
                         (TCPHS, host.name, some, host.name))
        engine = self.beta.sh("%s -r - timeline </tmp/some.json" % TCPHS)
        files = self.beta.sh("%s -r /tmp/alpha.json -r /tmp/beta.json timeline" % TCPHS)
        number = len(re.findall(r"^#\d+ ", engine, re.M))
        tap.say(number > 0 and engine == files, "%d ladders at once are the same, too" %
                number, "\n".join(a + " | " + b for a, b in zip(engine.splitlines(),
                                                                files.splitlines())
                                  if a != b))

    def questions(self):
        tap = self.tap
        said = {}
        for name in sorted(os.listdir(FLEET)):
            name, _, suffix = name.partition(".")
            if suffix != "sql" or name in ("schema", "distributed", "ttl", "both-ends"):
                continue
            status, said[name] = self.beta.try_sh("clickhouse-client --port %d <%s/%s.sql" %
                                                  (SHARDS[0][2], FLEET, name))
            tap.equal("%s.sql runs as it is" % name, status, 0)
            keep(name + ".sql")
            keep("\n".join(said[name].splitlines()[:9]))
        rows = [[w.strip() for w in line.strip("│").split("│")]
                for line in said["handshake"].splitlines()[1:-1]]
        tap.equal("handshake.sql: every handshake of the clients is in it",
                  sum(int(row[3]) for row in rows if row[2] == "client"), self.count)
        tap.has("refused.sql: the refused ones", said["refused"],
                r"alpha +│ beta +│ 10.77.0.2 │ +%d │ +%d │ +0 │" % (REFUSED, REFUSALS))
        tap.has("refused.sql: and those that timed out", said["refused"],
                r"alpha +│ beta +│ 10.77.0.2 │ +%d │ +0 │ +%d │" % (SILENT, TIMEOUTS))
        tap.has("syn-flood.sql: SYNs that opened nothing", said["syn-flood"],
                r"beta +│ +%d │ 10.77.0.0 +│ +%d │ +1 │ +0 │" % (REFUSED, REFUSALS))
        tap.equal("expire.sql: nothing is older than it says", said["expire"], "")
        self.engine.ask("INSERT INTO tcphs.events_local (kind, n, wall, host) VALUES "
                        "('lost', 1, 1000000000000000000, 'old')")
        self.beta.sh("query=$(cat /etc/tcphs/expire.sql); clickhouse-client --query=\"$query\" "
                     "| clickhouse-client --multiquery")
        tap.equal("expire.sql: an old day goes", self.engine.ask(
            "SELECT count() FROM tcphs.events_local WHERE host = 'old'"), "0")
        tap.say(int(self.engine.ask("SELECT count() FROM tcphs.events_local")) > 1000,
                "expire.sql: and no other")

    def strange(self):
        """Members that the table lacks, and what is no record, among good ones"""
        tap = self.tap
        lines = [line.replace('"host":"alpha"', '"host":"gamma"') for line in
                 self.alpha.sh("%s events --json -n 100" % TCPHS).splitlines()]
        strange = [re.sub(r'}$', ',"novel":{"a":["b",1]}}', line) for line in lines[:7]]
        with open("/tmp/strange.ev", "w") as f:
            f.write("\n".join(lines[7:50] + strange + ["no record", '{"kind":"segment"'] +
                              lines[50:]) + "\n")
        with open("/tmp/strange-reader", "w") as f:
            f.write("#!/bin/sh\ncat /tmp/strange.ev\nexec sleep 100000\n")
        os.chmod("/tmp/strange-reader", 0o755)
        self.beta.feed("events", "strange", TCPHS="/tmp/strange-reader")
        for _ in range(60):
            found = self.beta.counters("strange")
            if found.get("written") == 100:
                break
            time.sleep(1)
        log = self.beta.log("strange")
        tap.equal("all good records of a strange stream come, and the known part of others",
                  self.engine.ask("SELECT count(), countIf(n > 0 OR ts > 0) FROM "
                                  "tcphs.events FINAL WHERE host = 'gamma'"), "100\t100")
        tap.has("a member that the table lacks is named", log,
                r'members that the table lacks: \{"novel":\{"a":\["b",1\]\}\}')
        tap.equal("and the records that had it are counted", found.get("f_strange"), 7)
        tap.say(found.get("written") == 100, "what is no record is left out", found)
        self.beta.stop("strange")

    def full(self):
        """A small queue, a small ring, and no engine"""
        tap, alpha = self.tap, self.alpha
        for stream in ("events", "connections"):
            alpha.stop(stream)
        alpha.sh("rmmod tcphs; hostname delta; insmod %s/tcphs.ko ring_kb=64 ports=%s" %
                 (TOP, ",".join(map(str, PORTS))))
        self.engine.stop(1)
        size = {"TCPHS_QUEUE_BYTES": "20000000"}
        alpha.feed("events", "full", **size)
        # How much the ring lets through while the feed keeps up is the machine's to say.
        for _ in range(10):
            self.load(1500)
            said = alpha.check("events", "full", **size)
            if "is full" in said[1]:
                break
        tap.say(said[0] == 1 and "the disk queue in /tmp/full is full" in said[1],
                "a full disk queue is named", said)
        self.engine.start(1)
        for _ in range(200):
            now = alpha.module()["records_written"], alpha.counters("full")
            if now[1].get("queued") == 0 and now[1].get("written") == \
                    now[1].get("processed"):
                gaps = self.engine.query("gaps")
                row = [[w.strip() for w in line.strip("│").split("│")] for line in
                       gaps.splitlines() if "│ delta" in line]
                if row and sum(int(r[4]) + int(r[7]) for r in row) == int(now[0]):
                    break
            time.sleep(5)
        lost = sum(int(r[7]) for r in row)
        tap.say(lost > 0, "what the ring had no room for is counted as lost", gaps)
        tap.equal("records and lost ones are what the module wrote",
                  sum(int(r[4]) + int(r[7]) for r in row), int(now[0]))
        tap.equal("nothing else is missing", {r[9] for r in row}, {"0"})
        tap.equal("the shipper dropped nothing", now[1].get("dropped"), 0)
        keep("with a queue of 20 MB, a ring of 64 KiB and no engine: %s written, %d lost" %
             (now[0], lost))
        alpha.stop("full")

    def run(self):
        self.begin()
        self.outage()
        self.fail()
        written = self.wait()
        self.counts(written)
        self.again()
        self.recordings()
        self.verdicts()
        self.ladders()
        self.questions()
        self.strange()
        self.full()
        self.alpha.proxy.end()
        print("1..%d" % self.tap.count)
        return self.tap.failed


def main():
    role = sys.argv[1]
    if role == "serve":
        serve()
    elif role == "connect":
        connect(int(sys.argv[2]))
    elif role == "fail":
        fail_to_connect(int(sys.argv[2]), int(sys.argv[3]))
    elif role == "alpha":
        alpha()
    else:
        begin_host("beta")
        fleet = Fleet(int(sys.argv[2]))
        try:
            sys.exit(fleet.run())
        except (RuntimeError, OSError, KeyError, IndexError, xmlrpc.client.Error) as err:
            print("not ok - %s" % str(err)[:2000])
            for host in fleet.hosts:
                for name in ("events", "connections"):
                    keep(host.log(name)[-2000:])
            fleet.alpha.proxy.end()
            sys.exit(1)


if __name__ == "__main__":
    main()
