# SPDX-License-Identifier: ISC
"""lipap and nec as unikernels of Solo5 beside the same programs as processes of Linux, on one bridge.

The process has a network namespace of its own behind a pair of virtual cards, as a guest has a tap device. Servers run on
one core, the load and the next hop on another. The image lies in memory: Solo5's disks have no flush, and a process that
flushes would be measured against a guest that does not.
"""
import contextlib
import os
import resource
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from measure import TICKS, Broken, cpu_seconds, rows, status_kib

from lib import rig
from lib.machines import MACHINES, Guests
from lib.mail import message
from lib.smtp import Lost, Smtp, post

NET = "10.77.0"
AUTHOR, LIST = "author@load.test", "ptt@mailingl.st"
OURS, READER = "someone@mailingl.st", "reader@sub1.test"  # what nec signs
MEMBERS = [AUTHOR, "member1@sub1.test", "member2@sub2.test"]
ZONE = f'load 300 MX 10 mx.sink\nload 300 TXT "v=spf1 ip4:{NET}.0/24 -all"\n'
RESULTS = "Authentication-Results: mailingl.st; arc=none; spf=pass smtp.mailfrom=load.test\r\n"
SMALL, LARGE = 4096, 1 << 20
LOADS = {"lipap": ((SMALL, 20, 4000), (LARGE, 4, 100)), "nec": ((SMALL, 20, 1000), (LARGE, 4, 40))}
SHARE = 0.8  # of the process's rate, for .spt
PROCESS = "process"
IDLE = 1000
LEAST, ENOUGH = 8, 64  # MB, between which the least memory is looked for
STREAM = 1 << 28  # bytes
ADDRESS = {"lipap": rig.LIPAP, "nec": rig.NEC, "tcp": f"{NET}.4"}
READY = {"lipap": r"event=ready\b", "nec": r"event=ready\b.*selector=arc-\d", "tcp": "event=listening"}
ALONE = """until ip link show service >&- 2>&-; do :; done
ip link set lo up; ip addr add "$0"/24 dev service; ip link set service up; exec "$@" """


def cores():
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


class Servers(Guests):
    """Programs on the machine of that name, or as processes."""

    def __init__(self, build, folder, images):
        super().__init__(build, folder)
        self.image = os.path.join(images, "lipap.img")
        self.server_core, self.load_core = cores()
        self.cards = {}  # of processes, by their ids

    def words(self, program, destination):
        if program == "tcp":
            return []
        if program == "nec":
            return ["--domain", "mailingl.st", "--password", self.password, "--dns-server", rig.DNS, "--dns-key", self.tsig,
                    "--destination", destination, "--accept-from", f"{NET}.0/24"]
        return ["--domain", "mailingl.st", "--hostname", "mx.mailingl.st", "--signer", rig.NEC, "--signer-network",
                f"{rig.NEC}/32", "--signer-network", f"{rig.DNS}/32", "--nameserver", f"udp:{rig.DNS}", "--password",
                self.list_password]

    def begin(self, name, program, memory=128, destination=rig.SINK, more=()):
        """Starts a program; on one core, so that a machine with others to run disturbs both alike."""
        self.processes = [p for p in self.processes if p.popen.poll() is None]
        words, disk = [*self.words(program, destination), *more], self.image if program == "lipap" else None
        pinned = ["taskset", "-c", str(self.server_core)]
        if name != PROCESS:
            self.machine = next(m for m in MACHINES if m.name == name)
            return self.start(f"{program}-{name}", pinned + self.guest(program, ADDRESS[program], words, disk, memory))
        image = ["--image", disk] if disk else []
        process = self.start(f"{program}-{name}", ["unshare", "--net", "--", *pinned, "sh", "-c", ALONE, ADDRESS[program],
                                                   self.program(program), *image, *words])
        own = os.readlink("/proc/self/ns/net")
        rig.until(10, "a network namespace", lambda: os.readlink(f"/proc/{process.pid}/ns/net") != own)
        rig.ip(f"link add veth-{program} type veth peer name service netns {process.pid}",
               f"link set veth-{program} master ptt up")
        self.cards[process.pid] = f"veth-{program}"
        return process

    def finish(self, process):
        """Its address is free at once; the kernel may take its time over a network namespace, or have been faster."""
        process.kill()
        if process.pid in self.cards:
            subprocess.run(["ip", "link", "del", self.cards.pop(process.pid)], stderr=subprocess.DEVNULL, check=False)

    def serving(self, name, program, **options):
        process = self.begin(name, program, **options)
        wait_said(process, READY[program])
        rig.ip("neigh flush dev ptt")  # its predecessor had another card
        return process

    def fresh_image(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.image)
        self.create(MEMBERS, size="1G")

    def sink(self):
        """The next hop of nec, which keeps nothing."""
        process = self.start("sink", ["taskset", "-c", str(self.load_core),
                                      os.path.join(self.build, "bench", "bench-smtp_sink"), f"{rig.SINK}:25"])
        process.wait_listens(rig.SINK)
        return process


