#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Postfix, Exim and OpenSMTPD, each as the server of authors and of members: posts reach the list through it and their copies its
mailboxes, with and without TLS; it refuses, greylists and hangs up; its own bounces name the member; people join through it."""
import json
import os
import re
import time

from lib import mta, rig, verify
from lib.mail import fields, message
from lib.mta_exim import Exim
from lib.mta_opensmtpd import OpenSmtpd
from lib.mta_postfix import Postfix
from lib.people import Person
from lib.rig import POSTER, TEST_ZONE, Skip, check, equal, until
from lib.smtp import Smtp

KINDS = (Postfix, Exim, OpenSmtpd)
LIST, ROUGH, BIG, WIDE, CLUB = (f"{name}@mailingl.st" for name in ("ptt", "rough", "big", "wide", "club"))
SENT_ON = {"away": "gone@elsewhere.test", "blamed": "strict@elsewhere.test", "late": "busy@elsewhere.test"}
ELSEWHERE = {"gone@elsewhere.test": "550 5.1.1 nobody", "strict@elsewhere.test": "550 5.7.1 we do not like you",
             "busy@elsewhere.test": "451 4.3.2 later"}
UTF8 = "žluť"
MEMBERS = ("ann", "bea", "cem", "dan", "grey", "busy")  # of each domain with TLS
CLEAR = "clea"  # of each domain without
TEXT = (b"Gr\xc3\xbc\xc3\x9fe\r\n.\r\n..\r\n.dot\r\n" + b"x" * 998 + b"\r\n" + b"\xff\xfe\x80 \t\r\n\r\nFrom here\r\n" +
        b"y" * 900 + b" \r\n\r\nend \r\n\r\n")
EIGHT = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"


class Neighbour(Person):
    """Somebody whose mailbox is at one of the servers, and whose mail program hands in there."""

    def __init__(self, world, server, user):
        super().__init__(world, None, f"{user}@{server.zone}", user.title())
        self.host, self.user, self.server = server, user, server.addresses[server.zone]

    def mails(self):
        return self.host.mailbox(self.user)


class Net:
    """The servers and everybody at them."""

    def __init__(self, world):
        self.world, self.servers = world, []
        self.key, self.record = os.path.join(world.folder, "author.pem"), os.path.join(world.folder, "author.txt")
        with open(self.key, "wb") as f:
            f.write(world.run("blaze", "dkim", "gen", "-r", self.record))

    def zone(self):
        with open(self.record, encoding="ascii") as f:
            text = f.read().strip()
        record = " ".join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200))
        return TEST_ZONE + "".join(kind.records() + "".join(
            f"s._domainkey.{name} 300 TXT {record}\n" for name in (label, f"clear.{label}"))
            for kind in KINDS for label in [kind.name])

    def create(self):
        world, zones = self.world, [kind.zone for kind in KINDS]
        world.create([a for kind in KINDS for a in self.everybody(kind)])
        world.create([f"{user}@{zone}" for zone in zones for user in ("ann", "grey", "busy", "unknown", *SENT_ON)] +
                     [f"holiday@{kind.zone}" for kind in KINDS if kind.has_vacation], "rough")
        world.create([a for kind in KINDS for a in (f"ann@{kind.zone}", f"{CLEAR}@{kind.clear}")], "big")
        world.create([f"ann@{zone}" for zone in zones] + [f"{UTF8}@{kind.zone}" for kind in KINDS if kind.has_utf8], "wide")
        world.create([], "club", settings=("--subscription", "confirm"))
        shown = json.loads(world.run("ptt", "show", world.image, "--json"))
        self.rough = {m["address"]: m["id"] for one in shown["lists"] if one["name"] == "rough" for m in one["subscribers"]}

    def failing(self):
        """{address: class} of the failures that are to be known in the end."""
        found = {f"ann@{kind.zone}": "message" for kind in KINDS if not kind.has_utf8}
        for kind in KINDS:
            found |= {f"{user}@{kind.zone}": what for user, what in
                      (("unknown", "address"), ("away", "address"), ("blamed", "policy"))}
        return found

    def start(self):
        self.door = mta.Door()
        for kind in KINDS:
            self.servers.append(kind(self.world, [*MEMBERS, CLEAR, "zoe", UTF8], SENT_ON))
        for server in self.servers:
            server.wait()

    def everybody(self, server):
        return [f"{user}@{server.zone}" for user in MEMBERS] + [f"{CLEAR}@{server.clear}"]

    def copies(self, address, raw):
        """Of a post, in a member's mailbox."""
        user, _, domain = address.partition("@")
        server = next(s for s in self.servers if domain in s.addresses)
        return [m for m in server.mailbox(user) if m.bytes().endswith(raw)]

    def signed(self, raw, domain):
        return self.world.run("blaze", "dkim", "sign", "-s", "s", "-h", domain, "-p", self.key, "--newline", "crlf", stdin=raw)

    def post(self, server, author, to=LIST, text=TEXT, more="", parameters=" BODY=8BITMIME"):
        """A post of `author`, signed by its domain, and handed in as a mail program does."""
        domain = author.rpartition("@")[2]
        subject = f"Of {domain}, {time.monotonic()}"
        raw = self.signed(message(text, subject=subject, sender=author, to=to, more=EIGHT + more), domain)
        with Smtp(server.addresses[domain], source=POSTER) as s:
            s.command("EHLO laptop.test")
            equal(s.post(author, [to], raw, parameters)[:3], "250", f"{server.name} at the end of a post")
        self.posted = time.monotonic()
        return raw

    def returned(self, lipap, event, address):
        """What lipap has read in a mail to the return path of a member of the list rough."""
        return lipap.wait_log(rf"event={event} list=rough .*member={self.rough[address]} .*said=(.*)$")[1]


