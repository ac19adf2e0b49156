#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""All mail through one host (lipap --relay): by name and by address, what its zone proves or fails to, while it is away and when
it is back, and a Postfix as that host, which passes everything on and sends back what it cannot."""
import json
import re
import shutil
import socket

from lib import mta, rig
from lib.mail import AUTHOR, LIST, fields, message
from lib.mta_postfix import Postfix
from lib.rig import DNS, LIPAP, POSTER, SINK, TEST_ZONE, Skip, check, equal, until
from lib.sink import DROP
from lib.smtp import post
from lib.tls import context_of, key_hash, make_pair
from lib.unbound import dnskey, start_unbound

RESOLVER = "127.0.0.9"
DOMAINS = [f"d{n}.test" for n in range(20)] + ["null.test", "nowhere.example"]
MEMBERS = [AUTHOR] + [f"m{n}@{domain}" for domain in DOMAINS for n in range(3)]
NULL_MX = [m for m in MEMBERS if m.endswith("@null.test")]
REFUSED = "m1@d7.test"
CROWD = 8  # connections that 67 copies may need at most
RIGHT, WRONG = "3 1 1 HASH", "3 1 1 " + "00" * 32
# Hosts of the zone "signed": where they are, and the TLSA records of their ports
HOSTS = {
    "relay": ("127.0.0.40", {587: RIGHT, 25: WRONG}),
    "stale": ("127.0.0.41", {587: WRONG, 25: RIGHT}),
    "stripped": ("127.0.0.42", {587: RIGHT}),
    "missing": ("127.0.0.43", {}),
    "plain": ("127.0.0.44", {}),
    "later": ("127.0.0.45", {25: RIGHT}),
    "elsewhere": ("127.0.0.49", {}),  # the MX of "relay"
}
ADDRESS = {name: address for name, (address, _) in HOSTS.items()}


class Smarthost(Postfix):
    """One that takes all mail of this machine."""

    host = 50

    def configure(self):
        super().configure()
        self.file("etc/postfix/main.cf", self.read("etc/postfix/main.cf").replace(f"mynetworks = {POSTER}/32",
                                                                                  "mynetworks = 127.0.0.1/32"))


def zone_text(key, postfix):
    lines = ["@ 300 SOA ns1 hostmaster 1 3600 600 86400 5", "@ 300 NS ns1", f"ns1 300 A {DNS}", "relay 300 MX 10 elsewhere"]
    hosts = [(name, address, port, record, key) for name, (address, records) in HOSTS.items()
             for port, record in (records or {0: ""}).items()]
    if postfix:
        hosts.append(("postfix", postfix.addresses[postfix.zone], 25, RIGHT, key_hash(postfix.read("etc/mx.crt"))))
    lines += sorted({f"{name} 300 A {address}" for name, address, *_ in hosts})
    lines += [f"_{port}._tcp.{name} 300 TLSA {record.replace('HASH', digest)}"
              for name, _, port, record, digest in hosts if record]
    return "\n".join(lines) + "\n"


def has_ipv6():
    with socket.socket(socket.AF_INET6) as s:
        try:
            s.bind(("::1", 0))
        except OSError:
            return False
    return True


class Relays:
    """lipap, and where its mail may come to."""

    def __init__(self, world, key_pair):
        self.world, self.says = world, {}
        self.tls = self.sink("tls", [(ADDRESS["relay"], 587), (ADDRESS["stale"], 587), (ADDRESS["missing"], 25),
                                     ("127.0.0.46", 2525), *[("::1", 2526)] * has_ipv6()])
        self.tls.tls = self.context = context_of(key_pair)
        self.clear = self.sink("clear", [(ADDRESS["stripped"], 587), (ADDRESS["plain"], 25)])
        # the members' own hosts, the MX of the relay, other ports of the relays
        self.others = self.sink("others", [(SINK, 25), *((ADDRESS[n], 25) for n in ("elsewhere", "relay", "stale"))])
        self.lipap = None

    def sink(self, name, addresses):
        return self.world.start_sink(addresses, self.policy, name)

    def policy(self, kind, _to, text, _connection):
        """What `says` has for that event, if anything: a reply, or by what it is about."""
        said = self.says.get(kind)
        return said.get(text) if isinstance(said, dict) else said

    def go_by(self, relay):
        """Starts lipap anew with that one."""
        if self.lipap:
            equal(self.lipap.stop(), 0, "exit status")
        self.lipap = self.world.start_lipap(("--relay", relay, "--trusted-nameserver", f"udp:{RESOLVER}", "--retry", "1s"),
                                            RESOLVER)

    def send(self, text):
        raw = message(text.encode() + b"\r\n", subject=text)
        equal(post(LIPAP, AUTHOR, [LIST], raw, POSTER)[:3], "250", "answer")
        return raw

    def copies(self, sink, raw):
        return [c for c in sink.taken() if c.bytes().endswith(raw)]

    def arrive(self, sink, raw, to, tls, members=MEMBERS, seconds=60):
        """One copy for each member comes to that address, with that TLS."""
        until(seconds, f"{len(members)} copies", lambda: len(self.copies(sink, raw)) >= len(members))
        got = self.copies(sink, raw)
        equal(sorted(r for c in got for r in c.recipients), sorted(members), "recipients")
        equal({(c.to, c.tls) for c in got}, {(to, tls)}, "place and TLS")

    def delivered(self, count, how):
        """The log says so of that many, with what matches `how`."""
        until(20, f"{count} lines", lambda: len(re.findall(f"event=delivered .*{how}", self.lipap.log())) >= count)

    def connections(self, sink, to, since=0):
        return len([e for e in sink.events[since:] if e.kind == "open" and e.to == to])

    def waiting(self):
        """{address: why}; lipap is stopped for it."""
        equal(self.lipap.stop(), 0, "exit status")
        shown = json.loads(self.world.run("ptt", "show", self.world.image, "--json"))
        return {w["address"]: w["reply"] for m in shown["queue"] for w in m["waiting"]}


def by_name(world, relays, unbound):
    with world.case("name: all mail of all domains goes there, to its port, over a few connections, proven by its key"):
        relays.go_by("relay.signed:587")
        raw = relays.send("by name")
        relays.arrive(relays.tls, raw, ADDRESS["relay"], "TLSv1.3")
        relays.delivered(len(MEMBERS), r" peer=127\.0\.0\.40:587 tls=TLSv1\.3 proof=dane")
        check(relays.connections(relays.tls, ADDRESS["relay"]) <= CROWD, "too many connections")
    with world.case("name: nobody asks for the domains of recipients, or for the relay's MX"):
        asked = re.findall(r"info: 127\.\S+ (\S+)\. (\w+) IN", unbound.log())
        check(("relay.signed", "A") in asked and ("_587._tcp.relay.signed", "TLSA") in asked, f"{asked}")
        of_members = [a for a in asked if a[0].endswith(tuple(DOMAINS))]
        equal(of_members + [a for a in asked if a == ("relay.signed", "MX")], [], "questions")
        equal([e for e in relays.others.events if e.kind == "open"], [], "connections to others")
    with world.case("name: a recipient that the relay refuses is that member's failure alone"):
        relays.says["rcpt"] = {REFUSED: "550 5.1.1 no such person"}
        raw = relays.send("with a refusal")
        relays.lipap.wait_log(rf"event=failed .*to={re.escape(REFUSED)} .*no such person")
        relays.says.clear()
        relays.arrive(relays.tls, raw, ADDRESS["relay"], "TLSv1.3", [m for m in MEMBERS if m != REFUSED])


def away(world, relays):
    def begin(text, **says):
        until(20, "end of all connections", lambda: not relays.tls.open)
        relays.says.update(says)
        return relays.send(text), len(relays.tls.events)
    with world.case("away: while it hangs up, and then dies over each message, all mail waits, and few try"):
        first, since = begin("while it hangs up", open=DROP)
        relays.lipap.wait_log(r"event=deferred .*attempt=2 ")
        relays.says["dot"] = relays.says.pop("open")
        relays.lipap.wait_log(r"event=deferred .*attempt=3 ")
        equal(relays.copies(relays.tls, first), [], "copies")
        tries = relays.connections(relays.tls, ADDRESS["relay"], since)
        check(tries < len(MEMBERS), f"{tries} connections")
    with world.case("away: all of it arrives once when the relay is back"):
        relays.says.clear()
        relays.arrive(relays.tls, first, ADDRESS["relay"], "TLSv1.3")
    with world.case("away: one that says 421 for a while is waited for"):
        second, since = begin("while it says 421", open="421 4.3.2 going down")
        until(20, "two tries", lambda: relays.connections(relays.tls, ADDRESS["relay"], since) >= 2)
        equal(relays.copies(relays.tls, second), [], "copies")
        relays.says.clear()
        relays.arrive(relays.tls, second, ADDRESS["relay"], "TLSv1.3")
        tries = relays.connections(relays.tls, ADDRESS["relay"], since)
        check(tries <= CROWD, f"{tries} connections")
    with world.case("away: and so it does where nobody had listened"):
        relays.go_by("later.signed")
        raw = relays.send("before it is there")
        relays.lipap.wait_log(r"event=deferred .*attempt=2")
        late = relays.sink("late", [(ADDRESS["later"], 25)])
        late.tls = relays.context
        relays.arrive(late, raw, ADDRESS["later"], "TLSv1.3")
        relays.lipap.wait_log(r"event=delivered .* peer=127\.0\.0\.45:25 tls=TLSv1\.3 proof=dane")


def deferred(relays):
    """How many of those who wait were put off for the first time, and by what tries."""
    log = relays.lipap.log()
    return len(re.findall(r"event=deferred .*attempt=1 ", log)), len(re.findall(r"event=tls-failed", log))


def unproven(world, relays):
    for name, fault, other, sink, tls in (("stale", "has another key", "missing", relays.tls, "TLSv1.3"),
                                          ("stripped", "offers no TLS", "plain", relays.clear, "")):
        with world.case(f"unproven: nothing goes to a relay that {fault}, which is asked once for all who wait"):
            relays.go_by(f"{name}.signed:587")
            raw = relays.send(f"to {name}")
            until(20, "the first try", lambda: deferred(relays)[0] >= len(MEMBERS))
            tries = deferred(relays)[1]
            check(0 < tries <= CROWD, f"{tries} tries")
            replies = relays.waiting()
            equal((sorted(replies), relays.copies(sink, raw)), (sorted(MEMBERS), []), "who waits, and copies")
            check(all("DANE" in r and f"{name}.signed" in r for r in replies.values()), f"{set(replies.values())}")
        with world.case(f"unproven: it goes to one of which no records ask for anything, {'under' if tls else 'without'} TLS"):
            relays.go_by(f"{other}.signed")
            relays.arrive(sink, raw, ADDRESS[other], tls)
            relays.lipap.wait_log(rf"event=delivered .* peer={ADDRESS[other]}:25 " + ("tls=TLSv1.3 proof=none" if tls else "ms="))


def by_address(world, relays):
    for relay, to in (("127.0.0.46:2525", "127.0.0.46"), ("[::1]:2526", "::1")):
        if to == "::1" and not has_ipv6():
            print(f"skip address: {relay}: no IPv6 here")
            continue
        with world.case(f"address: {relay}, under TLS where it is offered"):
            relays.go_by(relay)
            relays.arrive(relays.tls, relays.send(f"to {relay}"), to, "TLSv1.3")
            relays.lipap.wait_log(rf"event=delivered .* peer={re.escape(relay)} tls=TLSv1\.3 proof=none")
    with world.case("address: nobody but the relays was spoken to in all this time"):
        equal([e for e in relays.others.events if e.kind == "open"], [], "connections to others")


def start_postfix(world):
    """Postfix, or None where it cannot be."""
    lacks = Smarthost.missing() or mta.lacks_root()
    if lacks:
        print(f"skip Postfix as the relay: {lacks}")
        return None
    postfix = Smarthost(world, [], {})
    postfix.wait()
    return postfix


def through_postfix(world, relays, postfix):
    reached = [m for m in MEMBERS if m not in NULL_MX and not m.endswith("@nowhere.example")]
    with world.case("Postfix: proven by its key, it takes all mail and passes it on to the members' own hosts"):
        relays.go_by("postfix.signed")
        raw = relays.send("through Postfix")
        relays.arrive(relays.others, raw, SINK, "", reached, 90)
        relays.delivered(len(MEMBERS), " proof=dane")
        until(20, "several copies in one connection", lambda: postfix.most_in_one() > 1)
        signed = [v for n, v in fields(relays.copies(relays.others, raw)[0].bytes()) if n == "dkim-signature"]
        check(signed, "not signed")
    with world.case("Postfix: what it has to send back comes to the return path of exactly those members"):
        until(30, "bounces", lambda: len(re.findall(r"event=bounce ", relays.lipap.log())) >= len(NULL_MX))
        equal(relays.lipap.stop(), 0, "exit status")
        failures = json.loads(world.run("ptt", "show", world.image, "--json"))["failures"]
        equal({f["address"] for f in failures}, {REFUSED, *NULL_MX}, "failures")


def wrong_options(world):
    with world.case("options: what is no host and port is a reason not to start"):
        for value in ("", ":25", "relay.signed:", "relay.signed:0", "relay.signed:65536", "relay.signed:smtp", "127.0.0.1:0",
                      "-x.signed", "relay signed", "[relay.signed]"):
            process = world.start("refused", world.lipap_argv(("--relay", value)))
            equal(process.popen.wait(30), 64, value)
            check("--relay" in process.log(), process.log())


def run(world):
    for tool in ("unbound", "keymgr"):
        if not shutil.which(tool):
            raise Skip(f"needs {tool}")
    pair, postfix = make_pair(world, "relay", "relay.signed"), start_postfix(world)
    with open(pair[0], encoding="ascii") as f:
        path = world.file("signed.zone", zone_text(key_hash(f.read()), postfix))
    world.start_knot(test_zone=TEST_ZONE + "null 300 MX 0 .\n", signed=True,
                     more_zones=f'  - domain: signed\n    file: "{path}"\n')
    anchors = {zone: until(20, "DNSKEY", lambda z=zone: dnskey(world, z)) for zone in ("signed", "mailingl.st")}
    unbound = start_unbound(world, RESOLVER, anchors, "  log-queries: yes\n")
    relays = Relays(world, pair)
    world.create(MEMBERS)
    world.start_nec()
    by_name(world, relays, unbound)
    away(world, relays)
    unproven(world, relays)
    by_address(world, relays)
    if postfix:
        through_postfix(world, relays, postfix)
    wrong_options(world)
    with world.case("nothing that came in was malformed, and nothing came twice"):
        sinks = [s for s in world.sinks if s is not relays.others]
        equal([f for s in world.sinks for f in s.faults], [], "faults")
        pairs = [(c.recipients[0], dict(fields(c.bytes()))["message-id"]) for s in sinks for c in s.taken()]
        equal(len(pairs), len(set(pairs)), "pairs of member and message")


if __name__ == "__main__":
    rig.main(run, ("lipap", "nec", "ptt"))
