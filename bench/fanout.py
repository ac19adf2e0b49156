# SPDX-License-Identifier: ISC
"""One post to many: to a list whose members live at fifty domains, each with a mail host of its own, every recipient with
a return path of its own. Beside it the least that a sender can do (smtp_verp.c), Postfix with XVERP, and stock mlmmj."""
import os
import shutil
import signal

import members
import peers
from measure import ROW, TICKS, cpu_seconds, each, program, rows, status_kib
from peers import DOMAINS, HOSTS, SIZE
from sign import cores, pinned

from lib import rig

COUNT = 10_000
SMALL, LARGE = 1_000, 50_000
ZONE = rig.TEST_ZONE + "".join(f"sub{n} 300 MX 10 mx{n}\nmx{n} 300 A {host}\n" for n, host in enumerate(HOSTS))
AT_ONCE = {"rate": 6_000, "cpu": 0.12, "mib": 30}
LATE_MS, LATE = 50, {"rate": 4_000, "cpu": 0.12, "mib": 60}
LINEAR = 0.85


class Sinks:
    """The mail hosts of all domains, one process on a core of its own, until they have so many messages."""

    def __init__(self, world, count, *options):
        world.processes = [p for p in world.processes if p.popen.poll() is None]
        places = [f"{host}:25" for host in HOSTS]
        self.process = world.start("sinks", pinned(cores()[1], [program(world, "smtp_sink"), "--count", str(count), *options,
                                                                *places]))
        self.process.wait_listens(HOSTS[-1])

    def hold(self):
        """Whoever connects waits for a greeting."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def go(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def wait(self, seconds=900):
        """From the first envelope to the last message."""
        self.process.wait_log(r"^row connections ", seconds)
        found = {key: float(value) for key, value in ROW.findall(self.process.log())}
        self.process.stop()
        return found


def lipap(world, count, *options):
    """One run. What lipap does at its start, keys for one, is over when the mail hosts begin to speak."""
    members.make(world, count, DOMAINS)
    rows(world, "queue", "post", world.image, "mailingl.st", "large")
    sinks = Sinks(world, count, *options)
    sinks.hold()
    process = world.start("lipap", pinned(cores()[0], world.lipap_argv()))
    try:
        process.wait_log(r"tls event=key\b", 60)
        before = cpu_seconds(process.pid)
    finally:
        sinks.go()
    row = sinks.wait()
    row["cpu-each"] = max(cpu_seconds(process.pid) - before, 1 / TICKS) * 1000 / count
    row["mib"] = status_kib(process.pid, "VmHWM") / 1024
    process.stop()
    return row


def lines(table, what, runs, targets):
    table.line(f"{what}: deliveries a second", each(runs, "messages-per-second"), at_least=targets.get("rate"))
    table.line(f"{what}: CPU ms a delivery", each(runs, "cpu-each"), at_most=targets.get("cpu"))
    table.line(f"{what}: peak of memory, MiB", each(runs, "mib"), at_most=targets.get("mib"))
    table.line(f"{what}: connections", each(runs, "connections"))


def least(world, count, *options):
    """The same traffic without a queue, a log and a MAC."""
    sinks = Sinks(world, count)
    row = rows(world, "smtp_verp", *options, 2, count, SIZE, *(f"{host}:25" for host in HOSTS), before=pinned(cores()[0], []))
    sinks.wait()
    return row


def beside(table, ours, runs, name):
    """A peer's lines, and ours in them; the runs were in turn, so that both saw the same neighbours."""
    table.line(f"{name}: deliveries a second", each(runs, "messages-per-second"))
    table.line(f"{name}: CPU ms a delivery", each(runs, "cpu-each"))
    table.line(f"lipap's rate, in that of {name}",
               [a["messages-per-second"] / b["messages-per-second"] for a, b in zip(ours, runs)])
    table.line(f"lipap's CPU time, in that of {name}", [a["cpu-each"] / b["cpu-each"] for a, b in zip(ours, runs)])


def at_once(world, table, scale, count):
    """Mail hosts that answer at once, by BDAT and by DATA, and whoever else can send."""
    others = [("the least a sender can do", lambda: least(world, scale.of(5 * COUNT), "--chunking"))]
    for peer in peers.found(world, table):
        others.append((peer.name, lambda peer=peer: peer.run(Sinks, scale.of(peer.count))))
    runs, beside_runs = [], {name: [] for name, _ in others}
    for _ in range(scale.repeats):
        runs.append(lipap(world, count))
        for name, run_it in others:
            beside_runs[name].append(run_it())
    lines(table, "answers at once", runs, AT_ONCE)
    for name, _ in others:
        beside(table, runs, beside_runs[name], name)
    lines(table, "answers at once, no CHUNKING", [lipap(world, count, "--plain") for _ in range(scale.repeats)], {})


def store_alone(world, count):
    """Handing out all of a post and ending all of it, 64 results a commit."""
    members.make(world, count, DOMAINS)
    rows(world, "queue", "post", world.image, "mailingl.st", "large")
    return rows(world, "queue", "drain", world.image)


def growing(world, table, scale):
    """The same for a small list and a large one, in turn, so that all saw the same neighbours."""
    sizes = {size: [] for size in (SMALL, COUNT, LARGE)}
    for _ in range(scale.repeats):
        for size, runs in sizes.items():
            runs.append(lipap(world, scale.of(size)))
    for size in (SMALL, LARGE):
        table.line(f"{size:,} members: seconds", each(sizes[size], "seconds"))
        table.line(f"{size:,} members: CPU ms a delivery", each(sizes[size], "cpu-each"))
        table.line(f"{size:,} members: peak of memory, MiB", each(sizes[size], "mib"))
    table.line(f"the rate with {LARGE:,} members, in that with {COUNT:,}",
               [a["messages-per-second"] / b["messages-per-second"] for a, b in zip(sizes[LARGE], sizes[COUNT])], at_least=LINEAR)


def run(world, table, scale):
    if not shutil.which("taskset"):
        table.skip("deliveries", "taskset is not installed")
        return
    world.start_knot(test_zone=ZONE)
    count = scale.of(COUNT)
    table.head(f"one post of {SIZE // 1024} KB to {count:,} members at {DOMAINS} domains, lipap on one core")
    at_once(world, table, scale, count)
    late = [lipap(world, count, "--delay", str(LATE_MS)) for _ in range(scale.repeats)]
    lines(table, f"answers after {LATE_MS} ms", late, LATE)
    stores = [store_alone(world, scale.of(2 * COUNT)) for _ in range(scale.repeats)]
    table.line("the store alone: deliveries a second", each(stores, "each-second"))
    table.line("the store alone: CPU ms a delivery", each(stores, "cpu-each"))
    growing(world, table, scale)
