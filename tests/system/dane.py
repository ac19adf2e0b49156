#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""DANE (RFC 7672) both ways: a zone that knot signs, an unbound that validates, receivers whose TLSA records are good, stale,
unusable, bogus or missing, a Postfix under four names among them; and Postfix's own client, which asks lipap for the key that its
zone names."""
import json
import os
import re
import shutil
import ssl
import subprocess

from lib import mta, rig
from lib.mail import AUTHOR, LIST, message
from lib.mta_postfix import Postfix
from lib.rig import DNS, LIPAP, POSTER, Skip, check, equal, until
from lib.smtp import post
from lib.tls import TlsSink, key_hash, make_pair
from lib.unbound import dnskey, start_unbound

RESOLVER = "127.0.0.9"
# Receivers by name: (address, what the server does, its TLSA records with HASH for its key's)
HOSTS = {
    "good": ("127.0.0.30", "tls", ["3 1 1 HASH"]),
    "next": ("127.0.0.31", "tls", ["3 1 1 " + "00" * 32, "3 1 1 HASH"]),
    "stale": ("127.0.0.32", "tls", ["3 1 1 " + "00" * 32]),
    "missing": ("127.0.0.33", "tls", []),
    "unusable": ("127.0.0.34", "tls", ["1 1 1 HASH"]),
    "clear": ("127.0.0.35", "clear", ["3 1 1 HASH"]),
    "open": ("127.0.0.36", "clear", []),
    "broken": ("127.0.0.37", "broken", ["3 1 1 HASH"]),
}
PROVEN, ENCRYPTED, IN_THE_CLEAR = ("good", "next"), ("missing", "unusable"), ("open",)
KEPT = ("stale", "clear", "broken", "bogus")


class Receiver(Postfix):
    """One server with one key, under names whose records say of it what is right, what is wrong, or nothing; and in the zone
    that does not validate."""

    host = 40
    tlsa = {"pf-good": ["3 1 1 HASH"], "pf-stale": ["3 1 1 " + "00" * 32], "pf-missing": []}
    more = (*(f"{name}.signed" for name in tlsa), "pf.bogus")

    def copies(self, domain, raw):
        """Of a post: the TLS with which each came, "" without."""
        mine = [m.bytes() for m in self.mailbox("m") if m.bytes().endswith(raw)
                and f"\r\nX-Original-To: m@{domain}\r\n".encode() in m.bytes()]
        return [(re.findall(rb"\(using (TLSv1\.\d)", text.split(b"\r\n\r\n")[0]) or [b""])[0].decode() for text in mine]


def zone_text(hashes, receiver):
    lines = ["@ 300 SOA ns1 hostmaster 1 3600 600 86400 5", "@ 300 NS ns1", f"ns1 300 A {DNS}"]
    hosts = [(name, address, records, hashes[name]) for name, (address, _, records) in HOSTS.items()]
    if receiver:
        hosts += [(name, receiver.address, records, receiver.hash) for name, records in receiver.tlsa.items()]
    for name, address, records, key in hosts:
        lines += [f"{name} 300 MX 10 mx.{name}", f"mx.{name} 300 A {address}"]
        lines += [f"_25._tcp.mx.{name} 300 TLSA {r.replace('HASH', key)}" for r in records]
    return "\n".join(lines) + "\n"


def start_receiver(world):
    """Postfix, or None where it cannot be."""
    lacks = Receiver.missing() or mta.lacks_root()
    if lacks:
        print(f"skip Postfix as a receiver: {lacks}")
        return None
    receiver = Receiver(world, ["m"], {})
    receiver.wait()
    receiver.address, receiver.hash = receiver.addresses[receiver.zone], key_hash(receiver.read("etc/mx.crt"))
    return receiver


def sending(world, state):
    raw = message(b"to all of them\r\n", subject="dane")
    equal(post(LIPAP, AUTHOR, [LIST], raw, POSTER)[:3], "250", "answer")
    lipap, sinks = state["lipap"], state["sinks"]

    def copies(name):
        return [version for version, text in sinks[name].taken if text.endswith(raw)]
    with world.case("out: a key that the zone names proves the host"):
        for name in PROVEN:
            equal(until(40, f"a copy at {name}", lambda n=name: copies(n)), ["TLSv1.3"], name)
            lipap.wait_log(rf"event=delivered .*to=m@{name}\.signed.* proof=dane")
    with world.case("out: without usable records TLS is taken, from whoever is there"):
        for name in ENCRYPTED:
            equal(until(40, f"a copy at {name}", lambda n=name: copies(n)), ["TLSv1.3"], name)
            lipap.wait_log(rf"event=delivered .*to=m@{name}\.signed.* proof=none")
    with world.case("out: without records and without TLS, in the clear"):
        for name in IN_THE_CLEAR:
            equal(until(40, f"a copy at {name}", lambda n=name: copies(n)), [""], name)
    with world.case("out: nothing is sent where the key is another one, where TLS is not offered or fails, or the zone is bogus"):
        for name in KEPT:
            domain = "m@x.bogus" if name == "bogus" else f"m@{name}.signed"
            lipap.wait_log(rf"event=deferred .*to={re.escape(domain)}", 60)
        for name in KEPT[:-1]:
            equal(sinks[name].taken, [], name)
    if state["receiver"]:
        to_postfix(world, state, raw)
    with world.case("out: who looks at the queue is told why"):
        equal(lipap.stop(), 0, "exit status")
        shown = json.loads(world.run("ptt", "show", world.image, "--json"))
        waiting = {w["address"]: w["reply"] for m in shown["queue"] for w in m["waiting"]}
        postfix = {"m@pf-stale.signed", "m@pf.bogus"} if state["receiver"] else set()
        equal(set(waiting), {"m@x.bogus", *(f"m@{n}.signed" for n in KEPT[:-1])} | postfix, "waiting")
        for name in ("stale", "clear"):
            check("DANE" in waiting[f"m@{name}.signed"] and f"mx.{name}.signed" in waiting[f"m@{name}.signed"], f"{waiting}")
        state["lipap"] = world.start_lipap(state["options"], RESOLVER)
        state["lipap"].wait_log("event=key ")


def to_postfix(world, state, raw):
    lipap, copies = state["lipap"], state["receiver"].copies
    for name, records, proof in (("good", "its key", "dane"), ("missing", "no key", "none")):
        with world.case(f"out: to Postfix, whose zone has {records}"):
            lipap.wait_log(rf"event=delivered .*to=m@pf-{name}\.signed.* tls=TLSv1.3 proof={proof}")
            equal(until(10, "a copy", lambda n=name: copies(f"pf-{n}.signed", raw)), ["TLSv1.3"], "TLS")
    for domain, why in (("pf-stale.signed", "whose zone has another key"), ("pf.bogus", "whose zone does not validate")):
        with world.case(f"out: nothing to Postfix, {why}"):
            lipap.wait_log(rf"event=deferred .*to=m@{re.escape(domain)}", 60)
            equal(copies(domain, raw), [], "copies")


def finger(world, level):
    """Postfix's client with the resolver of the test: what posttls-finger says."""
    resolv = world.file("resolv.conf", f"nameserver {RESOLVER}\noptions edns0 trust-ad\n")
    os.chmod(resolv, 0o644)
    script = f"mount --bind {resolv} /etc/resolv.conf && exec posttls-finger -c -l {level} -L summary mx.mailingl.st"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, timeout=60)
    return (done.stdout + done.stderr).decode(errors="replace")


