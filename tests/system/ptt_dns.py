#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""ptt dns: what it prints is a zone that a real server takes and that --check finds right, with a real nec's keys; and
each thing that can be missing or wrong is named."""
import base64
import re
import subprocess

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from lib import rig
from lib.rig import DNS, check, equal

IPV4, IPV6, EPOCH = "192.0.2.25", "2001:db8::25", 1775138006
SOA = "@ 300 SOA ns1 hostmaster 1 3600 600 86400 5\n@ 300 NS ns1\nns1 300 A 127.0.0.1\n"
ONE, TWO = (base64.b64encode(rsa.generate_private_key(65537, 2048).public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode() for _ in range(2))
EDWARDS = base64.b64encode(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(
    serialization.Encoding.Raw, serialization.PublicFormat.Raw)).decode()


def txt(text):
    """As strings of a zone file, none above 255 octets."""
    return "TXT " + " ".join(f'"{text[at:at + 200]}"' for at in range(0, len(text), 200))


# A domain where all is right: {(owner, type): [rdata]}; the host is mx.
GOOD = {
    ("", "MX"): ["MX 10 mx"],
    ("mx", "A"): [f"A {IPV4}"],
    ("mx", "AAAA"): [f"AAAA {IPV6}"],
    ("", "SPF"): [txt(f"v=spf1 ip4:{IPV4} ip6:{IPV6} -all")],
    ("mx", "SPF"): [txt(f"v=spf1 ip4:{IPV4} ip6:{IPV6} -all")],
    ("_dmarc", "TXT"): [txt("v=DMARC1; p=quarantine")],
    ("_ptt._domainkey", "TXT"): [txt(f"v=PTT1; e={EPOCH}; id=0011223344556677")],
    (f"dkim-{EPOCH}._domainkey", "TXT"): [txt(f"v=DKIM1; k=rsa; p={ONE}")],
    (f"dkim-ed25519-{EPOCH}._domainkey", "TXT"): [txt(f"v=DKIM1; k=ed25519; p={EDWARDS}")],
    (f"arc-{EPOCH}._domainkey", "TXT"): [txt(f"v=DKIM1; k=rsa; p={TWO}")],
    ("_25._tcp.mx", "TLSA"): ["TLSA 3 1 1 " + "ab" * 32],
}
POINTER, DKIM, EDKEY, ARC = [key for key in GOOD if "_domainkey" in key[0]]
# (name, {record: its value instead, [] for none}, what is said; "" for nothing bad, exit status)
CASES = [
    ("all", {}, r"^ok \S+ TLSA", 0),
    ("no-mx", {("", "MX"): []}, r"^missing  \S+ MX: no host", 1),
    ("mx-elsewhere", {("", "MX"): ["MX 10 other.example."]}, r"^wrong .* MX: points elsewhere, to other\.example", 1),
    ("null-mx", {("", "MX"): ["MX 0 ."]}, r"^wrong .* MX: a null MX", 1),
    ("two-mx", {("", "MX"): ["MX 10 mx", "MX 20 other.example."]}, r"^advice .* MX: .*other\.example", 0),
    ("no-a", {("mx", "A"): []}, r"^missing .*mx\.\S+ A: no address", 1),
    ("a-wrong", {("mx", "A"): ["A 192.0.2.26"]}, r"^wrong .* A: another address: 192\.0\.2\.26", 1),
    ("a-two", {("mx", "A"): [f"A {IPV4}", "A 192.0.2.26"]}, r"^advice .* A: another address too: 192\.0\.2\.26", 0),
    ("no-aaaa", {("mx", "AAAA"): []}, r"^missing .* AAAA: no address", 1),
    ("ptr", {}, r"^wrong \S+\.arpa PTR: another name: mx\.", 1),
    ("no-spf", {("", "SPF"): []}, r"^missing .* TXT: no SPF record", 1),
    ("spf-other", {("", "SPF"): [txt("v=spf1 ip4:192.0.2.1 -all")]}, r"^wrong .* TXT: SPF: fail for 192\.0\.2\.25", 1),
    ("spf-soft", {("", "SPF"): [txt("v=spf1 ~all")]}, r"^wrong .* SPF: softfail for", 1),
    ("spf-twice", {("", "SPF"): [txt("v=spf1 a -all"), txt("v=spf1 mx -all")]}, r"^wrong .* SPF: permerror for", 1),
    ("spf-syntax", {("", "SPF"): [txt("v=spf1 ip4:192.0.2.256 -all")]}, r"^wrong .* SPF: permerror .*192\.0\.2\.256", 1),
    ("spf-all", {("", "SPF"): [txt("v=spf1 +all")]}, r"^wrong .* SPF: lets anyone", 1),
    ("spf-host", {("mx", "SPF"): []}, r"^advice .*mx\.\S+ TXT: no SPF record; bounces", 0),
    ("no-dmarc", {("_dmarc", "TXT"): []}, r"^missing .* TXT: no DMARC record$", 1),
    ("dmarc-text", {("_dmarc", "TXT"): [txt("hello")]}, r"^missing .* no DMARC record, but other text", 1),
    ("dmarc-more", {("_dmarc", "TXT"): [txt("hello"), txt("v=DMARC1; p=reject")]}, r"^ok .* DMARC: policy reject", 0),
    ("dmarc-twice", {("_dmarc", "TXT"): [txt("v=DMARC1; p=none"), txt("v=DMARC1; p=reject")]}, r"^wrong .* several", 1),
    ("dmarc-policy", {("_dmarc", "TXT"): [txt("v=DMARC1; p=rejct")]}, r"^wrong .* no valid p=", 1),
    ("no-pointer", {POINTER: []}, r"^missing .*_ptt\._domainkey\S+ TXT: nec has published no key", 1),
    ("pointer-text", {POINTER: [txt("hello")]}, r"^wrong .*_ptt\S+ TXT: not a pointer of nec", 1),
    ("pointer-twice", {POINTER: GOOD[POINTER] + [txt("hello")]}, r"^wrong .*_ptt\S+ TXT: several records", 1),
    ("no-dkim", {DKIM: []}, r"^missing .*dkim-\d+\S+ TXT: DKIM, RSA", 1),
    ("dkim-revoked", {DKIM: [txt("v=DKIM1; k=rsa; p=")]}, r"^wrong .*dkim-\d+\S+ TXT: DKIM, RSA .*revoked", 1),
    ("dkim-twice", {DKIM: GOOD[DKIM] + GOOD[ARC]}, r"^wrong .*dkim-\d+\S+ TXT: several records", 1),
    ("dkim-kind", {DKIM: GOOD[EDKEY]}, r"^wrong .*dkim-\d+\S+ TXT: DKIM, RSA a key of another kind", 1),
    ("no-edwards", {EDKEY: []}, r"^advice .*dkim-ed25519-\d+", 0),
    ("no-arc", {ARC: []}, r"^missing .*arc-\d+\S+ TXT: ARC", 1),
    ("next", {POINTER: [txt(f"v=PTT1; e={EPOCH}; n={EPOCH + 5}; id=0011223344556677")]},
     rf"^advice .*dkim-{EPOCH + 5}\S+ TXT: DKIM, RSA", 0),
    ("no-tlsa", {("_25._tcp.mx", "TLSA"): []}, r"^advice .* TLSA: none", 0),
    ("tlsa-other", {("_25._tcp.mx", "TLSA"): ["TLSA 2 0 1 " + "ab" * 32]}, r"^wrong .* TLSA: no record 3 1 1", 1),
]


def zone_of_cases():
    lines = [SOA, "alias.test. 300 MX 10 mx.alias\nmx.alias 300 CNAME mx.all\n"]
    for name, changes, _, _ in CASES:
        for (owner, _), values in {**GOOD, **changes}.items():
            for value in values:
                value = re.sub(r"^(MX \d+) mx$", rf"\1 mx.{name}", value)
                lines.append(f"{owner}.{name}".lstrip(".") + f" 300 {value}\n")
    return "".join(lines)


def ptt(world, *arguments):
    done = subprocess.run([world.program("ptt"), "dns", *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def plan(domain, ipv6=True):
    return ["--domain", domain, "--hostname", f"mx.{domain}", "--ipv4", IPV4, *(["--ipv6", IPV6] if ipv6 else [])]


def live(world, domain, *more, ipv6=True):
    return ptt(world, *plan(domain, ipv6), "--check", "-n", f"tcp:{DNS}", *more)


def lines_said(said):
    return [line for line in said.split("\n") if line]


def printed_zone(world):
    """What is printed, sorted into the zones of knot."""
    status, said, err = ptt(world, *plan("mailingl.st"))
    equal((status, err), (0, ""), "ptt dns")
    zones = {"mailingl.st": SOA, "2.0.192.in-addr.arpa": SOA, "8.b.d.0.1.0.0.2.ip6.arpa": SOA}
    for line in said.split("\n"):
        if line and not line.startswith(";"):
            zones[next(z for z in zones if line.split()[0].endswith(z + "."))] += line + "\n"
    return zones


def one_case(world, name, pattern, wanted):
    status, said, err = live(world, name + ".test")
    lines = lines_said(said)
    check(any(re.search(pattern.replace(" ", " +", 1), line) for line in lines), f"{pattern} is not in {said}")
    equal((status, err), (wanted, ""), f"exit status and errors of {said}")
    bad = [line for line in lines if re.match(r"missing|wrong|unknown", line)]
    equal(bool(bad), wanted == 1, f"status against what is said in {said}")
    check(all(re.search(pattern.replace(" ", " +", 1), line) or "2001:db8" in line for line in bad),
          f"more is called bad than is: {said}")


def run(world):
    zones = printed_zone(world)
    for zone in list(zones)[1:]:
        owner = zones[zone].split("\n")[-2].split()[0]
        zones[zone] += "".join(f"{owner} 3600 IN PTR mx.{name}.test.\n" for name, _, _, _ in CASES if name != "ptr")
        world.file(zone + ".zone", zones[zone])
    world.start_knot(zone=zones["mailingl.st"], test_zone=zone_of_cases(), more_zones="".join(
        f"  - domain: {zone}\n    file: {world.folder}/{zone}.zone\n" for zone in list(zones)[1:]))
    with world.case("what is printed is right, but for what nec and lipap write"):
        status, said, _ = live(world, "mailingl.st")
        bad = [line for line in lines_said(said) if not line.startswith("ok ")]
        equal((status, [line.split()[:3] for line in bad]),
              (1, [["missing", "_ptt._domainkey.mailingl.st", "TXT:"], ["advice", "_25._tcp.mx.mailingl.st", "TLSA:"]]),
              "missing")
        equal(len([line for line in lines_said(said) if " PTR: mx.mailingl.st" in line]), 2, "PTR")
    world.start_nec()
    with world.case("with nec, nothing is missing"):
        status, said, err = live(world, "mailingl.st")
        bad = [line for line in lines_said(said) if re.match(r"(missing|wrong|unknown) ", line)]
        equal((bad, err), ([], ""), said)
        check(re.search(r"^ok +dkim-\d+\._domainkey\.mailingl\.st TXT: DKIM, RSA$", said, re.M), said)
    for name, _, pattern, status in CASES:
        with world.case(f"case {name}"):
            one_case(world, name, pattern, status)
    with world.case("an MX that is an alias"):
        status, said, _ = live(world, "alias.test")
        check(status == 1 and "wrong    mx.alias.test A: an MX must not name an alias" in said, said)
    with world.case("an IPv6 address that was not named"):
        status, said, _ = live(world, "all.test", ipv6=False)
        check(re.search(r"^advice +mx\.all\.test AAAA: .* 2001:db8::25$", said, re.M), said)
    with world.case("no answer is not missing"):
        status, said, _ = ptt(world, *plan("all.test"), "--check", "-n", "tcp:127.0.0.99")
        check(status == 1 and "missing" not in said and said.startswith("unknown  all.test MX:"), said)
    with world.case("other selectors"):
        status, said, _ = live(world, "all.test", "--selector", "k%d", "--arc-selector", "a%d")
        check(status == 1 and f"missing  k{EPOCH}._domainkey.all.test TXT: DKIM, RSA" in said, said)
        check(f"advice   ked25519-{EPOCH}._domainkey" in said and f"missing  a{EPOCH}._domainkey" in said, said)


rig.main(run, ["ptt", "nec"])
