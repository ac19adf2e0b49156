#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What stands before lipap's first command: the pause before the banner, and proxies that speak for others."""
import socket
import struct
import time

from lib import rig
from lib.mail import AUTHOR, LIST, fields, message
from lib.rig import LIPAP, POSTER, STRANGER, check, equal, until
from lib.smtp import Smtp

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
DELAY = 2


def header(source, family=0x11, command=0x21, more=b""):
    addresses = b""
    if source:
        kind = socket.AF_INET6 if family == 0x21 else socket.AF_INET
        addresses = socket.inet_pton(kind, source) + socket.inet_pton(kind, "::1" if family == 0x21 else LIPAP)
        addresses += struct.pack("!HH", 40000, 25)
    rest = addresses + more
    return SIGNATURE + bytes([command, family if source else 0]) + struct.pack("!H", len(rest)) + rest


def through(proxy_header, sender=AUTHOR):
    """A post behind a proxy's header: the answer to its final dot, or to what was refused first."""
    with Smtp(LIPAP, source=POSTER, greet=False) as s:
        s.send(proxy_header)
        s.answer()
        s.command("EHLO author.test")
        for line in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{LIST}>", "DATA"):
            said = s.command(line)
            if said[0] not in "23":
                return said
        s.send(message(b"by proxy\r\n", subject="proxy") + b".\r\n")
        return s.answer()


def greeting(world):
    with world.case("banner: it comes after the pause"):
        begin = time.monotonic()
        with Smtp(LIPAP, source=STRANGER) as s:
            check(s.greeting.startswith("220") and time.monotonic() - begin >= DELAY * 0.9, f"{s.greeting}")
    with world.case("banner: who speaks before is told 554 and left"):
        with Smtp(LIPAP, source=STRANGER, greet=False) as s:
            s.send(b"EHLO early.test\r\n")
            equal(s.answer()[:9], "554 5.5.1", "answer")
            s.closed()
    with world.case("banner: one address has so many sessions at a time and no more, others are served"):
        many = [Smtp(LIPAP, source=STRANGER, greet=False) for _ in range(52)]
        for s in many:
            s.socket.settimeout(DELAY + 10)
        said = [s.answer() for s in many]
        equal([w[:3] for w in said], ["220"] * 50 + ["421"] * 2, "banners")
        check("your address" in said[-1], said[-1])
        with Smtp(LIPAP, source=POSTER) as s:
            equal(s.greeting[:3], "220", "another's banner")
        many[0].close()
        until(20, "a place again", lambda: Smtp(LIPAP, source=STRANGER).greeting.startswith("220"))
        for s in many:
            s.close()
    with world.case("banner: the pause holds nobody else up, and a stop ends it"):
        waiting = [Smtp(LIPAP, source=STRANGER, greet=False) for _ in range(40)]
        begin = time.monotonic()
        with Smtp(LIPAP, source=STRANGER):
            check(time.monotonic() - begin < DELAY + 5, "too late")
        for s in waiting:
            s.close()


def proxying(world, sink):
    with world.case("proxy: the client that it names is the one that SPF is asked about, and stands in Received"):
        equal(through(header(POSTER))[:3], "250", "answer")
        copy = until(30, "a copy", lambda: sink.taken("m@sub1.test"))[0]
        received = [v for n, v in fields(copy.bytes()) if n == "received"]
        check(any(f"[{POSTER}]" in r for r in received), f"{received}")
        check(through(header(STRANGER)).startswith("550 5.7."), "a stranger's address passed")
    with world.case("proxy: IPv6, and more than addresses"):
        check(through(header("2001:db8::1", 0x21)).startswith("550 5.7."), "passed")
        equal(through(header(POSTER, more=b"\x04\x00\x01x"))[:3], "250", "answer")
    with world.case("proxy: for itself it is itself"):
        with Smtp(LIPAP, source=POSTER, greet=False) as s:
            s.send(header(None, command=0x20))
            equal(s.answer()[:3], "220", "banner")
    with world.case("proxy: no header, half of one, another version: the connection ends without a word"):
        for text in (b"EHLO author.test\r\n", SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
                     b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n", SIGNATURE + b"\x21\x11\x00\x02ab"):
            with Smtp(LIPAP, source=POSTER, greet=False) as s:
                s.send(text)
                equal(s.closed(), b"", repr(text))
    with world.case("proxy: nobody else may speak for others"):
        with Smtp(LIPAP, source=STRANGER, greet=False) as s:
            s.send(header(POSTER))
            equal([s.answer()[:3], s.answer()[:3]], ["220", "500"], "banner and answer")


def run(world):
    world.start_knot()
    sink = world.start_sink()
    world.create([AUTHOR, "m@sub1.test"])
    world.start_nec()
    lipap = world.start_lipap(("--greet-delay", f"{DELAY}s"))
    greeting(world)
    equal(lipap.stop(), 0, "exit status")
    world.start_lipap(("--proxy-from", f"{POSTER}/32"))
    proxying(world, sink)


if __name__ == "__main__":
    rig.main(run, ("lipap", "nec", "ptt"))
