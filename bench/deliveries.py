# SPDX-License-Identifier: ISC
"""A lipap with much to deliver: its start with a hundred thousand deferred deliveries, and one post to a million."""
import os
import shutil
import signal
import subprocess
import time

import members
from measure import Broken, cpu_seconds, each, rows, status_kib
from lib import rig

DEFERRED, START_SECONDS = 100_000, 2
MEMBERS, SAMPLES, SAMPLE_SECONDS = 1_000_000, 5, 1.5
JOBS = 4096  # DELIVERY_JOBS_MAX: rows in flight
MEMORY_MIB = 64


def start(world):
    """lipap, and the seconds until it said that it is ready."""
    begin = time.monotonic()
    process = world.start("lipap", world.lipap_argv())
    process.wait_log(r"event=ready\b", 60)
    return process, time.monotonic() - begin


def mib(process):
    return status_kib(process.pid, "VmHWM") / 1024


def run_deferred(world, scale, seconds):
    """Everything due after `seconds`: at the start, and then while what is due is tried where nobody listens."""
    count = scale.of(DEFERRED)
    members.make(world, count)
    rows(world, "queue", "post", world.image, "mailingl.st", "large")
    rows(world, "queue", "defer", world.image, count, seconds)
    if seconds == 1:
        time.sleep(1.1)
    process, took = start(world)
    before = cpu_seconds(process.pid)
    row = {"start": took, "start-cpu": before, "start-mib": mib(process)}
    time.sleep(0.5 if scale.smoke else 8)
    row["cpu"] = cpu_seconds(process.pid) - before
    row["later-mib"] = mib(process)
    process.stop()
    row["waiting"] = rows(world, "queue", "rows", world.image)["waiting"]
    if row["waiting"] != count:
        raise Broken(f"{row['waiting']:.0f} of {count} deferred deliveries are left")
    return row


def deferred(world, table, scale):
    table.head(f"{scale.of(DEFERRED):,} deferred deliveries")
    world.start_knot()
    for seconds, what in ((3600, "due in an hour"), (1, "all due, nobody listens")):
        runs = [run_deferred(world, scale, seconds) for _ in range(scale.repeats)]
        table.line(f"{what}: start, seconds", each(runs, "start"), at_most=START_SECONDS)
        table.line(f"{what}: start, CPU seconds", each(runs, "start-cpu"))
        table.line(f"{what}: peak of memory at the start, MiB", each(runs, "start-mib"), at_most=MEMORY_MIB)
        table.line(f"{what}: peak after 8 s, MiB", each(runs, "later-mib"), at_most=MEMORY_MIB)
        table.line(f"{what}: CPU seconds in 8 s", each(runs, "cpu"))


def rows_now(world, process):
    """The rows of a running lipap: it is held for a moment, and a copy of its image is looked at."""
    copy = os.path.join(world.folder, "copy.img")
    os.kill(process.pid, signal.SIGSTOP)
    try:
        subprocess.run(["cp", "--sparse=always", world.image, copy], check=True)
    finally:
        os.kill(process.pid, signal.SIGCONT)
    found = rows(world, "queue", "rows", copy)
    os.unlink(copy)
    return found


def million(world, table, scale):
    count = scale.of(MEMBERS)
    table.head(f"one post to {count:,} members")
    if not shutil.which("smtp-sink", path=rig.search_path()):
        table.skip("deliveries to a local sink", "Postfix's smtp-sink is not installed")
        return
    world.start_knot()
    sink = world.start("smtp-sink", ["smtp-sink", "-u", "root", f"{rig.SINK}:25", "200"])
    sink.wait_listens(rig.SINK)
    members.make(world, count)
    rows(world, "queue", "post", world.image, "mailingl.st", "large")
    process, took = start(world)
    begin, before, found = time.monotonic(), cpu_seconds(process.pid), []
    for _ in range(1 if scale.smoke else SAMPLES):
        time.sleep(0.3 if scale.smoke else SAMPLE_SECONDS)
        found.append(rows_now(world, process))
    seconds, cpu = time.monotonic() - begin, cpu_seconds(process.pid) - before
    delivered = count - found[-1]["left"] - found[-1]["waiting"]
    if delivered <= 0:
        raise Broken("nothing was delivered")
    table.line("start, seconds", [took])
    table.line("rows for recipients, at each look", each(found, "waiting"), at_most=JOBS)
    table.line("peak of memory, MiB", [mib(process)], at_most=MEMORY_MIB)
    table.line("delivered a second, with the looks", [delivered / seconds])
    table.line("CPU ms a delivery", [cpu * 1000 / delivered])
    process.stop()
