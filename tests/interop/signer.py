#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What nec signs and seals, with keys that it keeps in a real zone, in the eyes of others: dkimpy, Mail::DKIM (RSA),
OpenDKIM (RSA) and mailauth (tests/lib/mailauth.py). Usage: signer.py BUILD_DIR"""
import os
import random
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != HERE]  # or `import dkim` finds dkim.py
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "system")]
try:
    import dkim
except ImportError:
    dkim = None
import mailauth as judge
from lend_authres import lend_authres
from random_mail import make_message
from lib import rig, verify
from lib.mail import fields
from lib.rig import DNS, NEC, SINK, Skip, check, equal
from lib.smtp import Smtp

AUTHOR, TICKET = "joe@mailingl.st", "_signed.interop@mailingl.st"
RESULTS = "Authentication-Results: mailingl.st; arc={};\r\n dkim=pass header.d=mailingl.st\r\n"
MESSAGES, SEED = 40, 6376


class Bench:
    """nec in front of a sink, and those who look at what comes out."""

    def __init__(self, world, mailauth):
        self.world, self.count = world, 0
        self.sink = world.start_sink()
        world.start_knot()
        nec = world.start_nec(destination=SINK)
        for kind in ("ed25519", "arc"):
            nec.wait_log(rf"event=ready\b.*{kind}", 60)
        self.zone = self.read_zone()
        self.zone_path = world.file("zone", "".join(f"{name}\t{text}\n" for name, text in self.zone.items()))
        self.mailauth = judge.Mailauth(mailauth, self.zone_path) if mailauth else None
        self.smtp = Smtp(NEC)
        self.smtp.command("EHLO interop.test")

    def read_zone(self):
        epoch = re.search(r"e=(\d+)", self.world.query("_ptt._domainkey.mailingl.st", "TXT")[0]).group(1)
        names = [f"{head}-{epoch}._domainkey.mailingl.st" for head in ("dkim", "dkim-ed25519", "arc")]
        return {name: self.world.query(name, "TXT")[0] for name in names}

    def close(self):
        self.smtp.close()
        if self.mailauth:
            self.mailauth.close()

    def sign(self, message):
        said = self.smtp.post("", [TICKET], message, " BODY=8BITMIME")
        equal(said[:3], "250", f"reply {said}")
        return self.sink.taken()[-1].bytes()

    def keep(self, message):
        self.count += 1
        path = os.path.join(self.world.folder, f"message-{self.count}.eml")
        with open(path, "wb") as out:
            out.write(message)
        return path

    def txt(self, name, timeout=5):
        return self.zone.get(name.decode().rstrip("."), "").encode() or None

    # Each gives whether the message passes, by one kind of signature where there are two.

    def dkimpy(self, message, number):
        return dkim.DKIM(message).verify(idx=number, dnsfunc=self.txt)

    def dkimpy_arc(self, message):
        status, _, reason = dkim.arc_verify(message, dnsfunc=self.txt)
        return status == b"pass", reason


def is_strict(message):
    """OpenDKIM refuses a message in which a field stands twice that may stand once, of which the random ones have these."""
    names = [name for name, _ in fields(message)]
    return names.count("cc") <= 1 and names.count("references") <= 1


def opendkim(path):
    with open(path, "rb") as message:
        done = subprocess.run(["opendkim-testmsg"], stdin=message, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def spoilt(message):
    """The same with another letter at the end of its From field, which every signature covers."""
    return re.sub(rb"(?mi)^(From:.*)joe@", rb"\1jod@", message, count=1)


def author_of_ours(message):
    return message.replace(b"@example.com>", b"@mailingl.st>", 1)


def signatures(world, bench):
    rng = random.Random(SEED)
    messages = [bench.sign(author_of_ours(make_message(rng))) for _ in range(MESSAGES)]
    paths = [bench.keep(m) for m in messages] + [bench.keep(spoilt(m)) for m in messages]
    names = {0: "RSA", 1: "Ed25519"}
    for number, name in names.items():
        with world.case(f"dkimpy accepts what is signed by {name}, and nothing that is changed"):
            for m in messages:
                check(bench.dkimpy(m, number), f"refused: {m[:4000]!r}")
                check(not bench.dkimpy(spoilt(m), number), "a changed message passes")
    with world.case("Mail::DKIM accepts the signature by RSA, and nothing that is changed"):
        said = verify.mail_dkim(paths)
        for path in paths[:MESSAGES]:
            check("mailingl.st=pass" in said[path].split(), f"{path}: {said[path]}")
        for path in paths[MESSAGES:]:
            check("mailingl.st=pass" not in said[path].split(), "a changed message passes")
    with world.case("OpenDKIM accepts the signature by RSA, and nothing that is changed"):
        if not shutil.which("opendkim-testmsg") or os.environ.get("PTT_OWN_MOUNTS") != "1":
            print("skip OpenDKIM: opendkim-testmsg is not installed, or /etc/resolv.conf cannot be lent to it")
            return paths
        resolv = world.file("resolv.conf", f"nameserver {DNS}\n")
        os.chmod(resolv, 0o644)
        subprocess.run(["mount", "--bind", resolv, "/etc/resolv.conf"], check=True, stdin=subprocess.DEVNULL)
        strict = [number for number in range(MESSAGES) if is_strict(messages[number])]
        check(len(strict) > MESSAGES / 2, "hardly a message is fit for it")
        for number in strict:
            good, said = opendkim(paths[number])
            check(good, f"{paths[number]}: {said}")
            check(not opendkim(paths[MESSAGES + number])[0], "a changed message passes")
    return paths


def mailauth_signatures(world, bench, paths):
    with world.case("mailauth accepts both signatures, and none on what is changed"):
        for path in paths[:MESSAGES]:
            equal(bench.mailauth.ask(path)["dkim"], [["rsa-sha256", "pass"], ["ed25519-sha256", "pass"]], path)
        for path in paths[MESSAGES:]:
            results = [result for _, result in bench.mailauth.ask(path)["dkim"]]
            check("pass" not in results, f"a changed message passes: {results}")


def next_list(message, hop):
    """What a list does between two signers: the results before are no longer ours, there are new ones, and it breaks the
    signatures of those before it by its Subject."""
    message = message.replace(b"Authentication-Results: mailingl.st;", b"X-Results: old;").replace(
        b"ARC-X-Results: old;", b"ARC-Authentication-Results: mailingl.st;")
    message = re.sub(rb"(?m)^Subject:", b"Subject: [%d]" % hop, message, count=1)
    return RESULTS.format("pass" if hop > 1 else "none").encode() + message


def chain(bench, rng, hops):
    message = make_message(rng)
    for hop in range(1, hops + 1):
        message = next_list(message, hop)
        if hop == hops:  # the last list rewrites its author
            message = message.replace(b"<joe@example.com>", b"<joe@mailingl.st>", 1)
        message = bench.sign(message)
    return message


def chains(world, bench):
    rng = random.Random(SEED)
    for hops in (1, 2, 5):
        messages = [chain(bench, rng, hops) for _ in range(4)]
        with world.case(f"a chain of {hops}: each set is there, and says pass behind the first"):
            for message in messages:
                seals = [value for name, value in fields(message) if name == "arc-seal"]
                equal(len(seals), hops, "sets")
                for seal in seals:
                    first = re.search(r"\bi=1;", seal) is not None
                    check(("cv=none" if first else "cv=pass") in seal, seal)
        with world.case(f"a chain of {hops}: dkimpy accepts it, and none that is changed"):
            for message in messages:
                good, reason = bench.dkimpy_arc(message)
                check(good, f"{reason}: {message[:6000]!r}")
                check(not bench.dkimpy_arc(spoilt(message))[0], "a changed message passes")
        if bench.mailauth:
            with world.case(f"a chain of {hops}: mailauth accepts it, and none that is changed"):
                for message in messages:
                    equal(bench.mailauth.ask(bench.keep(message))["arc"], "pass", "its verdict")
                    check(bench.mailauth.ask(bench.keep(spoilt(message)))["arc"] != "pass", "a changed message passes")


def run(world):
    lend_authres(dkim)
    mailauth = os.environ.get("PTT_MAILAUTH")
    bench = Bench(world, mailauth)
    paths = signatures(world, bench)
    if mailauth:
        mailauth_signatures(world, bench, paths)
    else:
        print(f"skip {judge.MISSING}")
    chains(world, bench)
    bench.close()


if os.environ.get("PTT_OWN_NETWORK") != "1" and len(sys.argv) == 2 and dkim:
    os.environ["PTT_MAILAUTH"] = judge.fetch(os.path.abspath(sys.argv[1])) or ""
rig.main(run, ["nec"])