def wait_said(process, pattern, seconds=60):
    """As its wait_log, but seen at once."""
    end = time.monotonic() + seconds
    while not rig.re.search(pattern, process.log(), rig.re.M):
        if process.popen.poll() is not None or time.monotonic() > end:
            raise Broken(f"{process.name} is not ready: {process.log()[-300:]}")
        time.sleep(0.002)


# ---- start ----

def boot(world, name, program):
    """Seconds from the tender's start to lipap's banner, or to nec's answer to its first message; the key is in the zone."""
    if program == "lipap":
        world.fresh_image()
    began = time.monotonic()
    process = world.serving(name, program)
    if program == "lipap":
        with Smtp(rig.LIPAP):
            took = time.monotonic() - began
    else:
        said = post(rig.NEC, OURS, [READER], message(sender=OURS, to=READER, more=RESULTS))
        took = time.monotonic() - began
        rig.equal(said[:3], "250", "the first message")
    world.finish(process)
    return took


def boots(world, table, scale, names):
    table.head("start: to lipap's banner, to nec's first signature")
    world.finish(world.serving(PROCESS, "nec"))  # its key is in the zone now
    for program in ("lipap", "nec"):
        took = {name: [] for name in names}
        for _ in range(scale.repeats):
            for name in names:
                took[name].append(boot(world, name, program))
        for name in names:
            table.line(f"{program}, {name}: s", took[name])


# ---- least memory ----

def gets_through(world, name, memory):
    """Whether a list of such guests takes a small post and one of a megabyte to all members."""
    mails = world.start_sink(name=f"sink-{name}.test")
    running = []
    try:
        world.fresh_image()
        for program, more in (("nec", ["--memory", "4M"]), ("lipap", [])):
            running.append(world.serving(name, program, memory=memory[program], destination=rig.LIPAP,
                                         more=more))
        for raw in (message(sender=AUTHOR), message(b"large\r\n" * 150000, sender=AUTHOR)):
            rig.equal(post(rig.LIPAP, AUTHOR, [LIST], raw)[:3], "250", "the answer")
            rig.until(10, "copies", lambda: len([c for c in mails.taken() if c.bytes().endswith(raw)]) == len(MEMBERS))
        return True
    except (AssertionError, Broken, Lost, OSError):
        return False
    finally:
        for process in running:
            world.finish(process)
        mails.close()
        world.sinks.remove(mails)


def least_memory(world, name, program):
    """By bisection, in MB."""
    lacking, enough = LEAST, ENOUGH
    while enough - lacking > 1:
        memory = (lacking + enough) // 2
        if gets_through(world, name, {"lipap": ENOUGH, "nec": ENOUGH, program: memory}):
            enough = memory
        else:
            lacking = memory
    return enough


def memories(world, table, scale, guests):
    table.head("the least memory with which a list works")
    for name in guests:
        if not gets_through(world, name, {"lipap": ENOUGH, "nec": ENOUGH}):
            raise Broken(f"no list of .{name} works with {ENOUGH} MB")
        for program in () if scale.smoke else ("lipap", "nec"):
            table.line(f"{program}.{name}, MB", [least_memory(world, name, program)])


# ---- messages ----

