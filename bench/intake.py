# SPDX-License-Identifier: ISC
"""Durable intake of small messages: lipap beside Debian's Postfix, which is told to hold whatever it has queued, so
that neither does more than to take the message and to keep it; but that lipap evaluates it too (SPF, DKIM, DMARC, ARC),
with answers of knot that it remembers, since nobody may post who is not proven to be the author."""
import os
import pwd
import re
import shutil
import subprocess

from measure import TICKS, Broken, cpu_seconds, rows

from lib import rig

AUTHOR, LIST, SIZE = "author@load.test", "ptt@mailingl.st", 4096
ZONE = 'load 300 TXT "v=spf1 ip4:127.0.0.1 -all"\n'  # where the load comes from
POSTFIX = "127.0.0.4"
CONNECTIONS = (1, 20, 100)
RATE = {1: 2.5, 20: 6, 100: 6}
CPU_SHARE, FLUSHES = 0.1, 0.5
MESSAGES = {1: 4000, 20: 20000, 100: 20000}  # for lipap; a fifth of them for Postfix

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file =
myhostname = mx.mailingl.st
mydestination = mailingl.st
mynetworks = 127.0.0.0/8
inet_protocols = ipv4
local_recipient_maps =
alias_maps =
alias_database =
biff = no
in_flow_delay = 0
smtpd_peername_lookup = no
"""
MASTER_CF = """\
{address}:25 inet n - n - 200 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
"""


def load(world, address, connections, messages, pid):
    """One run against a server: messages a second and the server's CPU milliseconds a message."""
    before = cpu_seconds(pid)
    row = rows(world, "smtp_load", f"{address}:25", connections, messages, SIZE, AUTHOR, LIST)
    row["cpu-each"] = max(cpu_seconds(pid) - before, 1 / TICKS) * 1000 / messages
    return row


def start_lipap(world, argv_before=()):
    """A fresh image each time, so that no run finds what another left. Nobody listens at --signer: what was taken in
    stays there."""
    if os.path.exists(world.image):
        os.unlink(world.image)
    world.create([AUTHOR], size="1G")
    process = world.start("lipap", [*argv_before, *world.lipap_argv(("--sessions-per-address", "0"))])
    process.wait_log(r"event=ready\b", 30)
    process.wait_listens(rig.LIPAP)
    return process


def run_lipap(world, connections, messages):
    process = start_lipap(world)
    load(world, rig.LIPAP, connections, max(messages // 20, connections), process.pid)
    row = load(world, rig.LIPAP, connections, messages, process.pid)
    process.stop()
    return row


def count_flushes(world, connections, messages):
    """Calls of fdatasync and fsync a message, as strace counts them."""
    if not shutil.which("strace"):
        raise Broken("strace is not installed")
    counts = os.path.join(world.folder, "flushes")
    trace = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=fdatasync,fsync,sync_file_range", "-e", "signal=none",
             "-o", counts]
    process = start_lipap(world, trace)

    def made():
        with open(counts, encoding="ascii") as f:
            return sum("sync(" in line for line in f)

    before = made()
    rows(world, "smtp_load", f"{rig.LIPAP}:25", connections, messages, SIZE, AUTHOR, LIST)
    count = made() - before
    traced = int(subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, check=True).stdout)
    os.kill(traced, 15)
    process.popen.wait(20)
    return count / messages


class Postfix:
    """With an empty queue at each start; `main` and `master` are further lines of its files."""
    address, main, master = POSTFIX, "", ""

    def __init__(self, world):
        try:
            pwd.getpwnam("postfix")
        except KeyError:
            raise Broken("Postfix is not installed") from None
        if not shutil.which("postfix", path=rig.search_path()) or os.geteuid() != 0:
            raise Broken("Postfix is not installed, or this is not root")
        self.world, self.home = world, os.path.join(world.folder, "postfix")

    def start(self, files=None):
        shutil.rmtree(self.home, ignore_errors=True)
        conf = os.path.join(self.home, "conf")
        for folder in ("conf", "queue", "data"):
            os.makedirs(os.path.join(self.home, folder))
        shutil.chown(os.path.join(self.home, "data"), "postfix")
        files = {"main.cf": (MAIN_CF + self.main).format(home=self.home),
                 "master.cf": MASTER_CF.format(address=self.address) + self.master, **(files or {})}
        for name, text in files.items():
            os.chmod(self.world.file(f"postfix/conf/{name}", text), 0o644)
        self.process = self.world.start("postfix", ["postfix", "-c", conf, "start-fg"])
        self.process.wait_listens(self.address)

    def stop(self):
        subprocess.run(["postfix", "-c", os.path.join(self.home, "conf"), "stop"], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        self.process.popen.wait(20)


class Holding(Postfix):
    """The least that a Postfix does which keeps mail."""
    main = "smtpd_client_restrictions = check_client_access static:HOLD\n"

    def held(self):
        """Messages that are on disk in its queue."""
        return sum(len(files) for _, _, files in os.walk(os.path.join(self.home, "queue", "hold")))

    def run(self, connections, messages):
        self.start()
        load(self.world, POSTFIX, connections, max(messages // 20, connections), self.process.pid)
        before = self.held()
        row = load(self.world, POSTFIX, connections, messages, self.process.pid)
        if self.held() - before != messages:
            raise Broken(f"Postfix holds {self.held() - before} of {messages} messages")
        self.stop()
        return row


def run(world, table, scale):
    table.head(f"durable intake of {SIZE // 1024} KB messages")
    world.start_knot(test_zone=rig.TEST_ZONE + ZONE)
    try:
        postfix = Holding(world)
    except Broken as e:
        postfix = None
        table.skip("Postfix beside it", e)
    for n in CONNECTIONS:
        pairs = []
        for _ in range(scale.repeats):  # in turn, so that both see the same neighbours
            ours = run_lipap(world, n, scale.of(MESSAGES[n], least=n))
            pairs.append((ours, postfix.run(n, scale.of(MESSAGES[n] // 5, least=n)) if postfix else None))
        table.line(f"{n} connections: lipap, messages a second", [a["messages-per-second"] for a, _ in pairs])
        table.line(f"{n} connections: lipap, ms until answered", [a["message-median"] for a, _ in pairs])
        table.line(f"{n} connections: lipap, CPU ms a message", [a["cpu-each"] for a, _ in pairs])
        if postfix:
            table.line(f"{n} connections: Postfix, messages a second", [b["messages-per-second"] for _, b in pairs])
            table.line(f"{n} connections: Postfix, CPU ms a message", [b["cpu-each"] for _, b in pairs])
            table.line(f"{n} connections: lipap's rate, in Postfix's",
                       [a["messages-per-second"] / b["messages-per-second"] for a, b in pairs], at_least=RATE[n])
            table.line(f"{n} connections: lipap's CPU time, in Postfix's",
                       [a["cpu-each"] / b["cpu-each"] for a, b in pairs], at_most=CPU_SHARE)
    try:
        table.line("20 connections: flushes a message",
                   [count_flushes(world, 20, scale.of(4000)) for _ in range(scale.repeats)], at_most=FLUSHES)
    except Broken as e:
        table.skip("flushes a message", e)
