#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Who may post: lipap against forged authors, forged moderators and forged results, with a DNS that fails.

Each author domain has one way to be proven, or none. Mail comes from POSTER, which the records know, and from STRANGER,
which none of them does."""
import base64
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import threading
import time

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
from lend_authres import lend_authres
from lib import rig, verify
from lib.mail import LIST, fields, message, tags
from lib.rig import DNS, LIPAP, POSTER, STRANGER, TEST_ZONE, check, equal, until
from lib.smtp import Smtp, post

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RECORD = "v=DKIM1; k=rsa; p=" + base64.b64encode(KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()
PEM = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                        serialization.NoEncryption())
KEY_TEXT = f'"{RECORD[:200]}" "{RECORD[200:]}"'
ALLOW, DENY = '"v=spf1 ip4:127.0.0.66 -all"', '"v=spf1 -all"'

# name: (SPF, a key, DMARC)
DOMAINS = {
    "spf": (ALLOW, False, '"v=DMARC1; p=reject"'),     # proven by SPF alone
    "signed": (None, True, '"v=DMARC1; p=reject"'),    # by DKIM alone
    "both": (ALLOW, True, None),                       # by either, without a policy
    "bare": (None, False, None),                       # by nothing
    "denied": (DENY, False, None),
    "later": (ALLOW, False, None),                     # first asked about while the resolver is dead
    "lax": (DENY, True, '"v=DMARC1; p=none"'),
}
MEMBERS = [f"ann@{name}.test" for name in DOMAINS] + ["reader@sub1.test"]
SLOW = "127.0.0.9"  # a name server that takes its time


def zone():
    lines = [TEST_ZONE.replace("86400 5\n", "86400 300\n")]  # what is remembered outlasts the script, on a slow machine too
    for name, (spf, has_key, policy) in DOMAINS.items():
        lines.append(f"{name} 300 MX 10 mx.sink")
        if spf:
            lines.append(f"{name} 300 TXT {spf}")
        if has_key:
            lines.append(f"s._domainkey.{name} 300 TXT {KEY_TEXT}")
        if policy:
            lines.append(f"_dmarc.{name} 300 TXT {policy}")
    return "\n".join(lines) + "\n"


def sign(raw, domain):
    """By dkimpy, as an author's server would."""
    return dkim.sign(raw, b"s", domain.encode(), PEM, canonicalize=(b"relaxed", b"relaxed"),
                     include_headers=[b"from", b"to", b"subject", b"date", b"message-id"]) + raw


