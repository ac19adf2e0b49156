#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Five thousand slow clients from a hundred addresses: commands and messages byte by byte, handshakes that never end, replies
that nobody reads. Meanwhile mail flows: good clients hear nothing but 2yz and 3yz, members get their copies, memory stays."""
import itertools
import ssl
import time

from lib import exposition, rig
from lib.crowd import Crowd, resident_kb, take_descriptors
from lib.mail import AUTHOR, LIST, message
from lib.rig import LIPAP, POSTER, check, equal, until
from lib.smtp import Smtp, post

# How many of each kind; what each says in steps, a step once the answer to the one before is there, and then byte by byte for ever.
ENVELOPE = (b"EHLO slow.test\r\n", f"MAIL FROM:<{AUTHOR}>\r\n".encode(), f"RCPT TO:<{LIST}>\r\n".encode())
KINDS = [
    (2000, ENVELOPE[:1], b"NOOP " + b"x" * 100),
    (1400, (), b"EHLO " + b"x" * 100),
    (400, (*ENVELOPE, b"DATA\r\n"), b"Subject: slow\r\n" * 10),
    (400, ENVELOPE, b"BDAT 1000000 LAST"),
    (400, (*ENVELOPE[:1], b"STARTTLS\r\n"), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    (400, ENVELOPE[:1], b"HELP\r\n" * 30),  # and reads no more
]
CROWD = sum(count for count, _, _ in KINDS)
MEMORY_KB = 120 * 1000
POSTS, SECONDS = 24, 12
# More than lipap takes at once of messages without end, and of handshakes; seconds from which on one makes room for another.
SENDERS, TAKEN, HANDSHAKES, SECURED, AFTER = 1200, 1000, 2300, 2000, 11
WORST_KB = 220 * 1000


def ask(crowd, peers, steps):
    for line in steps:
        for peer in peers:
            peer.heard = b""
            peer.say(line)
        crowd.wait(lambda: all(p.heard or p.is_closed for p in peers), 60)


def attack(crowd):
    """The crowd in place; gives a generator that lets each say one more byte."""
    sayings = []
    for count, steps, trickle in KINDS:
        peers = crowd.grow(count)
        equal(sum(p.heard.startswith(b"220 ") for p in peers), count, "greeted")
        ask(crowd, peers, steps)
        sayings.append((peers, itertools.cycle(trickle)))
    while True:
        for peers, trickle in sayings:
            byte = bytes([next(trickle)])
            for peer in peers:
                peer.say(byte)
        yield


def mail_flows(world, lipap, sink):
    with world.case(f"{POSTS} posts beside {CROWD} slow clients"), Crowd(each=45) as crowd:
        trickling = attack(crowd)
        began, sent, slowest = time.monotonic(), [], 0.0
        while len(sent) < POSTS:
            next(trickling)
            begins = time.monotonic()
            raw = message(b"Post.\r\n", number=len(sent))
            equal(post(LIPAP, AUTHOR, [LIST], raw, POSTER)[:3], "250", f"post {len(sent)}")
            slowest = max(slowest, time.monotonic() - begins)
            sent.append(raw)
            time.sleep(max(0.0, began + len(sent) * SECONDS / POSTS - time.monotonic()))
        until(30, "every copy", lambda: all(any(c.bytes().endswith(raw) for c in sink.taken()) for raw in sent))
        equal(exposition.get(LIPAP, "/healthz")[0], 200, "health")
        now, alive = resident_kb(lipap.pid), len(crowd.alive())
        print(f"{now} KB, {alive} of {CROWD} still there, the slowest post took {slowest * 1000:.0f} ms", flush=True)
        check(now <= MEMORY_KB, f"{now} KB resident")
        check(slowest < 5, f"a post took {slowest:.1f} s")
        equal(alive, CROWD, "slow clients that are in nobody's way")


def secure(source):
    """What STARTTLS was answered, and whether TLS is on then."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with Smtp(LIPAP, source=source) as s:
        s.command("EHLO good.test")
        said = s.command("STARTTLS")
        if said.startswith("220"):
            s.socket = context.wrap_socket(s.socket)
            return said[:3] + s.command("EHLO good.test")[:3]
        return said[:9]


def without_end(world, lipap):
    with world.case(f"{SENDERS} messages and {HANDSHAKES} handshakes without end: after {AFTER} s each good one finds room"), \
            Crowd(each=45) as crowd:
        senders, stallers = crowd.grow(SENDERS), crowd.grow(HANDSHAKES)
        ask(crowd, stallers, (ENVELOPE[0], b"STARTTLS\r\n"))
        equal([sum(p.heard.startswith(code) for p in stallers) for code in (b"220 ", b"454 4.7.0 ")],
              [SECURED, HANDSHAKES - SECURED], "handshakes begun, and put off")
        equal(secure(POSTER), "454 4.7.0", "STARTTLS at once")
        ask(crowd, senders, (*ENVELOPE, b"DATA\r\n"))
        equal([sum(p.heard.startswith(code) for p in senders) for code in (b"354 ", b"452 4.3.2 ")],
              [TAKEN, SENDERS - TAKEN], "messages begun, and put off")
        equal(post(LIPAP, AUTHOR, [LIST], message(), POSTER)[:9], "452 4.3.2", "a post at once")
        time.sleep(AFTER)
        for n in range(20):
            equal(post(LIPAP, AUTHOR, [LIST], message(number=f"late-{n}"), POSTER)[:3], "250", f"post {n}")
        until(20, "TLS", lambda: secure(POSTER) == "220250")  # who would go under TLS ends one, and the next finds the room
        crowd.wait(lambda: len(crowd.peers) - len(crowd.alive()) >= 20, 20)
        now = resident_kb(lipap.pid)
        print(f"{now} KB", flush=True)
        check(now <= WORST_KB, f"{now} KB resident")


def run(world):
    take_descriptors(CROWD)
    world.start_knot()
    world.create([AUTHOR])
    sink = world.start_sink()
    nec = world.start_nec()
    lipap = world.start_lipap(("--metrics", LIPAP))
    lipap.wait_log(r" tls event=key ", 20)
    mail_flows(world, lipap, sink)
    without_end(world, lipap)
    equal((lipap.stop(), nec.stop()), (0, 0), "exit statuses")


rig.main(run, ["lipap", "nec", "ptt"])
