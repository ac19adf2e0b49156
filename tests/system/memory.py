#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Receiving takes constant memory: lipap while a message of 25 MB comes in, and while sessions say nothing."""
import time

from lib import rig
from lib.mail import AUTHOR, LIST, message
from lib.rig import LIPAP, POSTER, check, equal
from lib.smtp import Smtp, post

LINE = b"z" * 76 + b"\r\n"
SIZE = 25 * 1024 * 1024 - 4096
GROWTH_KB = 1024
IDLE, IDLE_KB = 500, 8


def peak_kb(pid):
    """Highest resident size so far; the mark can be set back."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmHWM:")).split()[1])


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as f:
        f.write("5")


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS:")).split()[1])


def idle_sessions(lipap):
    """What one session costs that has begun a transaction and given it up."""
    before = resident_kb(lipap.pid)
    sessions = [Smtp(LIPAP, source=POSTER, timeout=60) for _ in range(IDLE)]
    for s in sessions:
        for line in ("EHLO poster.author.test", f"MAIL FROM:<{AUTHOR}>", f"RCPT TO:<{LIST}>", "RSET"):
            equal(s.command(line)[:3], "250", line)
    time.sleep(2.5)  # stacks are given back behind a second
    after = resident_kb(lipap.pid)
    for s in sessions:
        s.close()
    return (after - before) / IDLE


def run(world):
    world.start_knot()
    world.create([AUTHOR])
    lipap = world.start_lipap(("--sessions-per-address", "0"))  # no signer: what is measured is receiving alone
    for _ in range(3):  # what is allocated once, at a first message, is there now
        check(post(LIPAP, AUTHOR, [LIST], message(), POSTER)[:3] == "250", "a small message is not taken")
    with world.case(f"25 MB come in, resident memory grows by less than {GROWTH_KB} KB"):
        reset_peak(lipap.pid)
        before = peak_kb(lipap.pid)
        raw = message(LINE * (SIZE // len(LINE)))
        with Smtp(LIPAP, source=POSTER, timeout=60) as s:
            s.command("EHLO poster.author.test")
            equal(s.post(AUTHOR, [LIST], raw, f" SIZE={len(raw)}")[:3], "250", "reply")
        after = peak_kb(lipap.pid)
        print(f"resident {before} KB before, {after} KB at most", flush=True)
        check(after - before < GROWTH_KB, f"{after - before} KB more, from {before} KB")
    with world.case(f"{IDLE} idle sessions, less than {IDLE_KB} KB each"):
        each = idle_sessions(lipap)
        print(f"{each:.1f} KB each", flush=True)
        check(each < IDLE_KB, f"{each:.1f} KB each")
    with world.case(f"ten at once, less than {GROWTH_KB} KB each"):
        reset_peak(lipap.pid)
        before = peak_kb(lipap.pid)
        sessions = [Smtp(LIPAP, source=POSTER, timeout=60) for _ in range(10)]
        for s in sessions:
            s.command("EHLO poster.author.test")
            s.command(f"MAIL FROM:<{AUTHOR}>")
            s.command(f"RCPT TO:<{LIST}>")
            equal(s.command("DATA")[:3], "354", "DATA")
            s.send(message(b""))
        for _ in range(64):
            for s in sessions:
                s.send(LINE * 800)
        for s in sessions:
            s.send(b".\r\n")
            check(s.answer()[:3] in ("250", "452"), "neither taken nor told to come back")
            s.close()
        after = peak_kb(lipap.pid)
        print(f"resident {before} KB before, {after} KB at most", flush=True)
        check(after - before < 10 * GROWTH_KB, f"{after - before} KB more, from {before} KB")


rig.main(run, ["lipap", "ptt"])
