# SPDX-License-Identifier: ISC
"""What clients cost that say EHLO and nothing more: resident memory a connection, of lipap, of the least that a C program can do
(idle.c), and of Postfix, which gives each a process."""
import time

import intake
from measure import Broken, program, status_kib

from lib import rig
from lib.crowd import Crowd, take_descriptors

COUNT, POSTFIX_COUNT = 10_000, 100
AT_MOST_KIB, TOTAL_KIB = 6.5, 80_000 * 1000 // 1024


def tree_kib(root):
    """Proportional size of a process and all below it: what they share counts once."""
    total, todo = 0, [root]
    while todo:
        pid = todo.pop()
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                total += int(next(line for line in f if line.startswith("Pss:")).split()[1])
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
                todo += f.read().split()
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def cost(size, address, count):
    """KiB a connection, KiB in all, and seconds until all were greeted."""
    before = size()
    with Crowd(to=address) as crowd:
        begin = time.monotonic()
        crowd.grow(count)
        seconds = time.monotonic() - begin
        if any(not peer.heard.startswith(b"220 ") for peer in crowd.peers):
            raise Broken(f"{address} does not greet {count} clients")
        crowd.forget()
        crowd.say(b"EHLO idle.test\r\n")
        crowd.wait(lambda: all(b"250" in peer.heard for peer in crowd.peers), 60)
        time.sleep(3)  # stacks are given back behind a second
        after = size()
        return {"each": (after - before) / count, "all": after, "seconds": seconds}


def lipap(world, count):
    process = intake.start_lipap(world)
    process.wait_log(r" tls event=key ", 60)
    row = cost(lambda: status_kib(process.pid, "VmRSS"), rig.LIPAP, count)
    process.stop()
    return row


def least(world, count):
    process = world.start("idle", [program(world, "idle"), rig.LIPAP, "25"])
    process.wait_listens(rig.LIPAP)
    row = cost(lambda: status_kib(process.pid, "VmRSS"), rig.LIPAP, count)
    process.kill()
    return row


def run(world, table, scale):
    count = scale.of(COUNT)
    table.head(f"{count} clients that say EHLO and nothing more")
    try:
        take_descriptors(count)
    except rig.Skip as e:
        table.skip("all of it", e)
        return
    world.start_knot()
    ours = [lipap(world, count) for _ in range(scale.repeats)]
    table.line("lipap: KiB of resident memory, each", [r["each"] for r in ours], at_most=AT_MOST_KIB)
    table.line("lipap: KiB in all", [r["all"] for r in ours], at_most=TOTAL_KIB)
    table.line("lipap: seconds until all are greeted", [r["seconds"] for r in ours])
    table.line("the least: KiB, each", [r["each"] for r in (least(world, count) for _ in range(scale.repeats))])
    try:
        postfix = intake.Postfix(world)
    except Broken as e:
        table.skip("Postfix beside it", e)
        return
    rows = []
    for _ in range(scale.repeats):
        postfix.start()
        rows.append(cost(lambda: tree_kib(postfix.process.pid), postfix.address, scale.of(POSTFIX_COUNT)))
        postfix.stop()
    table.line("Postfix: KiB, each", [r["each"] for r in rows])
    table.line("lipap's in Postfix's", [a["each"] / b["each"] for a, b in zip(ours, rows)])
