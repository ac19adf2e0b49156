#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What lipap answers to those who post, to strangers, and to what pretends to come from the signer.

The signer here is the test itself: it takes what lipap hands over and decides what comes back."""
import re

from lib import rig
from lib.mail import AUTHOR, LIST, message
from lib.rig import LIPAP, NEC, POSTER, SINK, STRANGER, check, equal, until
from lib.smtp import Lost, Smtp, post

MEMBERS = [AUTHOR, "reader@sub1.test", "Mixed.Case@Sub2.TEST"]
SIGNER = "127.0.0.1"  # where a connection to lipap comes from unless it binds another address
SEAL = b"DKIM-Signature: v=1; a=rsa-sha256; d=mailingl.st; s=test; h=from; bh=; b=\r\n"


def session(source=POSTER):
    s = Smtp(LIPAP, source=source)
    s.command("EHLO poster.author.test")
    return s


def addresses(world):
    with world.case("an unknown list is refused at RCPT, and harms no other recipient"):
        with session() as s:
            s.command(f"MAIL FROM:<{AUTHOR}>")
            equal(s.command("RCPT TO:<nobody@mailingl.st>")[:9], "550 5.1.1", "unknown")
            equal(s.command("rcpt to:<PTT@MailingL.ST>")[:3], "250", "known, in another case")
            equal(s.command("DATA")[:3], "354", "DATA")
            equal(s.data(message())[:3], "250", "dot")
    with world.case("nothing is relayed"):
        for source in (POSTER, STRANGER, SIGNER):
            said = post(LIPAP, AUTHOR, ["someone@elsewhere.test"], message(), source)
            check(said[:6] in ("550 5.", "554 5."), f"from {source}: {said}")
    with world.case("an author who is no subscriber"):
        said = post(LIPAP, "other@author.test", [LIST], message(sender="other@author.test"), POSTER)
        equal(said[:6], "550 5.", "reply")
        check(said.startswith("550 5.7."), f"code of policy expected: {said}")
    with world.case("the author's address in another case is the same subscriber"):
        raw = message(sender="mixed.case@sub2.test")
        equal(post(LIPAP, "mixed.case@sub2.test", [LIST], raw, POSTER)[:3], "250", "reply")
    with world.case("postmaster, abuse, VRFY, NOOP, RSET, HELP"):
        with session() as s:
            s.command(f"MAIL FROM:<{AUTHOR}>")
            equal(s.command("RCPT TO:<Postmaster>")[:3], "250", "postmaster")
            equal(s.command("RSET")[:3], "250", "RSET")
            s.command("MAIL FROM:<>")
            equal(s.command("RCPT TO:<postmaster@mx.mailingl.st>")[:3], "250", "postmaster of the host")
            equal(s.command("RSET")[:3], "250", "RSET")
            s.command("MAIL FROM:<>")
            equal(s.command("RCPT TO:<abuse@mailingl.st>")[:3], "250", "abuse from <>")
            equal([s.command(v)[:3] for v in ("VRFY ptt", "NOOP", "EXPN ptt")], ["252", "250", "502"], "replies")
            equal(s.command("DATA")[:3] in ("354", "503"), True, "DATA after others")


def sizes(world):
    with world.case("too large by SIZE="):
        with session() as s:
            equal(s.command(f"MAIL FROM:<{AUTHOR}> SIZE=99999999")[:9], "552 5.3.4", "reply")
            equal(s.command(f"MAIL FROM:<{AUTHOR}> SIZE=1000")[:3], "250", "a small one")
    with world.case("too large by its bytes; what follows is no command"):
        with session() as s:
            raw = message(b"RCPT TO:<x@mailingl.st>\r\n" * (26 * 1024 * 1024 // 25))
            said = s.post(AUTHOR, [LIST], raw)
            equal(said[:9], "552 5.3.4", "reply")
            try:
                equal(s.command("NOOP")[:3], "250", "afterwards")
            except Lost:
                pass  # closing after such a peer is as good
    with world.case("a header of 10 MB"):
        with session() as s:
            equal(s.post(AUTHOR, [LIST], message(more="X-Long: " + "\r\n y" * 2500000 + "\r\n"))[:9], "552 5.3.4",
                  "reply")


def hostile(world, handed):
    before = len(handed())
    with world.case("bare LF and bare CR are refused, and nothing behind them is run"):
        for end in (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r.\r\n", b"\n\n.\r\n"):
            with session() as s:
                s.command(f"MAIL FROM:<{AUTHOR}>")
                s.command(f"RCPT TO:<{LIST}>")
                equal(s.command("DATA")[:3], "354", "DATA")
                smuggled = f"MAIL FROM:<{AUTHOR}>\r\nRCPT TO:<{LIST}>\r\nDATA\r\n".encode() + message(b"smuggled\r\n")
                try:
                    s.send(message(b"one" + end + smuggled + b".\r\n"))
                    said = s.answer()
                except Lost:
                    said = "5 closed"
                check(said[0] == "5", f"{end!r}: {said}")
    with world.case("DATA without a dot is no message"):
        with session() as s:
            s.command(f"MAIL FROM:<{AUTHOR}>")
            s.command(f"RCPT TO:<{LIST}>")
            s.command("DATA")
            s.send(message(b"cut here"))
    with world.case("commands out of order"):
        with Smtp(LIPAP, source=POSTER) as s:
            equal(s.command("DATA")[:3], "503", "DATA first")
            equal(s.command("RCPT TO:<ptt@mailingl.st>")[:3], "503", "RCPT first")
            s.command("EHLO x.test")
            equal(s.command("NONSENSE")[:1], "5", "unknown command")
            equal(s.command("MAIL FROM:<a@b@c>")[:3], "501", "two at signs")
            equal(s.command("MAIL FROM:<x@y.test> NOSUCH=1")[:3], "555", "unknown parameter")
    with world.case("a pipelined group gets all its replies"):
        with session() as s:
            s.send(f"MAIL FROM:<{AUTHOR}>\r\nRCPT TO:<no@mailingl.st>\r\nRCPT TO:<{LIST}>\r\nDATA\r\n".encode())
            equal([s.answer()[:3] for _ in range(4)], ["250", "550", "250", "354"], "replies")
            equal(s.data(message())[:3], "250", "dot")
    with world.case("of all these only the last was handed over"):
        until(10, "it is handed over", lambda: len(handed()) > before)
        equal(len(handed()), before + 1, "messages handed over")


def tickets(world, sink, handed):
    with world.case("a message goes to the signer under a ticket, from <>"):
        seen = len(handed())
        raw = message(b"ticket\r\n")
        equal(post(LIPAP, AUTHOR, [LIST], raw, POSTER)[:3], "250", "reply")
        copy = until(10, "it is handed over", lambda: handed()[seen:])[0]
        ticket = copy.recipients[0]
        check(re.fullmatch(r"_signed\.[a-z2-7]{26}@mailingl\.st", ticket), f"recipient {ticket}")
        equal(copy.sender, "", "sender")
        check(copy.bytes().endswith(raw), "the message changed")
    taken = len(sink.taken())
    with world.case("an invented ticket"):
        equal(post(LIPAP, "", [f"_signed.{'a' * 26}@mailingl.st"], SEAL + copy.bytes())[:3], "550", "reply")
    with world.case("a true ticket from a stranger"):
        for source in (STRANGER, POSTER):
            check(post(LIPAP, "", [ticket], SEAL + copy.bytes(), source)[:1] == "5", f"taken from {source}")
    with world.case("a copy that is not what was handed over"):
        sent = copy.bytes()
        for name, wrong in (("a byte more", SEAL + sent + b"x\r\n"), ("a byte less", SEAL + sent[:-3] + b"\r\n"),
                            ("another byte", SEAL + sent.replace(b"ticket", b"tickeT")), ("no signature", sent),
                            ("a foreign field in front", b"Subject: x\r\n" + SEAL + sent),
                            ("only the header", SEAL + sent.split(b"\r\n\r\n")[0] + b"\r\n\r\n")):
            said = post(LIPAP, "", [ticket], wrong)
            check(said[0] == "5", f"{name}: {said}")
        equal(len(sink.taken()), taken, "copies at subscribers")
    with world.case("the right copy is delivered once, and its replay is dropped"):
        for _ in range(3):
            equal(post(LIPAP, "", [ticket], SEAL + copy.bytes())[:3], "250", "reply")
        equal(sink.wait(taken + len(MEMBERS), 10), taken + len(MEMBERS), "copies")
        equal(post(LIPAP, "", [ticket], SEAL + copy.bytes())[:3], "250", "reply, much later")
        until(1.5, "a moment", lambda: True)
        equal(sink.wait(taken + len(MEMBERS) + 1, 1.5), taken + len(MEMBERS), "copies")
        equal({c.sha256 for c in sink.taken()[taken:]}, {sink.taken()[taken].sha256}, "different copies")
        check(sink.taken()[taken].bytes() == SEAL + copy.bytes(), "the copy is not the signer's")


def crowd(world):
    with world.case("forty silent clients do not stop the service"):
        silent = [Smtp(LIPAP, source=STRANGER) for _ in range(40)]
        equal(post(LIPAP, AUTHOR, [LIST], message(), POSTER, timeout=10)[:3], "250", "reply")
        for s in silent:
            s.close()
    with world.case("a client that never stops being wrong is shown the door"):
        with session(STRANGER) as s:
            said = ""
            try:
                for _ in range(100):
                    said = s.command("WHAT")
                    if said[:3] == "421":
                        break
            except Lost:
                pass
            equal(said[:3], "421", "last reply")


def run(world):
    world.start_knot(test_zone=rig.TEST_ZONE + 'sub2 300 MX 10 mx.sink\nsub2 300 TXT "v=spf1 ip4:127.0.0.66 -all"\n')
    sink = world.start_sink()
    signer = world.start_sink([(NEC, 25)], name="signer.test")
    world.create(MEMBERS)
    lipap = world.start_lipap()

    def handed():
        """What lipap handed over, each ticket once: an open one is handed over again and again."""
        first = {}
        for copy in signer.taken():
            first.setdefault(copy.recipients[0], copy)
        return list(first.values())

    addresses(world)
    sizes(world)
    until(10, "what was accepted is handed over", lambda: len(handed()) >= 2)
    hostile(world, handed)
    tickets(world, sink, handed)
    crowd(world)
    with world.case("it stops when asked, with status 0"):
        equal(lipap.stop(), 0, "exit status")
    with world.case("a second lipap on the same image is refused"):
        lipap = world.start_lipap()
        second = world.start("lipap-second", world.lipap_argv())
        check(until(10, "it ends", lambda: second.popen.poll() is not None) and second.popen.returncode == 1,
              f"exit status {second.popen.returncode}")
        check(second.log().strip(), "it says nothing")
        equal(post(LIPAP, AUTHOR, [LIST], message(), POSTER)[:3], "250", "the first goes on")


rig.main(run, ["lipap", "ptt"])
