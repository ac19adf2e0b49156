#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Chains of one to three sets over random messages, each set sealed by blaze, our driver, dkimpy or Mail::DKIM. After each set
the chain must be right for us, dkimpy and Mail::DKIM; then it is damaged, and all must agree with what RFC 8617 says of
that damage. Usage: arc.py BUILD_DIR [ROUNDS [SEED]]"""
import os
import random
import re
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != HERE]  # or `import dkim` finds dkim.py
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import dkim_canon
import dkim_cases as lib
import dkim_peers as peers
from lend_authres import lend_authres
from random_mail import DOMAIN, make_message, spoil

dkim = peers.dkim
COVERED = "From:To:Subject:Date:Message-ID:DKIM-Signature"


class Driver:
    """Our engine in one process."""
    name = "ours"

    def __init__(self, keys):
        self.keys, self.pipe = keys, peers.Pipe(os.path.join(keys.build, "auth-arc_driver"))
        self.pipe.send(f"now {int(time.time())}")
        for name, text in keys.zone.items():
            self.pipe.send(f"key {name} {text}")

    def seal(self, message, who, algorithm="rsa"):
        with open(self.keys.pem(algorithm), "rb") as file:
            pem = file.read()
        self.pipe.send(f"sign {len(pem)}", pem)
        self.pipe.send(f"as {DOMAIN} {algorithm} {who} {COVERED}")
        self.pipe.send(f"seal {len(message)}", message)
        return self.pipe.sized() + message

    def verify(self, message):
        self.pipe.send(f"verify {len(message)}", message)
        return self.pipe.line().split("\t")[0].lower()

    def close(self):
        self.pipe.close()


class Blaze:
    """Seals alone: it verifies as the driver does."""
    name = "blaze"

    def __init__(self, keys):
        self.keys = keys

    def seal(self, message, who):
        done = lib.blaze(self.keys.build, ["arc", "sign", "-h", DOMAIN, "--seal-selector", "rsa", "--signature-selector", "rsa",
                                           "-p", self.keys.pem("rsa"), "--authserv-id", who, "--newline=crlf"],
                         message, self.keys.zone)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(message)
        return done.stdout


class Dkimpy:
    name = "dkimpy"

    def __init__(self, keys):
        self.keys = keys

    def seal(self, message, who):
        fields = dkim.arc_sign(message, b"rsa", DOMAIN.encode(), self.keys.raw["rsa"], who.encode())
        assert fields, "dkimpy adds nothing"
        return b"".join(field.rstrip() + b"\r\n" for field in fields) + message

    def verify(self, message):
        find = lambda name, timeout=5: self.keys.zone.get(name.decode().rstrip("."), "").encode() or None
        return (dkim.arc_verify(message, dnsfunc=find)[0] or b"nothing").decode()  # nothing of a chain that says fail


class Mail_DKIM:
    name = "Mail::DKIM"

    def __init__(self, keys):
        self.keys = keys
        self.pipe = peers.Pipe("perl", os.path.join(HERE, "dkim_peer.pl"), keys.path("zone"))

    def seal(self, message, who):
        self.pipe.send(f"seal {len(message)} rsa {DOMAIN} {self.keys.pem('rsa')} {who}", message)
        return self.pipe.sized() + message

    def verify(self, message):
        self.pipe.send(f"arc {len(message)}", message)
        return self.pipe.line()

    def close(self):
        self.pipe.close()


def fields_of(message, name):
    """Where the fields of that name are, from the top: the newest set first."""
    fields, _ = dkim_canon.split(message)
    return [i for i, field in enumerate(fields) if dkim_canon.name_of(field) == name.lower()]


def edit(message, index, change):
    fields, body = dkim_canon.split(message)
    return dkim_canon.join(fields[:index] + change(fields[index]) + fields[index + 1:], body)


def every(pattern, new):
    return lambda field: [re.sub(pattern, new, field, count=1)]


# name -> (change(message, a random set from the top), whether the chain stays right). A seal covers its set and all older
# ones; of the message signatures only the newest counts (5.2 step 4).
DAMAGES = {
    "a letter of To": (lambda m, n: spoil(m), False),
    "a letter of the body": (lambda m, n: m + b"x\r\n", False),
    "a field of nobody's": (lambda m, n: b"X-Passed-By: a relay\r\n" + m, True),
    "empty lines at the end": (lambda m, n: m + b"\r\n\r\n", True),
    "a seal removed": (lambda m, n: edit(m, fields_of(m, b"ARC-Seal")[n], lambda field: []), False),
    "results removed": (lambda m, n: edit(m, fields_of(m, b"ARC-Authentication-Results")[n], lambda field: []), False),
    "results changed": (lambda m, n: edit(m, fields_of(m, b"ARC-Authentication-Results")[n], every(rb"dkim=pass", b"dkim=fail")),
                        False),
    "a seal twice": (lambda m, n: edit(m, fields_of(m, b"ARC-Seal")[n], lambda field: [field, field]), False),
    "a seal that says fail": (lambda m, n: edit(m, fields_of(m, b"ARC-Seal")[0], every(rb"cv=\w+", b"cv=fail")), False),
    "another number": (lambda m, n: edit(m, fields_of(m, b"ARC-Seal")[n], every(rb"\bi=\d+", b"i=9")), False),
    "a message signature changed": (
        lambda m, n: edit(m, fields_of(m, b"ARC-Message-Signature")[n], every(rb"\bt=(\d)", rb"t=9\1")), False),
    "spaces in a seal": (lambda m, n: edit(m, fields_of(m, b"ARC-Seal")[n], every(rb"; ?", b";  \t")), True),
    "the case of a name": (lambda m, n: edit(m, fields_of(m, b"ARC-Seal")[n], every(rb"^ARC-Seal", b"Arc-seal")), True),
}

class Bench:
    def __init__(self, report, keys):
        self.report, self.verifiers = report, [Driver(keys), Dkimpy(keys), Mail_DKIM(keys)]
        self.sealers = [*self.verifiers, Blaze(keys)]

    def agree(self, label, message, wanted):
        def run():
            wrong = []
            for peer in self.verifiers:
                got = peer.verify(message)
                if (got == "pass") != (wanted == "pass"):
                    wrong.append(f"{peer.name} says {got}, expected {wanted}")
            return "; ".join(wrong)
        self.report.case(f"arc {label}", run)

    def round(self, number, rng):
        message = make_message(rng)
        by = []
        for instance in range(1, rng.randint(1, 3) + 1):
            who = f"mx{instance}.example.org"  # results of one id that differ would make the chain fail
            status = "none" if instance == 1 else "pass"
            message = f"Authentication-Results: {who}; arc={status};\r\n dkim=pass header.d={DOMAIN}\r\n".encode() + message
            sealer = rng.choice(self.sealers)
            message = sealer.seal(message, who)
            by.append(sealer.name)
            self.agree(f"{number} by {' '.join(by)}, {len(message)} bytes", message, "pass")
        names = list(DAMAGES)
        for turn in range(3):
            name = names[(3 * number + turn) % len(names)]
            change, stays = DAMAGES[name]
            self.agree(f"{number} by {' '.join(by)}, {name}", change(message, rng.randrange(len(by))),
                       "pass" if stays else "fail")

    def close(self):
        for peer in self.verifiers:
            if hasattr(peer, "close"):
                peer.close()


def ed25519(driver):
    """Nobody else here seals so: ours for ours, with a set of RSA before and behind."""
    message = make_message(random.Random(8463))
    for who, algorithm, status in (("a", "rsa", "none"), ("b", "ed25519", "pass"), ("c", "rsa", "pass")):
        message = driver.seal(f"Authentication-Results: {who}; arc={status}\r\n".encode() + message, who, algorithm)
        if driver.verify(message) != "pass" or driver.verify(spoil(message)) == "pass":
            return f"{algorithm}: {driver.verify(message)}, changed {driver.verify(spoil(message))}"
    return None


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 120
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 8617
    for kind in (peers.Dkimpy, peers.Mail_DKIM):
        if kind.missing():
            print(f"skip interop of ARC: {kind.missing()} is missing")
            return 77
    lend_authres(dkim)
    report = lib.Report()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(report, peers.Keys(sys.argv[1], folder))
        for number in range(rounds):
            bench.round(number, random.Random(seed * 100003 + number))
        report.case("arc with Ed25519", lambda: ed25519(bench.verifiers[0]))
        bench.close()
    return report.status()


sys.exit(main())