def received(copy):
    """Its Received fields, the last first."""
    return [value for name, value in fields(copy.bytes()) if name == "received"]


def arrive(net, raw, addresses):
    """One copy each, byte for byte, with a return path of its own, and our signature good in the eyes of dkimpy."""
    for address in addresses:
        until(40, f"a copy for {address}", lambda a=address: net.copies(a, raw))
    found = [net.copies(address, raw) for address in addresses]
    equal({a: len(f) for a, f in zip(addresses, found)}, dict.fromkeys(addresses, 1), "copies")
    paths = {f[0].sender() for f in found}
    equal(len(paths), len(addresses), "return paths")
    for path in paths:
        check(re.fullmatch(r"[a-z]+-return-[a-z2-7]{24}@mailingl\.st", path), f"return path {path}")
    for address, (copy,) in zip(addresses, found):
        check(verify.dkimpy(net.world, copy.bytes()), f"dkimpy refuses the copy for {address}")
    return [(address, copy) for address, (copy,) in zip(addresses, found)]


def through_each(net, lipap):
    """A post through every server, with TLS and without, to every member everywhere."""
    for server in net.servers:
        for user, domain, proof in (("ann", server.zone, "ESMTPS"), (CLEAR, server.clear, "ESMTP ")):
            with net.world.case(f"{server.name}: a post of {domain} comes to every member everywhere, byte for byte"):
                raw = net.post(server, f"{user}@{domain}")
                copies = arrive(net, raw, [a for s in net.servers for a in net.everybody(s)])
                for address, copy in copies:
                    there = received(copy)
                    equal("clear." in address, not re.search(r"TLS ?v?1\.3", there[0]), f"no TLS to {address}: {there[0]}")
                    by_us = next(r for r in there if "by mx.mailingl.st" in r)
                    check(f" with {proof}" in by_us, f"it came to lipap: {by_us}")
                    results = [v for n, v in fields(copy.bytes()) if n == "authentication-results"]
                    check(any(f"dkim=pass header.i=@{domain} " in v for v in results), f"verdicts {results}")


def refused(net, lipap):
    """Greylisted once, hung up on once, unknown, and sent on to where nobody is: each member's fate is its own."""
    for server in net.servers:
        net.door.says |= {f"grey@{server.zone}": ["451 4.7.1 greylisted, come back later"],
                          f"busy@{server.zone}": ["421 4.7.0 too much from you"]}
    raw = net.post(net.servers[0], f"ann@{net.servers[0].zone}", ROUGH)
    for server in net.servers:
        ann, grey, busy, unknown = (f"{user}@{server.zone}" for user in ("ann", "grey", "busy", "unknown"))
        with net.world.case(f"{server.name}: greylisted and hung up on, who is there has one copy"):
            arrive(net, raw, [ann, grey, busy])
            lipap.wait_log(rf"event=deferred .*to={grey} .*451")
            equal(sorted(a for a, _ in net.door.said if a in (grey, busy)), sorted([grey, busy]), "said at the door")
        with net.world.case(f"{server.name}: nobody of that name is a failure for good"):
            lipap.wait_log(rf"event=failed .*to={unknown} .*said=\"{server.unknown}")
        for user, reply in (("away", "550 5.1.1 nobody"), ("blamed", "550 5.7.1 we do not like you")):
            with net.world.case(f"{server.name}: its own bounce of what it sent on tells of that member: {reply}"):
                lipap.wait_log(rf"event=delivered .*to={user}@{server.zone} ")
                said = net.returned(lipap, "bounce", f"{user}@{server.zone}")
                check(reply in said, f"said {said}")
        with net.world.case(f"{server.name}: its own notice of a delay tells of no failure"):
            time.sleep(max(0, net.posted + 3 - time.monotonic()))
            server.hurry()
            net.returned(lipap, "bounce-delay", f"late@{server.zone}")
        if server.has_vacation:
            with net.world.case(f"{server.name}: neither does the answer of a vacation program"):
                net.returned(lipap, "bounce-unread", f"holiday@{server.zone}")