def receiving(world, state):
    with world.case("in: Postfix's client finds the key that our zone names (level dane-only)"):
        until(30, "TLSA records", lambda: world.query("_25._tcp.mx.mailingl.st", "TLSA"))
        said = finger(world, "dane-only")
        check("Verified TLS connection established" in said, said)
    with world.case("in: and refuses another one"):
        equal(state["lipap"].stop(), 0, "exit status")
        pem, key = make_pair(world, "foreign", "mx.mailingl.st")
        state["lipap"] = world.start_lipap(("--tls-cert", pem, "--tls-key", key), RESOLVER)
        said = finger(world, "dane-only")
        check("Verified TLS" not in said, said)


def run(world):
    for tool in ("unbound", "posttls-finger", "keymgr"):
        if not shutil.which(tool):
            raise Skip(f"needs {tool}")
    hashes, sinks = {}, {}
    for name, (address, kind, _) in HOSTS.items():
        pem, key = make_pair(world, name, f"mx.{name}.signed")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        with open(pem, encoding="ascii") as f:
            hashes[name] = key_hash(f.read())
        sinks[name] = TlsSink(address, kind, context)
        sinks[name].start()
    door, receiver = mta.Door(), start_receiver(world)
    files = {zone: world.file(f"{zone}.zone", text) for zone, text in (
        ("signed", zone_text(hashes, receiver)),
        ("bogus", f"@ 300 SOA ns1 h 1 3600 600 86400 5\n@ 300 NS ns1\nns1 300 A {DNS}\n"
                  f"x 300 MX 10 mx\nmx 300 A 127.0.0.38\npf 300 MX 10 mx.pf\nmx.pf 300 A {Receiver.places()[0]}\n"))}
    world.start_knot(signed=True, more_zones="".join(f'  - domain: {zone}\n    file: "{path}"\n'
                                                     for zone, path in files.items()))
    anchors = {zone: until(20, "DNSKEY", lambda z=zone: dnskey(world, z)) for zone in ("signed", "mailingl.st")}
    start_unbound(world, RESOLVER, {**anchors, "bogus": anchors["signed"]})
    state = {"sinks": sinks, "receiver": receiver, "options": (
        "--trusted-nameserver", f"udp:{RESOLVER}", "--dns-server", DNS, "--dns-key-file", world.file("lipap.key", world.list_tsig))}
    world.start_sink()
    world.create([AUTHOR, "m@x.bogus", *(f"m@{name}.signed" for name in HOSTS), *(f"m@{d}" for d in Receiver.more if receiver)])
    world.start_nec()
    state["lipap"] = world.start_lipap(state["options"], RESOLVER)
    sending(world, state)
    receiving(world, state)
    for sink in (*sinks.values(), door):
        sink.close()


if __name__ == "__main__":
    rig.main(run, ("lipap", "nec", "ptt"))
