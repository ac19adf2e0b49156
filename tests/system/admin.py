#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The admin's hand on a running lipap, by mail that blaze signed; and what the admin is told, once, over restarts."""
import base64
import email
import email.policy
import email.utils
import json
import os

from lib import exposition, rig
from lib.mail import AUTHOR, fields, message
from lib.rig import LIPAP, POSTER, SINK, TEST_ZONE, check, equal, until
from lib.smtp import Smtp, post

BOSS, AT, LATER = "boss@boss.test", "admin-request@mailingl.st", "later@sub4.test"
SEED = base64.b64encode(os.urandom(32)).decode()
KEY = ["-a", "ed25519", "--seed", SEED]


class Boss:
    """The admin, with a mailbox at the sink."""

    def __init__(self, world, sink):
        self.world, self.sink, self.read, self.count = world, sink, 0, 0

    def write(self, subject, text="", to=AT, sender=BOSS, signed=True, covers=()):
        """A message from the admin, as octets; `covers` are the fields that are signed, if not the usual ones."""
        self.count += 1
        raw = (f"From: The Boss <{sender}>\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {email.utils.formatdate()}\r\n"
               f"Message-ID: <{self.count}@boss.test>\r\n\r\n{text}\r\n").encode()
        if not signed:
            return raw
        return self.world.run("blaze", "dkim", "sign", "-s", "s", "-h", "boss.test", *KEY, "--newline", "crlf",
                              *(f"--field={name}" for name in covers), stdin=raw)

    def send(self, raw):
        return post(LIPAP, BOSS, [AT], raw, POSTER)

    def mail(self):
        """The next mail that came, as (subject, text, is it signed by us); waits for it."""
        until(20, "mail for the admin", lambda: len(self.sink.taken(BOSS)) > self.read)
        raw = self.sink.taken(BOSS)[self.read].bytes()
        self.read += 1
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        equal(str(parsed["From"]), "ptt <postmaster@mailingl.st>", "From")
        return str(parsed["Subject"]), parsed.get_content().replace("\r\n", "\n"), "dkim-signature" in dict(fields(raw))

    def ask(self, subject, text=""):
        said = self.send(self.write(subject, text))
        equal(said, "250 2.0.0 done, an answer follows", "answer in SMTP")
        return self.mail()[1]


