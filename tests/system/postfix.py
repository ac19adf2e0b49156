#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A real Postfix in front of nec, set up as docs/operating.md says: as a content filter and as next hop. Own mail comes out
signed once, other mail is not touched, and while nec is away its mail waits."""
import os
import pwd
import shutil
import subprocess
import time

from lib import rig, verify
from lib.mail import fields, message, tags
from lib.mta_postfix import SERVICES
from lib.operating import block
from lib.rig import NEC, POSTER, SINK, Skip, check, equal, until
from lib.smtp import Smtp

POSTFIX, OWN, OTHER, TO = "127.0.0.4", "author@mailingl.st", "guest@author.test", "bea@sub1.test"
PUT = {"10.0.0.3": NEC}
MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {home}/log
maillog_file_prefixes = {home}
myhostname = mx.mailingl.st
mydestination =
inet_protocols = ipv4
local_recipient_maps =
alias_maps =
alias_database =
biff = no
smtpd_peername_lookup = no
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
transport_retry_time = 1s
"""


class Postfix:
    """One with a queue of its own, and the settings of one chapter of the document."""

    def __init__(self, world, name, main, master):
        self.home, self.conf = os.path.join(world.folder, name), os.path.join(world.folder, name, "conf")
        for folder in ("conf", "queue", "data"):
            os.makedirs(os.path.join(self.home, folder))
        os.chmod(world.folder, 0o755)
        shutil.chown(os.path.join(self.home, "data"), "postfix")
        world.file(f"{name}/conf/main.cf", MAIN_CF.format(home=self.home) + main)
        world.file(f"{name}/conf/master.cf", f"{POSTFIX}:25 inet n - n - - smtpd\n" + SERVICES + master)
        for file in ("main.cf", "master.cf"):
            os.chmod(os.path.join(self.conf, file), 0o644)
        self.process = world.start(name, ["postfix", "-c", self.conf, "start-fg"])
        try:
            self.process.wait_listens(POSTFIX)
        except AssertionError as e:
            raise AssertionError(f"{e}: {self.log()}") from None

    def waiting(self):
        done = subprocess.run(["postqueue", "-c", self.conf, "-p"], capture_output=True, text=True, timeout=20)
        return done.stdout

    def stop(self):
        subprocess.run(["postfix", "-c", self.conf, "stop"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=30, check=True)
        self.process.popen.wait(20)

    def log(self):
        if not os.path.exists(os.path.join(self.home, "log")):
            return ""
        with open(os.path.join(self.home, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()


def hand_in(sender, raw, port=25, source=POSTER, wanted="250"):
    with Smtp(POSTFIX, port, source=source) as s:
        s.command("EHLO client.author.test")
        said = s.post(sender, [TO], raw, " BODY=8BITMIME")
        equal(said[:3], wanted, f"Postfix answered {said!r}")


def signed_once(world, copy, raw):
    """One message, its own signatures all right and of one signer, and nothing of it changed."""
    check(copy.bytes().endswith(raw), "the message was changed")
    selectors = [tags(value)["s"] for name, value in fields(copy.bytes()) if name == "dkim-signature"]
    check(selectors and len(selectors) == len(set(selectors)), f"signatures by {selectors}")
    path = os.path.join(world.folder, "copy.eml")
    with open(path, "wb") as f:
        f.write(copy.bytes())
    status, said = verify.blaze(world, path)
    check(status == 0 and "[OK]: mailingl.st" in said, f"blaze: {said}")


def untouched(copy, raw):
    check(copy.bytes().endswith(raw), "the message was changed")
    check(b"DKIM-Signature" not in copy.bytes() and b"ARC-" not in copy.bytes(), "it was signed")


def one_copy(sink):
    """The one message that came since the last one."""
    one_copy.seen += 1
    sink.wait(one_copy.seen, 20)
    time.sleep(0.3)  # one too many would come now
    equal(len(sink.taken()), one_copy.seen, "copies")
    return sink.taken()[-1]


one_copy.seen = 0


def mail_of(sender, **more):
    return message("Grüße, žluťoučký\r\n.\r\nend \r\n".encode(), sender=sender, to=TO, **more)


def waits_for_nec(world, postfix, sink, port, start):
    world.nec.stop()
    raw = mail_of(OWN, subject="While nec is away")
    hand_in(OWN, raw, port)
    until(20, "the mail waits in the queue", lambda: "(connect to" in postfix.waiting())
    equal(len(sink.taken()), one_copy.seen, "copies while nec is away")
    start()
    signed_once(world, one_copy(sink), raw)
    until(20, "the queue is empty", lambda: "Mail queue is empty" in postfix.waiting())


def as_filter(world, sink):
    def start():
        world.nec = world.start_nec(destination=f"{POSTFIX}:10026")

    regexp = world.file("nec-from", block("/etc/postfix/nec-from: content filter", {**PUT, r"example\.org": r"mailingl\.st"}))
    os.chmod(regexp, 0o644)
    main = block("main.cf: content filter", {"example.org": "mailingl.st"})
    # No TLS and no passwords here: who hands in by its address is a user.
    master = block("master.cf: content filter", {
        "10.0.0.2:10026": f"{POSTFIX}:10026", "mynetworks=10.0.0.3/32": "mynetworks=127.0.0.1/32",
        "/etc/postfix/nec-from": regexp, "submission inet": f"{POSTFIX}:587 inet",
        "  -o smtpd_tls_security_level=encrypt\n": "", "  -o smtpd_sasl_auth_enable=yes\n": "",
        "permit_sasl_authenticated": "permit_mynetworks"})
    postfix = Postfix(world, "filter", main + f"mynetworks = {POSTER}/32\nrelay_domains = sub1.test\n"
                                              f"relayhost = [{SINK}]:25\n", master)
    start()
    with world.case("content filter: own mail is signed once"):
        raw = mail_of(OWN)
        hand_in(OWN, raw, 587)
        signed_once(world, one_copy(sink), raw)
        equal(world.nec.log().count("event=signed "), 1, "signed")
    with world.case("content filter: From with a name, and folded"):
        raw = mail_of(OWN).replace(b"From: Author <", b"From: =?utf-8?q?A=2C_B?=\r\n <")
        hand_in(OWN, raw, 587)
        signed_once(world, one_copy(sink), raw)
    for name, sender in (("of another author", OTHER), ("of an author whose domain only ends like ours", "a@notmailingl.st")):
        with world.case(f"content filter: a user's mail {name} is not touched"):
            raw = mail_of(sender)
            hand_in(sender, raw, 587)
            untouched(one_copy(sink), raw)
    with world.case("content filter: a stranger's mail with our From is not signed"):
        raw = mail_of(OWN, subject="Forged")
        hand_in("x@elsewhere.test", raw, source="127.0.0.67")
        untouched(one_copy(sink), raw)
    with world.case("content filter: a stranger's mail with our sender is refused"):
        hand_in(OWN, mail_of(OWN), source="127.0.0.67", wanted="554")
    with world.case("content filter: nec away, the mail waits"):
        waits_for_nec(world, postfix, sink, 587, start)
    postfix.stop()
    world.nec.stop()


def as_next_hop(world, sink):
    def start():
        world.nec = world.start_nec(destination=SINK)

    main = block("main.cf: next hop", {**PUT, "10.0.0.9": SINK, "example.org": "mailingl.st"})
    postfix = Postfix(world, "hop", main + f"mynetworks = {POSTER}/32\n", block("master.cf: next hop", {}))
    start()
    with world.case("next hop: own mail is signed once"):
        raw = mail_of(OWN)
        hand_in(OWN, raw)
        signed_once(world, one_copy(sink), raw)
    with world.case("next hop: other mail is not touched"):
        raw = mail_of(OTHER)
        hand_in(OTHER, raw)
        untouched(one_copy(sink), raw)
    with world.case("next hop: strangers hand in nothing"):
        with Smtp(POSTFIX, source="127.0.0.67") as s:
            s.command("EHLO stranger.test")
            said = s.post(OWN, [TO], mail_of(OWN))
            check(said.startswith(("454", "554")), said)
    with world.case("next hop: nec away, the mail waits"):
        waits_for_nec(world, postfix, sink, 25, start)
    postfix.stop()


def run(world):
    try:
        pwd.getpwnam("postfix")
    except KeyError:
        raise Skip("needs postfix") from None
    if not shutil.which("postfix") or os.geteuid() != 0 or os.environ.get("PTT_OWN_MOUNTS") != "1":
        raise Skip("needs postfix, and to be root")
    world.start_knot()
    sink = world.start_sink()
    as_filter(world, sink)
    as_next_hop(world, sink)


rig.main(run, ["nec", "blaze"])
