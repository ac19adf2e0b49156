#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The rig's own test: knot takes signed updates where it should and nowhere else, the sink keeps what it is sent."""
import base64

from lib import rig
from lib.rig import DNS, POSTER, SINK, check, equal
from lib.sink import DROP
from lib.smtp import Lost, Smtp, post


def dns_cases(world):
    with world.case("an update under _domainkey is taken and served"):
        before = world.serial()
        equal(world.update("s1._domainkey", '"' + "a" * 200 + '" "' + "b" * 200 + '"'), "NOERROR", "rcode")
        equal(world.query("s1._domainkey.mailingl.st", "TXT"), ["a" * 200 + "b" * 200], "record")
        check(world.serial() > before, "the serial did not move")
    with world.case("an update elsewhere is refused"):
        equal(world.update("www", '"x"'), "PeerBadKey", "knot's answer where the key has no right")
        equal(world.update("_domainkey", "10 mx", kind="MX"), "PeerBadKey", "knot's answer where the key has no right")
        equal(world.query("www.mailingl.st", "TXT"), [], "record")
    with world.case("an update under a wrong key is refused"):
        equal(world.update("s2._domainkey", '"x"', base64.b64encode(b"x" * 32).decode()), "PeerBadSignature", "TSIG error")
        equal(world.query("s2._domainkey.mailingl.st", "TXT"), [], "record")
    with world.case("a restart of knot loses nothing"):
        world.knot.stop()
        world.start_knot()
        equal(world.query("s1._domainkey.mailingl.st", "TXT"), ["a" * 200 + "b" * 200], "record")
    with world.case("any subscriber domain leads to the sink"):
        equal(world.query("sub7.test", "MX"), ["10 mx.sink.test."], "MX")
        equal(world.query("mx.sink.test", "A"), [SINK], "A")


def sink_cases(world):
    answers = {}
    sink = world.start_sink(policy=lambda kind, to, text, conn: answers.get((kind, text)))
    message = b"From: a@author.test\r\n\r\n.\r\n..dots\r\n\xff8-bit\r\n"
    with world.case("the sink keeps the bytes and the envelope"):
        equal(post(SINK, "f@author.test", ["a@sub1.test", "b@sub2.test"], message, POSTER)[:3], "250", "reply")
        copy = sink.taken()[0]
        equal((copy.sender, copy.recipients, copy.bytes()), ("f@author.test", ["a@sub1.test", "b@sub2.test"], message),
              "copy")
    with world.case("an empty message, byte by byte"):
        with Smtp(SINK) as s:
            for byte in b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<e@sub1.test>\r\nDATA\r\n.\r\nQUIT\r\n":
                s.send(bytes([byte]))
            equal([s.answer()[:3] for _ in range(6)], ["250", "250", "250", "354", "250", "221"], "replies")
        equal(sink.taken("e@sub1.test")[0].bytes(), b"", "copy")
    with world.case("the policy refuses, delays and drops"):
        answers.update({("rcpt", "no@sub1.test"): "550 5.1.1 no", ("rcpt", "slow@sub1.test"): (0.2, None),
                        ("dot", "drop@sub1.test"): DROP})
        equal(post(SINK, "f@x.test", ["no@sub1.test"], message), "550 5.1.1 no", "reply")
        equal(post(SINK, "f@x.test", ["slow@sub1.test"], message)[:3], "250", "reply")
        try:
            check(False, "answered: " + post(SINK, "f@x.test", ["drop@sub1.test"], message))
        except Lost:
            pass
        equal(len(sink.taken("drop@sub1.test")), 0, "copies taken")
        equal([e.text for e in sink.events if e.kind == "close"][-1], "dropped", "end")
    with world.case("a bare line feed is noticed"):
        equal(sink.faults, [], "faults so far")
        post(SINK, "f@x.test", ["a@sub1.test"], b"A: b\r\n\r\nx\ny\r\n")
        equal(len(sink.faults), 1, "faults")


def run(world):
    world.start_knot()
    dns_cases(world)
    sink_cases(world)


rig.main(run)
