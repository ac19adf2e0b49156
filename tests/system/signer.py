#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""nec alone, as a signing hop in front of a sink that stands for the next server."""
import base64
import os
import re
import threading

from lib import rig, verify
from lib.mail import AUTHOR, fields, message, tags
from lib.rig import NEC, SINK, STRANGER, check, equal
from lib.smtp import Smtp, post

OURS = "someone@mailingl.st"
OTHER = "127.0.0.4"


def mail(**more):
    return message(sender=OURS, to="reader@sub1.test", **more)


def refuses(listen, code, what, **more):
    said = post(listen, OURS, ["reader@sub1.test"], mail(**more))
    check(said.startswith(code), f"{what}: answered {said!r}, not {code}")


def trouble_with_dns(world):
    """From a zone without any key and a primary that is down, to one that serves the key."""
    argv = dict(destination=SINK, ready=False)
    with world.case("primary down at start: mail is answered 4xx"):
        nec = world.start_nec(name="nec-early", **argv)
        refuses(NEC, "451", "no DNS")
        nec.wait_log(r"^\S+ (warn|error) ")
        nec.stop()
    world.start_knot()
    wrong_tsig_key(world)
    with world.case("primary back: service resumes by itself"):
        world.knot.stop()
        nec = world.start_nec(name="nec-waiting", **argv)
        nec.wait_log(r"^\S+ (warn|error) ")
        world.start_knot()
        world.wait_ready(nec)
        said = post(NEC, OURS, ["reader@sub1.test"], mail())
        equal(said[:3], "250", "reply")
        equal(nec.stop(), 0, "exit status")


def wrong_secrets(world):
    before = world.serial()
    pointer = world.query("_ptt._domainkey.mailingl.st", "TXT")
    with world.case("another password: changes nothing, answers 4xx and says so"):
        other = world.start_nec(ready=False, name="nec-foreign", listen=OTHER, destination=SINK,
                                password=base64.b64encode(os.urandom(32)).decode())
        other.wait_log(r"^\S+ (warn|error) .*\bid\b|foreign|another password")
        refuses(OTHER, "451", "foreign password")
        equal((world.serial(), world.query("_ptt._domainkey.mailingl.st", "TXT")), (before, pointer), "zone")
        equal(other.stop(), 0, "exit status")


def wrong_tsig_key(world):
    """On a fresh zone, where an UPDATE is needed."""
    with world.case("a wrong TSIG key: nothing published, 4xx, and the log names the fault"):
        name, _, _ = world.tsig.split(":")
        bad = f"{name}:SHA256:{base64.b64encode(bytes(32)).decode()}"
        before = world.serial()
        nec = world.start_nec(ready=False, name="nec-bad-key", destination=SINK, tsig=bad)
        nec.wait_log(r"(?i)badsig|badkey|notauth")
        refuses(NEC, "451", "wrong TSIG key")
        equal(world.serial(), before, "serial")
        equal(nec.stop(), 0, "exit status")


def who_may(world, sink):
    with world.case("a stranger is refused before any command"):
        with Smtp(NEC, source=STRANGER) as s:
            equal(s.greeting[:9], "554 5.7.1", "greeting")
            check(not re.search(rb"^250", s.closed(), re.M), "it went on talking")
    with world.case("mail of another domain is not signed"):
        said = post(NEC, AUTHOR, ["reader@sub1.test"], message())
        equal(said[:9], "550 5.7.1", "reply")
        equal([c for c in sink.taken() if c.sender == AUTHOR], [], "copies")


def says_what_it_should(signature, selector, raw):
    equal((signature["d"], signature["c"]), ("mailingl.st", "relaxed/relaxed"), "tags")
    check(signature["s"].startswith(selector), f"selector {signature['s']}")
    check(int(signature["x"]) > int(signature["t"]) and "l" not in signature, "x= and l=")
    covered = signature["h"].lower().split(":")
    for name in ("from", "to", "cc", "subject", "date", "reply-to", "sender"):
        present = sum(1 for n, _ in fields(raw) if n == name)
        equal(covered.count(name), present + 1, f"h= covers {name}")
    equal(int(signature["x"]) - int(signature["s"][len(selector):]), 30 * 86400, "x= less epoch")


RESULTS = "Authentication-Results: mailingl.st; arc={}; spf=pass smtp.mailfrom=author.test\r\n"
TICKET = "_signed.abc@mailingl.st"