def say(text, size=0):
    """A post to the list; its octets."""
    raw = message(text.encode() + b"\r\n" + b"0123456789abcdef\r\n" * (size // 18), subject=text)
    said = post(LIPAP, AUTHOR, ["ptt@mailingl.st"], raw, POSTER)
    return raw if said[:3] == "250" else None


def put_off(boss, text):
    """A post whose delivery was put off; its number in the queue."""
    before = {line.split()[0] for line in boss.ask("queue").splitlines() if " ptt@mailingl.st  since " in line}
    raw = say(text)
    number = None
    def seen():
        nonlocal number
        shown = boss.ask("queue")
        now = [line.split()[0] for line in shown.splitlines() if " ptt@mailingl.st  since " in line]
        number = next((n for n in now if n not in before), None)
        return number and "come back later" in shown and "0 not begun, 1 in flight or put off" in shown
    until(20, "it is put off", seen)
    return raw, number


def copies(sink, raw):
    return [c for c in sink.taken(LATER) if c.bytes().endswith(raw)]


def hand(world, sink, boss, answers):
    with world.case("queue: why it waits, and the destination"):
        raw, number = put_off(boss, "first")
        shown = boss.ask("", "queue 5\r\nstatus")
        check(" for sub4.test  tries up to 1  next " in shown and '"451 4.2.1 come back later"' in shown, shown)
        check("signers: at hand" in shown and "alarms: none" in shown, shown)
    with world.case("hold, then flush: delivered at once, long before its time"):
        check(f"hold {number}: done" in boss.ask(f"hold {number}"), "hold")
        answers.clear()
        shown = boss.ask("flush all", "queue")
        check("held by the operator" in shown, shown)
        check(f"flush {number}: done" in boss.ask(f"Re: flush {number}"), "flush")
        until(10, "a copy", lambda: copies(sink, raw))
    with world.case("drop: no copy ever, and the message is gone"):
        answers[("rcpt", LATER)] = "451 4.2.1 come back later"
        raw, number = put_off(boss, "second")
        shown = boss.ask(f"drop {number}", f"drop {number}\r\nqueue")
        check(f"drop {number}: done\ndrop {number}: no message of that number waits" in shown, shown)
        answers.clear()
        boss.ask("flush all")
        check("second" not in boss.ask("queue") and not copies(sink, raw), "a copy")


def heard(world, boss):
    with world.case("the same mail once more: nothing is done, nobody is told"):
        raw = boss.write("status")
        equal(boss.send(raw)[:9], "250 2.0.0", "first")
        boss.mail()
        equal(boss.send(raw), "250 2.0.0 this mail was obeyed before, nothing was done again", "again")
        boss.ask("status")  # and this is the next mail
    with world.case("whose provider signs no Content-Type is heard by the subject alone"):
        plain = b"Content-Type: text/plain; charset=utf-8\r\n"
        covers = ("From", "To", "Subject", "Date", "Message-ID")
        equal(boss.send(plain + boss.write("status", "drop 1", covers=covers))[:9], "250 2.0.0", "a command in the subject")
        text = boss.mail()[1]
        check("status: done" in text and "drop" not in text, f"answered {text!r}")
        said = boss.send(plain + boss.write("Hello", "drop 1", covers=covers))
        check(said.startswith("550 5.7.1 ") and said.endswith("put the command into the subject"), said)
    with world.case("who is not heard"):
        for what, raw, said in (
                ("not signed", boss.write("flush all", signed=False), "550 5.7.26 "),
                ("somebody else", boss.write("flush all", sender="ann@boss.test"), "550 5.7.1 only the admin"),
                ("to the list", boss.write("flush all", to="ptt@mailingl.st"), "550 5.7.1 a copy of what was signed"),
                ("changed", boss.write("flush all").replace(b"flush", b"drop "), "550 5.7.26 ")):
            answer = boss.send(raw)
            check(answer.startswith(said), f"{what}: {answer}")
        boss.ask("status")


def told(world, sink, boss, lipap, answers):
    options = ["--retry", "1h", "--metrics", f"{LIPAP}:9925", "--admin", BOSS]
    answers[("rcpt", LATER)] = "451 4.2.1 come back later"

    def taken():
        values = exposition.scrape(LIPAP)
        return values["lipap_spool_used_bytes", ()] / values["lipap_spool_limit_bytes", ()]
    size = 4 << 20
    while taken() < 0.9:
        if taken() + size / exposition.scrape(LIPAP)["lipap_spool_limit_bytes", ()] > 0.97 or not say("fills", size):
            size //= 2
    with world.case("disk 90 % full: told at the next look"):
        lipap.stop()
        lipap = world.start_lipap(options)
        subject, text, is_signed = boss.mail()
        equal((subject, is_signed), ("mx.mailingl.st: the image is nearly full", True), "mail")
        check(" for sub4.test " in text, text)
        equal(exposition.scrape(LIPAP)["lipap_alarm", (("name", "disk-full"),)], 1, "metric")
    with world.case("not again after a restart"):
        lipap.stop()
        lipap = world.start_lipap(options)
        until(10, "alarm after the restart",
              lambda: exposition.scrape(LIPAP)["lipap_alarm", (("name", "disk-full"),)] == 1)
        check("alarms: disk-full" in boss.ask("status"), "status")  # and not the alarm's mail
    with world.case("and once when it is over"):
        answers.clear()
        boss.ask("flush all")
        until(60, "room again", lambda: taken() < 0.8)
        lipap.stop()
        lipap = world.start_lipap(options)
        equal(boss.mail()[0], "mx.mailingl.st: there is room in the image again", "mail")
    return lipap


def without_signer(world, boss, nec):
    with world.case("no signer: the admin is answered all the same, unsigned, and told why mail waits"):
        nec.stop()
        say("waits")
        until(10, "it was tried", lambda: exposition.scrape(LIPAP)["lipap_handover_failures_total", ()] > 0)
        equal(boss.send(boss.write("queue", "status"))[:9], "250 2.0.0", "answer in SMTP")
        subject, text, is_signed = boss.mail()
        equal((subject, is_signed), ("Re: queue", False), "mail")
        check("signers: none could be reached" in text and "waits for the signer, last trouble \"127.0.0.3:25: " in text, text)


def run(world):
    record = world.run("blaze", "dkim", "gen", *KEY, "-r", "-").decode().strip()
    if os.path.exists(os.path.join(world.folder, "-")):
        os.unlink(os.path.join(world.folder, "-"))
    world.start_knot(test_zone=TEST_ZONE + f"""\
boss 300 MX 10 mx.sink
boss 300 TXT "v=spf1 -all"
_dmarc.boss 300 TXT "v=DMARC1; p=reject"
s._domainkey.boss 300 TXT "{record[record.index('v=DKIM1'):].strip('"')}"
""")
    answers = {("rcpt", LATER): "451 4.2.1 come back later"}
    sink = world.start_sink([(SINK, 25)], lambda kind, _to, text, _conn: answers.get((kind, text)))
    world.create([AUTHOR, LATER], size="64M")
    nec = world.start_nec()
    lipap = world.start_lipap(["--retry", "1h"])
    with world.case("without --admin there is nobody to hear"), Smtp(LIPAP, source=POSTER) as s:
        s.command("EHLO boss.test")
        s.command(f"MAIL FROM:<{BOSS}>")
        check(s.command(f"RCPT TO:<{AT}>").startswith("550 5.7.1 this server has no admin"), "RCPT")
    lipap.stop()
    lipap = world.start_lipap(["--retry", "1h", "--metrics", f"{LIPAP}:9925", "--admin", BOSS])
    boss = Boss(world, sink)
    hand(world, sink, boss, answers)
    heard(world, boss)
    lipap = told(world, sink, boss, lipap, answers)
    without_signer(world, boss, nec)
    with world.case("why it waits, on the stopped image"):
        equal(lipap.stop(), 0, "exit status")
        queue = json.loads(world.run("ptt", "queue", world.image, "--json"))["queue"]
        equal([q["trouble"][:14] for q in queue if q["reason"] == "signer"], ["127.0.0.3:25: "], f"reasons of {queue}")


if __name__ == "__main__":
    rig.main(run, needs=("lipap", "nec", "ptt", "blaze"))