def swaks(world, sender, to, raw, source):
    """The answer to the final dot, or the first refusal, as swaks heard it."""
    path = world.file("swaks.eml", "")
    with open(path, "wb") as f:
        f.write(raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    done = subprocess.run(["swaks", "--server", LIPAP, "--local-interface", source, "--helo", "mail.elsewhere.test",
                           "--from", sender, "--to", to, "--data", "@" + path, "--no-data-fixup", "--timeout", "20"],
                          capture_output=True, text=True, timeout=30)
    said = [line for line in done.stdout.splitlines() if re.match(r"<(-|~|\*)[ *]+ ?\d\d\d", line)]
    words = [re.sub(r"^<\S+ +", "", line) for line in said]
    end = next((i for i, w in enumerate(words) if w.startswith("354")), None)
    answers = words[end + 1:] if end is not None else [w for w in words if w[0] in "45"]
    return "\n".join(w for w in answers if not w.startswith("221"))


class SlowDns:
    """Hands queries on to knot and its answers back, each `delay` seconds after it was asked; None: never."""

    def __init__(self, delay):
        self.delay = delay
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((SLOW, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            if self.delay is not None:
                threading.Thread(target=self.answer, args=(query, client), daemon=True).start()

    def answer(self, query, client):
        time.sleep(self.delay)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(query, (DNS, 53))
            answer = s.recv(65535)
        self.socket.sendto(answer, client)

def refused(said, code, *words):
    check(said.startswith(code), f"answer {said!r}, not {code}")
    for word in words:
        check(word in said, f"{word!r} is not in {said!r}")


def forged_authors(world):
    with world.case("forged From, p=reject: 550 5.7.26 with rule, check, domain and record"):
        said = swaks(world, "eve@both.test", LIST, message(sender="ann@spf.test"), STRANGER)
        refused(said, "550-5.7.26 ", "posting: subscribers", "ann@spf.test", "DMARC fail",
                "_dmarc.spf.test says v=DMARC1; p=reject", "SPF fail of MAIL FROM @both.test")
    with world.case("forged From and envelope: the author's own SPF record says no"):
        said = swaks(world, "ann@spf.test", LIST, message(sender="ann@spf.test"), STRANGER)
        refused(said, "550-5.7.26 ", "SPF fail of MAIL FROM @spf.test", "-all")
    with world.case("a member in the envelope, a stranger as author"):
        refused(post(LIPAP, "ann@spf.test", [LIST], message(sender="eve@spf.test"), POSTER), "550 5.7.1 ",
                "posting: subscribers", "eve@spf.test is no subscriber")
    with world.case("a signature over another body, of another domain, or of another author"):
        raw = sign(message(sender="ann@signed.test"), "signed.test")
        for wrong in (raw.replace(b"Hello list", b"Hello List"), raw.replace(b"From: Author", b"From: Autor"),
                      sign(message(sender="ann@signed.test"), "both.test")):
            refused(post(LIPAP, "eve@both.test", [LIST], wrong, POSTER), "550 5.7.26 ", "DMARC fail", "DKIM ")
    for rule, name in (("announce", "news"), ("moderated", "held")):
        with world.case(f"forged moderator, posting: {rule}"):
            to = f"{name}@mailingl.st"
            forged = message(sender="mod@signed.test", to=to)
            for sender, source in (("mod@signed.test", STRANGER), ("mod@signed.test", POSTER), ("ann@spf.test", POSTER)):
                refused(swaks(world, sender, to, forged, source), "550-5.7.26 ", f"posting: {rule}", "mod@signed.test")
            said = post(LIPAP, "ann@spf.test", [to], message(sender="ann@spf.test", to=to), POSTER)
            if rule == "moderated":
                check(said.startswith("250 ") and "moderators decide" in said, f"a proven member: {said}")
            else:
                refused(said, "550 5.7.1 ", "ann@spf.test is no moderator")
            equal(swaks(world, "x@elsewhere.test", to, sign(forged, "signed.test"), STRANGER)[:3], "250", "the true one")
    with world.case("p=none is no permission"):
        refused(post(LIPAP, "ann@lax.test", [LIST], message(sender="ann@lax.test"), POSTER), "550 5.7.26 ", "p=none")
    with world.case("several From fields, or none, or authors of several domains"):
        raw = message(sender="ann@spf.test")
        for wrong, code in ((b"From: eve@both.test\r\n" + raw, "5.6.0"), (raw + b"", None),
                            (raw.replace(b"From:", b"X-From:"), "5.6.0"),
                            (raw.replace(b"From: Author <ann@spf.test>", b"From: ann@spf.test, eve@both.test"), "5.7.1")):
            said = post(LIPAP, "ann@spf.test", [LIST], wrong, POSTER)
            check(said[:3] == "250" if code is None else said[0] == "5" and said[4:].startswith(code), said)
    with world.case("the null sender posts to no list, and reaches postmaster"):
        raw = message(sender="ann@signed.test")
        equal(post(LIPAP, "", [LIST], sign(raw, "signed.test"), POSTER)[:9], "550 5.7.1", "to the list")
        equal(post(LIPAP, "", ["postmaster@mailingl.st"], raw, STRANGER)[:3], "250", "to postmaster")


def proven_authors(world):
    cases = (("by SPF alone", "ann@spf.test", "ann@spf.test", None, POSTER),
             ("by SPF alone, no policy", "ann@both.test", "ann@both.test", None, POSTER),
             ("by DKIM alone, p=reject, from a stranger's address", "x@elsewhere.test", "ann@signed.test", "signed.test",
              STRANGER),
             ("by DKIM alone, no policy", "bounce@elsewhere.test", "ann@both.test", "both.test", STRANGER),
             ("by DKIM, p=none", "x@elsewhere.test", "ann@lax.test", "lax.test", STRANGER),
             ("in another case", "ANN@SPF.TEST", "Ann@SPF.test", None, POSTER))
    for name, sender, author, signer, source in cases:
        with world.case(f"an author proven {name}"):
            raw = message(sender=author)
            equal(swaks(world, sender, LIST, sign(raw, signer) if signer else raw, source)[:3], "250", "answer")


def without_policy(world):
    with world.case("no policy: SPF of another domain proves nothing"):
        refused(post(LIPAP, "ann@spf.test", [LIST], message(sender="ann@bare.test"), POSTER), "550 5.7.1 ",
                "bare.test: no DMARC record", "exactly this domain", "SPF pass of MAIL FROM @spf.test")
    with world.case("no policy: a signature of another domain proves nothing"):
        raw = sign(message(sender="ann@bare.test"), "signed.test")
        refused(post(LIPAP, "ann@bare.test", [LIST], raw, POSTER), "550 5.7.1 ", "DKIM pass of d=signed.test")
    with world.case("no policy, no SPF, no signature"):
        refused(post(LIPAP, "ann@bare.test", [LIST], message(sender="ann@bare.test"), POSTER), "550 5.7.1 ",
                "SPF none", "DKIM none: the message has no signature")
    with world.case("no policy, and SPF alone says no: 5.7.23"):
        refused(post(LIPAP, "ann@denied.test", [LIST], message(sender="ann@denied.test"), POSTER), "550 5.7.23 ",
                "denied.test: the SPF record forbids this client")
    with world.case("no policy, and DKIM alone says no: 5.7.20"):
        raw = sign(message(sender="ann@both.test"), "both.test").replace(b"Hello", b"Hallo")
        refused(post(LIPAP, "x@elsewhere.test", [LIST], raw, STRANGER), "550 5.7.20 ", "both.test", "body was changed")
    with world.case("an open list takes whoever is proven, and nobody else"):
        to = "open@mailingl.st"
        equal(post(LIPAP, "who@spf.test", [to], message(sender="who@spf.test", to=to), POSTER)[:3], "250", "proven")
        refused(post(LIPAP, "who@bare.test", [to], message(sender="who@bare.test", to=to), POSTER), "550 5.7.1 ",
                "posting: open")


def results(world, sink):
    forged = ("Authentication-Results: mailingl.st; dmarc=pass header.from=evil.test\r\n"
              "Authentication-Results:\r\n (first) \"MAILINGL.ST\" 1;\r\n spf=pass smtp.mailfrom=evil.test\r\n"
              "Authentication-Results: mailingl.st garbage\r\n"
              "Authentication-Results: relay.example; spf=fail smtp.mailfrom=example.org\r\n")
    with world.case("forged results are gone from the copy, ours are there, and the signature holds"):
        before = len(sink.taken())
        raw = sign(message(b"Results\r\n", sender="ann@spf.test", number=4711), "both.test")
        head, body = raw.split(b"\r\n\r\n", 1)
        said = post(LIPAP, "ann@spf.test", [LIST], forged.encode() + head + b"\r\n" + forged.encode() + b"\r\n" + body, POSTER)
        equal(said[:3], "250", "answer")
        copies = until(30, "it is delivered", lambda: [
            c for c in sink.taken()[before:] if c.bytes().endswith(b"\r\n\r\nResults\r\n")])
        values = [value for name, value in fields(copies[0].bytes()) if name == "authentication-results"]
        equal(values[1:], ["relay.example; spf=fail smtp.mailfrom=example.org"] * 2, "fields of others")
        for part in ("mailingl.st; spf=pass (mailingl.st: domain of ann@spf.test designates 127.0.0.66",
                     "smtp.mailfrom=@spf.test", "dkim=pass header.i=@both.test header.s=s header.b=",
                     "dmarc=pass (p=REJECT sp=REJECT) header.from=spf.test", "arc=none"):
            check(part in values[0], f"{part!r} is not in {values[0]!r}")
        names = [name for name, _ in fields(copies[0].bytes())]
        ours = names.index("authentication-results")
        check(names[ours - 1] == "received" and names.index("from") > ours, f"order of fields: {names}")
        verify.all_agree(world, copies[:1])
    with world.case("what fails is told in the results of mail that is taken anyway"):
        before = len(sink.taken())
        equal(post(LIPAP, "eve@denied.test", ["postmaster@mailingl.st"],
                   message(b"To postmaster\r\n", sender="ann@spf.test"), STRANGER)[:3], "250", "answer")
        copy = until(30, "it is delivered", lambda: [
            c for c in sink.taken()[before:] if c.bytes().endswith(b"To postmaster\r\n")])[0]
        value = dict(reversed(fields(copy.bytes())))["authentication-results"]
        for part in ("spf=fail", "dkim=none", "dmarc=fail (p=REJECT sp=REJECT) header.from=spf.test"):
            check(part in value, f"{part!r} is not in {value!r}")
    with world.case("the log has the results of what was taken and of what was refused"):
        log = world.lipap.log()
        for pattern in (r"event=accepted .* author=ann@spf\.test spf=pass dkim=pass dmarc=pass arc=none forged-results=6",
                        r"event=refused .* author=ann@denied\.test spf=fail dkim=none dmarc=none arc=none"):
            check(re.search(pattern, log), f"no line like {pattern}")


def to_moderators(world, sink):
    owner = "news-owner@mailingl.st"

    def forwarded(raw, sender):
        before = len(sink.taken())
        equal(post(LIPAP, sender, [owner], raw, POSTER)[:3], "250", "answer")
        copy = until(30, "it is delivered", lambda: [
            c for c in sink.taken()[before:] if c.bytes().endswith(b"\r\n\r\nTo the moderators\r\n")])[0]
        verify.all_agree(world, [copy])
        return copy, dict(fields(copy.bytes()))

    with world.case("to NAME-owner, proven by SPF alone, p=reject: From is rewritten, or their servers would refuse it"):
        raw = message(b"To the moderators\r\n", sender="ann@spf.test", to=owner)
        _copy, got = forwarded(raw, "ann@spf.test")
        equal(got["from"], f'"Author via news-owner" <{owner}>', "From")
        equal({got["author"], got["reply-to"]}, {dict(fields(raw))["from"]}, "Author and Reply-To")
        check("list-id" not in got and "sender" not in got, f"fields of a list: {got}")
    with world.case("to NAME-owner, signed, p=reject: it goes on as it came, and its signature holds"):
        raw = sign(message(b"To the moderators\r\n", sender="ann@signed.test", to=owner), "signed.test")
        copy, _got = forwarded(raw, "x@elsewhere.test")
        check(copy.bytes().endswith(raw), "it was changed")
        check(dkim.verify(raw, dnsfunc=lambda name, timeout=5: world.query(name.decode(), "TXT")[0].encode()), "signature")


def chunked(world, sink):
    raw = sign(message(b".\r\n..\r\nIn chunks\r\n" + b"z" * 900 + b"\r\n", sender="ann@signed.test"), "signed.test")
    split = raw.index(b"\r\n\r\n") + 1  # between a CR and its LF
    with Smtp(LIPAP, source=STRANGER) as s:
        def begin(sender="ann@signed.test"):
            for line in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{LIST}>"):
                equal(s.command(line)[:3], "250", line)

        with world.case("CHUNKING is offered; a post in chunks is proven and delivered as any other"):
            check("CHUNKING" in s.command("EHLO poster.test").split("\n"), "not offered")
            before = len(sink.taken())
            begin()
            equal([a[:3] for a in s.chunks(raw[:1], raw[1:split], b"", raw[split:-500], raw[-500:])], ["250"] * 5, "answers")
            copies = until(30, "it is delivered", lambda: [c for c in sink.taken()[before:] if c.bytes().endswith(raw)])
            verify.all_agree(world, copies[:1])
        with world.case("a forged author in chunks: refused at the last one"):
            begin("eve@elsewhere.test")
            forged = message(sender="ann@spf.test")
            refused(s.chunks(forged[:30], forged[30:])[-1], "550 5.7.26 ", "posting: subscribers", "DMARC fail")
        with world.case("DATA between chunks, and chunks without a recipient, are refused, and no octet is a command"):
            begin()
            s.send(b"BDAT 30\r\n" + raw[:30])
            equal(s.answer()[:3], "250", "a chunk")
            equal(s.command("DATA")[:3], "503", "DATA")
            equal(s.command("RSET")[:3], "250", "RSET")
            refused(s.chunks(b"RSET\r\n" * 3, b"")[0], "503 5.5.1")
            equal(s.command("NOOP")[:3], "250", "NOOP")
        with world.case("a bare LF in a chunk ends the session"):
            begin()
            check(s.chunks(raw[:split + 3], b"one\ntwo\r\n")[-1][0] == "5", "taken")
            check(b"250" not in s.closed(), "it went on")


def seal(world, raw, results):
    """A set by blaze, as a forwarder at signed.test would add it; the results stand above the message."""
    key = world.file("arc.pem", PEM.decode())
    return world.run("blaze", "arc", "sign", "-h", "signed.test", "--seal-selector", "s", "--signature-selector", "s", "-p", key,
                     "--authserv-id", "signed.test", "--newline=crlf", stdin=f"Authentication-Results: signed.test; {results}"
                     "\r\n".encode() + raw)


def first(raw, name):
    return next(value for n, value in fields(raw) if n == name)


def chains(world, sink):
    """What lipap found becomes the newest set of nec, for subscribers to rely on."""
    plain = message(b"In a chain\r\n", sender="ann@spf.test")
    sealed = seal(world, plain, "spf=pass smtp.mailfrom=spf.test")
    lend_authres(dkim)
    cases = (("no chain", plain, "none", 1, "none"), ("a good chain", sealed, "pass", 2, "pass"),
             ("a chain that broke on its way", sealed.replace(b"In a chain", b"In no chain"), "fail", 2, "fail"))
    for name, raw, found, instance, cv in cases:
        with world.case(f"{name}: the copy is sealed cv={cv}, with lipap's own results"):
            before = len(sink.taken())
            equal(post(LIPAP, "ann@spf.test", [LIST], raw, POSTER)[:3], "250", "answer")
            copy = until(30, "it is delivered", lambda: [
                c for c in sink.taken()[before:] if c.bytes().endswith(raw)])[0].bytes()
            results = first(copy, "authentication-results")
            for part in ("mailingl.st; ", "spf=pass", "dkim=none", "dmarc=pass", f"arc={found}"):
                check(part in results, f"{part!r} is not in {results!r}")
            equal("".join(first(copy, "arc-authentication-results").split()), "".join(f"i={instance}; {results}".split()), "AAR")
            newest = tags(first(copy, "arc-seal"))
            equal((newest["i"], newest["cv"], newest["d"]), (str(instance), cv, "mailingl.st"), "seal")
            said = dkim.arc_verify(copy, dnsfunc=lambda name, timeout=5: "".join(world.query(name.decode(), "TXT") or []).encode())
            # what says cv=fail has ended: dkimpy then gives neither word, and looks no further
            equal((said[0], said[1][0]["ams-valid"]), (None if cv == "fail" else b"pass", True), f"dkimpy: {said}")
            world.run("blaze", "arc", "verify", "-n", f"udp:{DNS}", "--newline", "crlf", "-", stdin=copy,
                      status=124 if cv == "fail" else 0)


def dead_resolver(world):
    raw = message(sender="ann@denied.test")
    with world.case("a dead resolver: 451"):
        world.knot.stop()
        said = post(LIPAP, "ann@later.test", [LIST], message(sender="ann@later.test"), POSTER)
        refused(said, "451 4.7.", "posting: subscribers", "try again later", "DNS gave no answer")
    with world.case("what is known is still answered, and postmaster takes mail"):
        equal(post(LIPAP, "ann@denied.test", [LIST], raw, POSTER)[:10], "550 5.7.23", "remembered")
        equal(post(LIPAP, "x@never.test", ["abuse@mailingl.st"], message(sender="x@never.test"), POSTER)[:3], "250",
              "to abuse")
    with world.case("it is back: the same message is taken"):
        world.start_knot(test_zone=zone())
        equal(post(LIPAP, "ann@later.test", [LIST], message(sender="ann@later.test"), POSTER)[:3], "250", "answer")


def slow_resolver(world):
    world.lipap.stop()
    slow = SlowDns(3)
    world.lipap = world.start_lipap(nameserver=SLOW)
    with world.case("a resolver that answers after 3 seconds: taken, and another session is served meanwhile"):
        began = time.monotonic()
        with Smtp(LIPAP, source=POSTER) as s, Smtp(LIPAP, source=POSTER) as other:
            s.command("EHLO poster.spf.test")
            for line in ("MAIL FROM:<ann@spf.test>", f"RCPT TO:<{LIST}>", "DATA"):
                s.command(line)
            s.send(message(sender="ann@spf.test") + b".\r\n")
            for _ in range(20):
                equal(other.command("NOOP")[:3], "250", "the other session")
            check(not select.select([s.socket], [], [], 0)[0], "the other session had to wait for this one's answer")
            equal(s.answer()[:3], "250", "answer")
        check(2.5 < time.monotonic() - began < 20, f"after {time.monotonic() - began:.1f} s")
    slow.delay = None
    with world.case("a resolver that never answers: 451 within the bound"):
        began = time.monotonic()
        said = post(LIPAP, "ann@later.test", [LIST], message(sender="ann@later.test"), POSTER)
        refused(said, "451 4.7.", "try again later")
        check(time.monotonic() - began < 35, f"after {time.monotonic() - began:.1f} s")


def run(world):
    if not shutil.which("swaks"):
        raise rig.Skip("needs swaks")
    world.start_knot(test_zone=zone())
    sink = world.start_sink()
    world.create(MEMBERS, settings=("--from", "keep"))  # so that a copy ends with what its author sent
    world.create(MEMBERS, name="open", settings=("--posting", "open"))
    for name, rule in (("news", "announce"), ("held", "moderated")):
        world.create(MEMBERS, name=name, settings=("--posting", rule, "--moderator", "mod@signed.test"))
    world.lipap = world.start_lipap()
    world.start_nec()
    forged_authors(world)
    proven_authors(world)
    to_moderators(world, sink)
    chunked(world, sink)
    chains(world, sink)
    without_policy(world)
    results(world, sink)
    dead_resolver(world)
    slow_resolver(world)


rig.main(run, ["nec", "lipap", "ptt", "blaze"])