def seals(world, sink):
    def through(raw):
        equal(post(NEC, "", [TICKET], raw)[:3], "250", "reply")
        return sink.taken()[-1].bytes()

    def blaze_says(raw):
        return world.run("blaze", "arc", "verify", "-n", f"udp:{rig.DNS}", "--newline", "crlf", "-", stdin=raw).decode()

    with world.case("results of another receiver: no ARC set, and the ticket's domain signs"):
        copy = through(message(more=RESULTS.replace("mailingl.st;", "mx.author.test;").format("none")))
        equal([n for n, _ in fields(copy) if n.startswith("arc-")], [], "ARC fields")
        check(b"d=mailingl.st" in copy, "no signature")
    with world.case("the receiver's results become a set, which blaze accepts"):
        first = through(message(more=RESULTS.format("none")))
        check("01:mailingl.st" in blaze_says(first), "blaze shows no set")
        results = dict(fields(first))["arc-authentication-results"]
        equal(results, "i=1; mailingl.st; arc=none; spf=pass smtp.mailfrom=author.test", "AAR")
    with world.case("good at arrival is sealed cv=pass, although the list rewrote From"):
        changed = first.replace(b"Authentication-Results: mailingl.st; arc", b"X-Results: arc").replace(
            b"From: Author <author@author.test>", b"From: Author via ptt <ptt@mailingl.st>")
        second = through(RESULTS.format("pass").encode() + changed)
        equal([tags(v)["cv"] for n, v in fields(second) if n == "arc-seal"], ["pass", "none"], "cv=")
        check("02:mailingl.st" in blaze_says(second), "blaze shows no second set")
    with world.case("a message that comes by again is neither signed nor sealed again"):
        again = through(second)
        for name in ("dkim-signature", "arc-seal"):
            equal(sum(n == name for n, _ in fields(again)), sum(n == name for n, _ in fields(second)), name)
    with world.case("without arc= the chain is validated as it stands"):
        silent = "Authentication-Results: mailingl.st; spf=pass smtp.mailfrom=author.test\r\n".encode()
        stripped = second.replace(RESULTS.format("pass").encode(), b"", 1)
        for change, cv in ((b"Subject:", "pass"), (b"Subject: changed", "fail")):
            third = through(silent + stripped.replace(b"Subject:", change, 1))
            equal([tags(v)["cv"] for n, v in fields(third) if n == "arc-seal"][0], cv, f"cv= behind {change}")