def run_load(world, name, program, size, connections, messages):
    """Of a fresh server: messages a second, MB a second, CPU milliseconds a message."""
    if program == "lipap":
        world.fresh_image()
    process = world.serving(name, program, more=["--memory", "64M"] if program == "nec" else [])
    envelope = [OURS, READER, RESULTS] if program == "nec" else [AUTHOR, LIST]

    def once(count):
        return rows(world, "smtp_load", f"{ADDRESS[program]}:25", connections, count, size, *envelope,
                    before=["taskset", "-c", str(world.load_core)])

    once(max(messages // 20, connections))
    before = cpu_seconds(process.pid)
    row = once(messages)
    cpu = max(cpu_seconds(process.pid) - before, 1 / TICKS)
    world.finish(process)
    rate = row["messages-per-second"]
    return {"rate": rate, "mb": rate * size / 1e6, "cpu": cpu * 1000 / messages}


def loads(world, table, scale, names):
    for program, sizes in LOADS.items():
        for size, connections, messages in sizes[:1] if scale.smoke else sizes:
            table.head(f"{program}: messages of {size // 1024} KB over {connections} connections")
            runs = {name: [] for name in names}
            for _ in range(scale.repeats):  # in turn, so that all see the same neighbours
                for name in names:
                    runs[name].append(run_load(world, name, program, size, connections, scale.of(messages, connections)))
            for name in names:
                table.line(f"{name}: messages a second", [r["rate"] for r in runs[name]])
                table.line(f"{name}: MB a second", [r["mb"] for r in runs[name]])
                table.line(f"{name}: CPU ms a message", [r["cpu"] for r in runs[name]])
            for name in names[1:]:
                table.line(f"{name}: rate in the process's", [a["rate"] / b["rate"] for a, b in zip(runs[name], runs[PROCESS])],
                           at_least=SHARE if name == "spt" else None)
                table.line(f"{name}: messages a second of CPU in the process's",
                           [b["cpu"] / a["cpu"] for a, b in zip(runs[name], runs[PROCESS])])


# ---- TCP alone ----

def stream(world, count):
    """MB a second into the guest and out of it, and the median of round trips of 64 bytes in microseconds."""
    block, trips = bytearray(1 << 18), []
    with socket.create_connection((ADDRESS["tcp"], 9), 10) as s:
        began = time.monotonic()
        for _ in range(count // len(block)):
            s.sendall(block)
        s.shutdown(socket.SHUT_WR)
        rig.equal(s.recv(1), b".", "the last byte")
        into = count / (time.monotonic() - began) / 1e6
    with socket.create_connection((ADDRESS["tcp"], 19), 10) as s:
        began, left = time.monotonic(), count
        while left > 0:
            left -= s.recv_into(block)
        out = count / (time.monotonic() - began) / 1e6
    with socket.create_connection((ADDRESS["tcp"], 7), 10) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(1000):
            began = time.monotonic()
            s.sendall(b"x" * 64)
            s.recv_into(block)
            trips.append(time.monotonic() - began)
    return into, out, statistics.median(trips) * 1e6


def streams(world, table, scale, guests):
    table.head("one TCP connection, frames of 1500 bytes")
    for name in guests:
        process = world.serving(name, "tcp", memory=64)
        runs = [stream(world, scale.of(STREAM, 1 << 20)) for _ in range(scale.repeats)]
        world.finish(process)
        for at, what in enumerate(("into the guest, MB a second", "out of it, MB a second", "round trip of 64 bytes, us")):
            table.line(f"{name}: {what}", [r[at] for r in runs])


# ---- idle sessions ----

def idle(world, name, count):
    """Sessions that have said EHLO: seconds to open them all, what each costs the host in KiB, and the longest answer."""
    world.fresh_image()
    process = world.serving(name, "lipap")
    with contextlib.ExitStack() as stack:
        before, began = status_kib(process.pid, "VmRSS"), time.monotonic()
        sessions = [stack.enter_context(Smtp(rig.LIPAP, source=rig.POSTER if n < count - 50 else rig.DNS))
                    for n in range(count)]
        for s in sessions:
            rig.equal(s.greeting[:3], "220", "the greeting")
            rig.equal(s.command("EHLO idle.test")[:3], "250", "EHLO")
        opened, longest = time.monotonic() - began, 0
        each = (status_kib(process.pid, "VmRSS") - before) / count
        for s in sessions:
            began = time.monotonic()
            rig.equal(s.command("NOOP")[:3], "250", "NOOP")
            longest = max(longest, time.monotonic() - began)
    world.finish(process)
    return opened, each, longest * 1000


def idlers(world, table, scale, names):
    count = scale.of(IDLE, 60)
    table.head(f"{count} idle sessions of lipap, guests with 128 MB")
    for name in names:
        runs = [idle(world, name, count) for _ in range(scale.repeats)]
        for at, what in enumerate(("s to open them all", "resident KiB each", "longest answer to NOOP, ms")):
            table.line(f"{name}: {what}", [r[at] for r in runs])


def run(world, table, scale):
    resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + 200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    guests = []
    for machine in MACHINES[:2]:
        image = os.path.join(world.build, "host", "guest", f"lipap.{machine.name}")
        missing = machine.tool if not shutil.which(machine.tool) else "ninja guests" if not os.path.exists(image) else None
        if missing:
            table.skip(f"lipap.{machine.name}, nec.{machine.name}", f"no {missing}")
        else:
            guests.append(machine.name)
    if not guests:
        return
    if scale.smoke:
        del guests[1:]
    with tempfile.TemporaryDirectory(prefix="ptt-bench-", dir="/dev/shm") as images:
        servers = Servers(world.build, world.folder, images)
        try:
            servers.start_knot(test_zone=rig.TEST_ZONE + ZONE)
            memories(servers, table, scale, guests)
            sink = servers.sink()
            boots(servers, table, scale, [PROCESS, *guests])
            loads(servers, table, scale, [PROCESS, *guests])
            sink.stop()
            streams(servers, table, scale, guests)
            idlers(servers, table, scale, [PROCESS, *guests])
        except Exception:
            servers.logs()
            raise
        finally:
            servers.end()
