#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""lipap and nec are killed again and again while people post; nothing that was answered 250 may be lost.

Each try to post carries a name of its own, so that a copy tells which try it came from. At the end
- every try that was answered 250 is with every subscriber, byte for byte and signed;
- no try that was refused is with anybody, nor one whose final dot was never sent;
- a member has a try twice only where the connection of the earlier copy was cut after that copy's final dot, which
  was then the last dot on it: at most one for each connection open at a kill.
PTT_SEED chooses the run; it is printed.
"""
import os
import random
import threading
import time
from collections import defaultdict

from lib import rig, verify
from lib.mail import AUTHOR, LIST, fields, message
from lib.rig import LIPAP, LONG, POSTER, check, equal, until
from lib.smtp import Lost, Smtp

MEMBERS = [AUTHOR] + [f"member{n}@sub{n}.test" for n in range(1, 20)]
POSTS = 200
POSTERS = 4
SEEDS = 10 if LONG else 1
KILLING_SECONDS = 25  # kills go on at least so long, and then more seldom until all posts are through
SETTLE_SECONDS = 120


class Try:
    """One attempt at one post. `fate`: accepted, refused, unsent (the dot never left) or unknown (no answer to it)."""

    def __init__(self, post, number, size):
        self.name = f"post-{post}-try-{number}"
        self.raw = message(f".{self.name}\r\n".encode() + b"x" * 60 + b"\r\n" + b"line\r\n" * size,
                           more=f"X-Try: {self.name}\r\n", number=post)
        self.fate, self.said = "unsent", ""

    def go(self):
        try:
            with Smtp(LIPAP, source=POSTER, timeout=20) as s:
                s.command("EHLO poster.author.test")
                for line in (f"MAIL FROM:<{AUTHOR}>", f"RCPT TO:<{LIST}>", "DATA"):
                    self.said = s.command(line)
                    if self.said[0] not in "23":
                        self.fate = "refused"
                        return
                self.fate = "unknown"
                self.said = s.data(self.raw)
                self.fate = "accepted" if self.said[:3] == "250" else "refused"
        except (OSError, Lost) as e:
            self.said = str(e)


class Posters:
    """Several people; each post is tried until it is answered 250."""

    def __init__(self, rng):
        self.lock, self.tries = threading.Lock(), []
        self.todo = [(n, rng.choice([0, 10, 500, 5000])) for n in range(POSTS)]
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(POSTERS)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while True:
            with self.lock:
                if not self.todo:
                    return
                post, size = self.todo.pop(0)
            for number in range(10000):
                one = Try(post, number, size)
                with self.lock:
                    self.tries.append(one)
                one.go()
                if one.fate == "accepted":
                    break
                time.sleep(0.2)
            time.sleep(KILLING_SECONDS * 0.8 * POSTERS / POSTS)  # posts come all the while, not in one burst

    def busy(self):
        return any(t.is_alive() for t in self.threads)


def kill_around(world, rng, posters, programs, start):
    """Until the posts are through and the time is over; gives the times of the kills by program. `start` is what a
    program's start takes here: lives are that much longer, so that on a slow machine too there is work to cut."""
    kills, end = defaultdict(list), time.monotonic() + KILLING_SECONDS
    while posters.busy() or time.monotonic() < end or len(kills["lipap"]) < 5 or len(kills["nec"]) < 3:
        check(time.monotonic() < end + 120, "the posts do not get through")
        late = time.monotonic() > end
        time.sleep(rng.uniform(2.0 + start, 6.0 + 2 * start) if late else rng.uniform(0.1, 2.0 + start))
        victims = rng.choice([["lipap"], ["lipap"], ["nec"], ["lipap", "nec"]])
        for name in victims:
            check(programs[name].popen.poll() is None, f"{name} ended by itself: {programs[name].log()[-500:]}")
            programs[name].kill()
            kills[name].append(time.monotonic())
        time.sleep(rng.choice([0, 0, rng.uniform(0, 0.5)]))
        for name in victims:
            programs[name] = world.start(name, world.lipap_argv() if name == "lipap" else world.nec_argv())
    return kills


def by_try(sink):
    """{(name of the try, recipient): copies in order of arrival}."""
    found = defaultdict(list)
    for copy in sink.taken():
        found[dict(fields(copy.bytes())).get("x-try"), copy.recipients[0]].append(copy)
    return found