def at_once(world, sink):
    with world.case("20 sessions at once, over few connections to the next hop"):
        before, opened, said = len(sink.taken()), sink.connections, []

        def one():
            with Smtp(NEC) as s:
                s.command("EHLO x.test")
                said.extend(s.post(OURS, ["reader@sub1.test"], mail())[:3] for _ in range(5))

        threads = [threading.Thread(target=one) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        equal((said, len(sink.taken()) - before), (["250"] * 100, 100), "answers and copies")
        check(sink.connections - opened <= 20, f"{sink.connections - opened} connections")
        opened = sink.connections
        for _ in range(3):
            equal(post(NEC, OURS, ["reader@sub1.test"], mail())[:3], "250", "reply")
        equal(sink.connections, opened, "connections")


def extensions(world, sink):
    raw = mail(text=b".\r\n..\r\n\xc3\xa4\r\n")
    with world.case("CHUNKING is offered when the next hop does, and passed on"):
        plain = world.start_nec(name="nec-plain", listen="127.0.0.5", destination=SINK)
        with Smtp("127.0.0.5") as s:
            check("CHUNKING" not in s.command("EHLO x.test"), "offered though the next hop does not")
            equal(s.command("BDAT 5 LAST")[:3], "502", "BDAT")
        plain.stop()
        sink.chunking = True
        chunking = world.start_nec(name="nec-chunking", listen="127.0.0.5", destination=SINK)
        with Smtp("127.0.0.5") as s:
            check("CHUNKING" in s.command("EHLO x.test"), "not offered")
            equal(s.command(f"MAIL FROM:<{OURS}> BODY=8BITMIME")[:3], "250", "MAIL")
            equal(s.command("RCPT TO:<reader@sub1.test>")[:3], "250", "RCPT")
            s.send(b"BDAT %d\r\n" % 20 + raw[:20])
            equal(s.answer()[:3], "250", "first chunk")
            s.send(b"BDAT %d LAST\r\n" % len(raw[20:]) + raw[20:])
            equal(s.answer(), "250 2.0.0 kept", "last chunk")
            check(sink.taken()[-1].bytes().endswith(raw), "the message changed")
            equal(s.post(OURS, ["reader@sub1.test"], raw, " BODY=8BITMIME"), "250 2.0.0 kept", "by DATA")
            check(sink.taken()[-1].bytes().endswith(raw), "the message changed")
        verify.all_agree(world, sink.taken()[-2:])
        chunking.stop()
        sink.chunking = False


def hands_on(world, sink):
    before = len(sink.taken())
    with world.case("the envelope and the message pass unchanged, signature in front"):
        raw = mail(text=b".\r\n..two\r\nbody \t \r\n\xe4\xf6\r\n\r\n\r\n")
        said = post(NEC, "return@mailingl.st", ["a@sub1.test", "b@sub2.test"], raw, parameters=" BODY=8BITMIME")
        copy = sink.taken()[before]
        equal((copy.sender, copy.recipients), ("return@mailingl.st", ["a@sub1.test", "b@sub2.test"]), "envelope")
        check(copy.bytes().endswith(raw), "the message changed")
        added = fields(copy.bytes()[:-len(raw)] + b"\r\n")
        check({n for n, _ in added} <= {"received", "dkim-signature"}, f"added: {added}")
    with world.case("the signature says what it should"):
        signatures = [tags(value) for name, value in added if name == "dkim-signature"]
        equal([s["a"] for s in signatures], ["rsa-sha256", "ed25519-sha256"], "algorithms")
        for signature, selector in zip(signatures, ("dkim-", "dkim-ed25519-")):
            says_what_it_should(signature, selector, raw)
    with world.case("dkimpy, Mail::DKIM and blaze accept it"):
        verify.all_agree(world, [copy])
    with world.case("the next hop's own answer to the dot comes back"):
        equal(said, "250 2.0.0 kept", "reply")
        for text in ("452 4.3.1 full", "554 5.6.0 never"):
            sink.policy = lambda kind, to, address, conn: text if kind == "dot" else None
            equal(post(NEC, OURS, ["reader@sub1.test"], mail()), text, "reply")
    with world.case("each recipient gets its own answer"):
        sink.policy = lambda kind, to, address, conn: "550 5.1.1 nobody" if address == "no@sub1.test" else None
        with Smtp(NEC) as s:
            s.command("EHLO x.test")
            equal(s.command(f"MAIL FROM:<{OURS}>")[:3], "250", "MAIL")
            equal(s.command("RCPT TO:<no@sub1.test>"), "550 5.1.1 nobody", "first")
            equal(s.command("RCPT TO:<yes@sub1.test>")[:3], "250", "second")
            equal(s.command("DATA")[:3], "354", "DATA")
            equal(s.data(mail())[:3], "250", "dot")
        equal(sink.taken()[-1].recipients, ["yes@sub1.test"], "recipients")
        sink.policy = None


def limits(world):
    with world.case("several messages in one session"):
        with Smtp(NEC) as s:
            s.command("EHLO x.test")
            for _ in range(5):
                equal(s.post(OURS, ["reader@sub1.test"], mail())[:3], "250", "reply")
    with world.case("the next hop down: 451 and the service goes on"):
        nec = world.start_nec(name="nec-nowhere", listen="127.0.0.5", destination="127.0.0.99")
        refuses("127.0.0.5", "451", "next hop down")
        nec.stop()
    with world.case("more than the memory budget: 452 4.3.1 by SIZE="):
        nec = world.start_nec(name="nec-small", listen="127.0.0.5", destination=SINK, more=["--memory", "8M"])
        with Smtp("127.0.0.5") as s:
            s.command("EHLO x.test")
            said = s.command(f"MAIL FROM:<{OURS}> SIZE=9000000")
            check(said[:9] in ("452 4.3.1", "552 5.3.4"), f"SIZE=9000000: {said}")
            equal(s.post(OURS, ["reader@sub1.test"], mail())[:3], "250", "a small one")
        nec.stop()


def trouble_while_running(world, nec):
    with world.case("primary away while running: the proven key still signs"):
        world.knot.stop()
        equal(post(NEC, OURS, ["reader@sub1.test"], mail())[:3], "250", "reply")
        world.start_knot()
    with world.case("a key record that vanishes is put back"):
        # the zone machine reads again each minute; starting it anew does so at once
        name = "dkim-" + re.search(r"e=(\d+)", world.query("_ptt._domainkey.mailingl.st", "TXT")[0]).group(1)
        text = world.query(f"{name}._domainkey.mailingl.st", "TXT")
        equal(world.remove(f"{name}._domainkey"), "NOERROR", "rcode")
        equal(world.query(f"{name}._domainkey.mailingl.st", "TXT"), [], "record")
        nec.stop()
        world.start_nec(destination=SINK)
        equal(world.query(f"{name}._domainkey.mailingl.st", "TXT"), text, "record")


def secrets(world):
    with world.case("no log holds a secret"):
        for process in world.processes:
            text = process.log()
            for secret in (world.password, world.tsig.split(":")[2]):
                check(secret not in text, f"{process.name} printed one")


def run(world):
    sink = world.start_sink()
    trouble_with_dns(world)
    wrong_secrets(world)
    nec = world.start_nec(destination=SINK)
    who_may(world, sink)
    hands_on(world, sink)
    seals(world, sink)
    at_once(world, sink)
    extensions(world, sink)
    limits(world)
    trouble_while_running(world, nec)
    secrets(world)


rig.main(run, ["nec", "blaze"])