def large(net):
    with net.world.case("5 MB come through Exim, and to two members at each server"):
        server = net.servers[1]
        line = TEXT.split(b"\r\n")[4] + b"\r\n"
        raw = net.post(server, f"ann@{server.zone}", BIG, text=TEXT + line * (5_000_000 // len(line)))
        arrive(net, raw, [a for s in net.servers for a in (f"ann@{s.zone}", f"{CLEAR}@{s.clear}")])


def wide(net, lipap):
    """An author and members with UTF-8 in their addresses."""
    those = [s for s in net.servers if s.has_utf8]
    for server in those:
        with net.world.case(f"{server.name}: an author and members with UTF-8 in their addresses, and members without"):
            raw = net.post(server, f"{UTF8}@{server.zone}", WIDE, parameters=" BODY=8BITMIME SMTPUTF8")
            arrive(net, raw, [f"{user}@{s.zone}" for s in those for user in (UTF8, "ann")])
    with net.world.case("a server without SMTPUTF8 is not given it"):
        for server in net.servers:
            if not server.has_utf8:
                lipap.wait_log(rf"event=failed .*to=ann@{server.zone} .*said=\"550 5\.6\.7")
                equal(net.copies(f"ann@{server.zone}", raw), [], "copies")


def join(net):
    joined = []
    for server in net.servers:
        with net.world.case(f"{server.name}: mutt joins, confirms and posts through it"):
            zoe = Neighbour(net.world, server, "zoe")
            zoe.mutt(CLUB.replace("@", "-subscribe@"), "join", "please\n")
            asked = zoe.notice("a confirmation", CLUB)
            zoe.mutt(str(asked["Reply-To"] or asked["From"]), f"Re: {asked['Subject']}", "yes\n")
            zoe.notice("a welcome", CLUB, "club-unsubscribe@")
            joined.append(zoe)
            zoe.mutt(CLUB, f"From {server.name}", "Here I am.\n")
            for member in joined:
                copy = member.next("the post", lambda mail: mail["Subject"] == f"From {server.name}").copy
                check(verify.dkimpy(net.world, copy.bytes()), f"dkimpy refuses the copy for {member.address}")


def connections(net, lipap):
    for server in net.servers:
        with net.world.case(f"{server.name}: a connection was used for several messages"):
            most = server.most_in_one()
            check(most >= 3, f"at most {most} messages in one")
    postfix, exim = (server.log() for server in net.servers[:2])
    with net.world.case("postfix: from lipap with CHUNKING"):
        ends = re.findall(r"disconnect from unknown\[127\.0\.0\.1\] .*", postfix)
        check(any(" bdat=" in line for line in ends) and not any(" data=" in line for line in ends), f"{ends}")
    with net.world.case("exim: to lipap with PIPELINING and CHUNKING, and so from lipap"):
        out = re.findall(r" => \S+@mailingl\.st .*", exim)
        check(out and all(re.search(r" L\*? .*K\b", line) for line in out), f"sent: {out}")
        came = re.findall(r" <= \S+-return-\S+@mailingl\.st .*", exim)
        check(came and all(re.search(r" L[.*]? .*K\b", line) for line in came), f"came: {came}")
    with net.world.case("exim: 421 for a fourth message, and for the next connection while it counts the last, put nothing off"):
        check("too many messages in one connection" in exim, "it never came to that")
        late = re.findall(r"event=deferred .*said=\"421 Too many.*", lipap.log())
        equal(late, [], "put off")


def run(world):
    lacks = [why for why in (mta.lacks_root(), *(kind.missing() for kind in KINDS)) if why]
    if lacks:
        raise Skip("; ".join(lacks))
    net = Net(world)
    world.start_knot(test_zone=net.zone())
    sink = world.start_sink(policy=lambda kind, to, text, conn: ELSEWHERE.get(text))
    net.create()
    net.nec = world.start_nec(ready=False)
    net.start()
    world.wait_ready(net.nec)
    lipap = world.start_lipap(("--retry", "2s"))
    lipap.wait_log("event=key ")
    through_each(net, lipap)
    refused(net, lipap)
    large(net)
    wide(net, lipap)
    join(net)
    with world.case("nobody else has failed, each failure is of its class, and nothing waits"):
        equal(lipap.stop(), 0, "exit status")
        shown = json.loads(world.run("ptt", "show", world.image, "--json"))
        equal({f["address"]: f["class"] for f in shown["failures"]}, net.failing(), "failed")
        equal(shown["queue"], [], "queue")
    connections(net, lipap)
    with world.case("nothing else went elsewhere"):
        equal({e.text for e in sink.events if e.kind == "rcpt"}, set(ELSEWHERE), "at the sink")
    net.door.close()


rig.main(run, ["nec", "lipap", "ptt", "blaze"])
