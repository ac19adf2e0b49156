#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Crowds at lipap's door: ten thousand idle sessions in 80 MB, room for those who come when places run out, places kept
for signers, refusals that wait, and a process that may have few descriptors."""
import resource
import time

from lib import rig
from lib.crowd import Crowd, resident_kb, take_descriptors
from lib.mail import AUTHOR, LIST, message
from lib.rig import DNS, LIPAP, POSTER, check, equal, until
from lib.smtp import Smtp, post

IDLE, IDLE_KB = 10000, 80 * 1000
SESSIONS, KEPT = 100, 50  # --sessions, and of these for signers
CROWDED = (SESSIONS - KEPT) * 9 // 10
PATIENCE = 10  # seconds (SMTPD_DISMISS_AFTER_MS)


def told(peers, code):
    return [p for p in peers if p.heard.startswith(code)]


def ten_thousand(world, sink):
    take_descriptors(IDLE)
    lipap = world.start_lipap()
    nec = world.start_nec()
    with world.case(f"{IDLE} idle sessions in {IDLE_KB} KB, and mail flows"), Crowd() as crowd:
        began = time.monotonic()
        equal(len(told(crowd.grow(IDLE), b"220 ")), IDLE, "greeted")
        crowd.forget()
        crowd.say(b"EHLO idle.test\r\n")
        crowd.wait(lambda: all(p.heard.endswith(b"250 ENHANCEDSTATUSCODES\r\n") for p in crowd.peers), 60)
        until(20, "stacks rest", lambda: resident_kb(lipap.pid) <= IDLE_KB)
        raw = message(b"Beside ten thousand.\r\n")
        equal(post(LIPAP, AUTHOR, [LIST], raw, POSTER)[:3], "250", "a post")
        until(30, "the copy", lambda: [c for c in sink.taken() if c.bytes().endswith(raw)])
        crowd.say(b"NOO")  # of a command each, which is kept in its own size
        time.sleep(2)
        now = resident_kb(lipap.pid)
        print(f"{now} KB, opened in {time.monotonic() - began:.1f} s", flush=True)
        check(now <= IDLE_KB, f"{now} KB resident")
        crowd.forget()
        crowd.say(b"P\r\n")
        crowd.wait(lambda: all(p.heard == b"250 2.0.0 OK\r\n" for p in crowd.peers), 60)
    equal((lipap.stop(), nec.stop()), (0, 0), "exit statuses")


def few_places(world):
    lipap = world.start_lipap(("--sessions", str(SESSIONS)))
    with world.case("those who wait for nothing make room, the oldest first, and those with a message do not"), Crowd() as crowd:
        busy = Smtp(LIPAP, source=POSTER)
        busy.command("EHLO busy.test")
        busy.command(f"MAIL FROM:<{AUTHOR}>")
        busy.command(f"RCPT TO:<{LIST}>")
        equal(busy.command("DATA")[:3], "354", "DATA")
        first = crowd.grow(CROWDED - 1)
        equal(len(told(first, b"220 ")), len(first), "greeted")
        time.sleep(PATIENCE + 1)
        for n in range(10):
            equal(crowd.grow(1)[0].heard[:4], b"220 ", "one more")
            crowd.wait(lambda: len(crowd.peers) - len(crowd.alive()) == n + 1, 20)
            check(first[n].is_closed and b"421 4.3.2 Others wait" in first[n].heard, f"{first[n].heard} said to {n}")
        equal(busy.data(message(b"At leisure.\r\n"))[:3], "250", "the message under way")
        busy.close()
    with world.case("the last places are for signers, who are never asked to go"), Crowd() as crowd:
        until(20, "the crowd has gone", lambda: lipap_sessions(lipap) == 0)
        signer = Smtp(LIPAP, source=DNS)  # of --signer-network
        more = crowd.grow(SESSIONS - KEPT + 10)
        equal(len(told(more, b"220 ")), SESSIONS - KEPT - 1, "strangers greeted")
        equal(len(told(more, b"421 4.3.2 Too many connections")), 11, "strangers refused")
        others = [Smtp(LIPAP, source=DNS) for _ in range(KEPT)]
        equal([s.greeting[:3] for s in others], ["220"] * KEPT, "signers")
        check(told(crowd.grow(1), b"421 "), "a stranger got the last place")
        time.sleep(PATIENCE + 1)
        crowd.grow(3)
        equal(signer.command("NOOP")[:3], "250", "the first signer")
        for s in (signer, *others):
            s.close()
    equal(lipap.stop(), 0, "exit status")


def lipap_sessions(process):
    """Connections that the process has, apart from what it always has."""
    with open(f"/proc/{process.pid}/net/tcp", encoding="ascii") as f:
        return sum(line.split()[1] == "0200007F:0019" and line.split()[3] == "01" for line in f)


def tarpit(world):
    lipap = world.start_lipap(("--tarpit", "1s"))

    def times(source):
        with Smtp(LIPAP, source=source) as s:
            taken = []
            for line in ("FOO", "EHLO x.test", "MAIL FROM:<a@b>x", "NOOP", "FOO", f"RCPT TO:<{LIST}>", "NOOP"):
                began = time.monotonic()
                s.command(line)
                taken.append(time.monotonic() - began >= 0.9)
            began = time.monotonic()
            s.send(b"FOO\r\nFOO\r\nNOOP\r\n")
            equal([s.answer()[:3] for _ in range(3)], ["500", "500", "250"], "a group")
            return taken + [time.monotonic() - began >= 1.9]

    def always(source, wanted):
        """What waits each time: a machine that is busy for a moment makes others wait, too, but not thrice the same."""
        waits = times(source)
        for _ in range(2):
            if waits != wanted:
                waits = [one and again for one, again in zip(waits, times(source))]
        equal(waits, wanted, "waits")

    with world.case("a refusal behind the second waits, what is no refusal does not"):
        always(POSTER, [False, False, False, False, True, True, False, True])
    with world.case("a signer never waits"):
        always(DNS, [False] * 8)
    equal(lipap.stop(), 0, "exit status")


def few_descriptors(world):
    argv = world.lipap_argv()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with world.case("with 1,024 descriptors there are fewer sessions, and the log says so"):
        lipap = world.start("lipap", ["prlimit", "--nofile=1024:1024", *argv])
        lipap.wait_log(r"event=sessions most=[1-9]\d\d why=", 10)
        lipap.wait_listens(LIPAP)
        equal(lipap.stop(), 0, "exit status")
        check(hard >= 1024, "the machine gives fewer still")


def run(world):
    world.start_knot()
    world.create([AUTHOR])
    sink = world.start_sink()
    ten_thousand(world, sink)
    few_places(world)
    tarpit(world)
    few_descriptors(world)


rig.main(run, ["lipap", "nec", "ptt"])