def judge(world, sink, tries, kills):
    found = by_try(sink)
    accepted = [t for t in tries if t.fate == "accepted"]
    with world.case("every post was accepted in the end, and the killing hit open work"):
        equal(len({t.name.rsplit("-try-")[0] for t in accepted}), POSTS, "posts accepted")
        cut = cut_connections(sink)
        print(f"{len(tries)} tries, {len(accepted)} accepted; kills: lipap {len(kills['lipap'])}, nec "
              f"{len(kills['nec'])}; {len(cut)} delivery connections cut; {len(sink.taken())} copies", flush=True)
        check(cut, "no kill ever cut a delivery connection")
    with world.case("every subscriber has every accepted post, byte for byte"):
        missing = [(t.name, m) for t in accepted for m in MEMBERS if not found[t.name, m]]
        equal(missing[:5], [], f"{len(missing)} of {len(accepted) * len(MEMBERS)} copies missing, such as")
        raw = {t.name: t.raw for t in tries}
        wrong = [key for key, copies in found.items() for c in copies if not c.bytes().endswith(raw.get(key[0], b"?"))]
        equal(wrong[:5], [], "copies that differ")
    with world.case("nobody has a post that was refused or never sent"):
        never = {t.name for t in tries if t.fate in ("refused", "unsent")}
        equal([key for key, copies in found.items() if copies and key[0] in never][:5], [], "copies")
    with world.case("twice only where a kill cut the connection after the dot"):
        judge_duplicates(found, cut)
    with world.case("each accepted post is signed"):
        for t in accepted:
            copies = found[t.name, MEMBERS[-1]]
            check(copies and verify.dkimpy(world, copies[0].bytes()), f"{t.name}: missing, or dkimpy refuses")
    with world.case("no line was malformed"):
        equal(sink.faults, [], "faults")


def cut_connections(sink):
    """The connections that ended without QUIT."""
    return {e.conn for e in sink.events if e.kind == "close" and e.text != "quit"}


def judge_duplicates(found, cut):
    last = {}
    for copies in found.values():
        for c in copies:
            if c.conn not in last or last[c.conn].at < c.at:
                last[c.conn] = c
    doubled = 0
    for (name, member), copies in found.items():
        for earlier in copies[:-1]:
            doubled += 1
            check(earlier.conn in cut, f"{name} twice at {member}, though connection {earlier.conn} ended in order")
            check(last[earlier.conn] is earlier,
                  f"{name} twice at {member}, though connection {earlier.conn} went on after its dot")
    print(f"{doubled} duplicates for {len(cut)} cut connections", flush=True)
    check(doubled <= len(cut), "more duplicates than cut connections")


def one_run(world, seed):
    print(f"seed {seed}", flush=True)
    rng = random.Random(seed)
    sink = world.start_sink(name=f"sink-{seed}.test")
    world.image = os.path.join(world.folder, f"lipap-{seed}.img")
    world.create(MEMBERS)
    programs = {"nec": world.start_nec()}
    start = time.monotonic()
    programs["lipap"] = world.start_lipap()
    start = time.monotonic() - start
    posters = Posters(rng)
    kills = kill_around(world, rng, posters, programs, start)
    accepted = [t for t in posters.tries if t.fate == "accepted"]
    started = time.monotonic()

    def all_there():
        if len(sink.taken()) < len(accepted) * len(MEMBERS):
            return False
        found = by_try(sink)
        return all(found[t.name, m] for t in accepted for m in MEMBERS)

    with world.case(f"seed {seed}: all is delivered within {SETTLE_SECONDS} s of the last kill"):
        until(SETTLE_SECONDS, "all accepted posts at all subscribers", all_there)
        print(f"{time.monotonic() - started:.1f} s after the last kill", flush=True)
        time.sleep(1)  # what is sent twice comes now
        programs["lipap"].wait_log(r"event=ready\b")
        world.wait_ready(programs["nec"])
        equal((programs["lipap"].stop(), programs["nec"].stop()), (0, 0), "exit statuses")
    judge(world, sink, posters.tries, kills)
    sink.close()
    world.sinks.remove(sink)


def run(world):
    world.start_knot()
    first = int(os.environ.get("PTT_SEED") or random.SystemRandom().randrange(1 << 32))
    for seed in range(first, first + SEEDS):
        one_run(world, seed)


rig.main(run, ["nec", "lipap", "ptt"])
