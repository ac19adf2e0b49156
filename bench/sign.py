# SPDX-License-Identifier: ISC
"""Signing: messages through nec beside the bare signatures that each of them needs, by OpenSSL on the same core in the
same run; what sessions cost in memory; and the way from the start to the first signature."""
import os
import re
import shutil
import subprocess
import time

from measure import TICKS, Broken, cpu_seconds, rows, status_kib

from lib import rig
from lib.mail import message
from lib.smtp import post

AUTHOR, READER, SIZE = "someone@mailingl.st", "reader@sub1.test", 4096
CONNECTIONS, MANY = (1, 20), 200
MESSAGES = {1: 3000, 20: 10000}
RSA_EACH, ED25519_EACH = 3, 1  # DKIM, ARC-Message-Signature and ARC-Seal; the second DKIM
SHARE = 0.7
RESULTS = "Authentication-Results: mailingl.st; arc=none; spf=pass smtp.mailfrom=author.test\r\n"
SPEED = re.compile(r"^\+F\d+:\d+:\d+:(?:\w+:)?([\d.]+):([\d.]+)", re.M)


def pinned(core, argv):
    return ["taskset", "-c", str(core), *argv]


def speed(core, seconds, pattern, *what):
    """What `openssl speed` says of it, by CPU time."""
    done = subprocess.run(pinned(core, ["openssl", "speed", "-mr", "-seconds", str(seconds), *what]),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    found = pattern.search(done.stdout)
    if done.returncode != 0 or not found:
        raise Broken(f"openssl speed {' '.join(what)}: {done.stderr.strip()[-200:]}")
    return [float(number) for number in found.groups()]


def bare_signature(core, algorithm, seconds):
    """CPU milliseconds of one by OpenSSL alone."""
    return 1000 / speed(core, seconds, SPEED, algorithm)[0]


def bare(core, seconds):
    """The same of all that one message needs."""
    return (RSA_EACH * bare_signature(core, "rsa2048", seconds) +
            ED25519_EACH * bare_signature(core, "ed25519", seconds))


def cores():
    """One for nec, another for all that is around it."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def start(world, core, name):
    world.processes = [p for p in world.processes if p.popen.poll() is None]
    nec = world.start(name, pinned(core, world.nec_argv(destination=rig.SINK)))
    nec.wait_listens(rig.NEC)
    for selector in ("dkim-", "dkim-ed25519-", "arc-"):
        nec.wait_log(rf"event=ready\b.*selector={selector}\d", 60)
    return nec


def load(world, core, nec, connections, messages):
    """One run: messages a second, and nec's CPU milliseconds a message."""
    before = cpu_seconds(nec.pid)
    row = rows(world, "smtp_load", f"{rig.NEC}:25", connections, messages, SIZE, AUTHOR, READER, RESULTS,
               before=pinned(core, []))
    row["cpu-each"] = max(cpu_seconds(nec.pid) - before, 1 / TICKS) * 1000 / messages
    return row


def first_signature(world, number):
    """A zone that has the key already: seconds from the start to `ready`, and to the answer to a message."""
    begin = time.monotonic()
    nec = world.start(f"nec-first-{number}", world.nec_argv(destination=rig.SINK))
    world.wait_ready(nec)
    ready = time.monotonic() - begin
    nec.wait_listens(rig.NEC)
    said = post(rig.NEC, AUTHOR, [READER], message(sender=AUTHOR, to=READER, more=RESULTS))
    signed = time.monotonic() - begin
    nec.stop()
    if not said.startswith("250"):
        raise Broken(f"the first message: {said}")
    return ready, signed


def rates(world, table, scale, inner, outer):
    seconds = 1 if scale.smoke else 3
    runs = {n: [] for n in CONNECTIONS}
    bounds = {n: [] for n in CONNECTIONS}
    nec = start(world, inner, "nec")
    load(world, outer, nec, 20, scale.of(1000, least=20))
    for n in CONNECTIONS:
        for _ in range(scale.repeats):  # the bound from both sides, so that both see the same neighbours
            before = bare(inner, seconds)
            runs[n].append(load(world, outer, nec, n, scale.of(MESSAGES[n], least=n)))
            bounds[n].append((before + bare(inner, seconds)) / 2)
    nec.stop()
    table.line("OpenSSL alone: three of RSA-2048 and one of Ed25519, ms", [b for n in CONNECTIONS for b in bounds[n]])
    for n in CONNECTIONS:
        table.line(f"{n} connections: messages a second", [r["messages-per-second"] for r in runs[n]])
        table.line(f"{n} connections: ms until answered", [r["message-median"] for r in runs[n]])
        table.line(f"{n} connections: nec's CPU ms a message", [r["cpu-each"] for r in runs[n]])
        table.line(f"{n} connections: messages a second of CPU, in OpenSSL's",
                   [bound / r["cpu-each"] for bound, r in zip(bounds[n], runs[n])], at_least=SHARE if n == 20 else None)


def memory(world, table, scale, inner, outer):
    peaks = []
    for number in range(scale.repeats):
        nec = start(world, inner, f"nec-memory-{number}")
        idle = status_kib(nec.pid, "VmRSS")
        load(world, outer, nec, MANY, scale.of(4 * MANY, least=MANY))
        peaks.append((idle, status_kib(nec.pid, "VmHWM")))
        nec.stop()
    table.line("memory at rest, MiB", [idle / 1024 for idle, _ in peaks])
    table.line(f"memory with {MANY} connections that all send, MiB", [peak / 1024 for _, peak in peaks])


def run(world, table, scale):
    missing = [tool for tool in ("openssl", "taskset") if not shutil.which(tool)]
    if missing:
        table.skip("signing", f"{', '.join(missing)} is not installed")
        return
    inner, outer = cores()
    world.start_knot()
    sink = world.start("sink", pinned(outer, [os.path.join(world.build, "bench", "bench-smtp_sink"), f"{rig.SINK}:25"]))
    sink.wait_listens(rig.SINK)
    table.head(f"signing of {SIZE // 1024} KB messages, nec on one core")
    rates(world, table, scale, inner, outer)
    memory(world, table, scale, inner, outer)
    table.head("from nec's start to its first signature")
    costs = [rows(world, "keys", scale.of(20)) for _ in range(scale.repeats)]
    table.line("stretching the password, CPU ms", [c["pbkdf2"] for c in costs])
    table.line("searching a key of RSA-2048, CPU ms: median", [c["rsa-search-median"] for c in costs])
    starts = [first_signature(world, number) for number in range(scale.repeats)]
    table.line("start to ready, with the key in the zone, s", [ready for ready, _ in starts])
    table.line("start to the first signed message, s", [signed for _, signed in starts])
