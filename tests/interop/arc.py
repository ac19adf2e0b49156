#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Chains of one to four sets over random messages, each set sealed by blaze or dkimpy; the chain must be right for blaze,
dkimpy and Mail::DKIM after each, and wrong for all once a covered byte is changed. Usage: arc.py BUILD_DIR [ROUNDS [SEED]]"""
import base64
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != HERE]  # or `import dkim` finds dkim.py
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import dkim_cases as lib
from lend_authres import lend_authres
from random_mail import DOMAIN, make_message, spoil

try:
    import dkim
except ImportError:
    dkim = None

SEED = base64.b64encode(b"interop of ARC, an RSA key").decode()
ED25519_SEED = base64.b64encode(b"interop of ARC, an Ed25519 key").decode()


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder, self.zone = build, folder, {}
        for algorithm, seed in (("rsa", SEED), ("ed25519", ED25519_SEED)):
            done = lib.blaze(build, ["dkim", "gen", "-a", algorithm, "--seed", seed, "-r", self.path("record")])
            assert done.returncode == 0, done.stderr
            self.zone[f"{algorithm}._domainkey.{DOMAIN}"] = open(self.path("record")).read().strip()
            if algorithm == "rsa":
                self.pem = done.stdout
        with open(self.path("zone"), "w") as out:
            out.writelines(f"{name}\t{text}\n" for name, text in self.zone.items())
        self.perl = subprocess.Popen(["perl", os.path.join(HERE, "dkim_peer.pl"), self.path("zone")], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.folder, name)

    def close(self):
        self.perl.stdin.close()
        self.perl.wait(timeout=20)

    def blaze_seal(self, message, who, algorithm="rsa"):
        seed = SEED if algorithm == "rsa" else ED25519_SEED
        done = lib.blaze(self.build, ["arc", "sign", "-h", DOMAIN, "--seal-selector", algorithm, "--signature-selector",
                                      algorithm, "--seed", seed, "-a", algorithm, "--authserv-id", who, "--newline=crlf"],
                         message, self.zone)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(message)
        return done.stdout

    def dkimpy_seal(self, message, who):
        fields = dkim.arc_sign(message, b"rsa", DOMAIN.encode(), self.pem, who.encode())
        assert fields, "dkimpy adds nothing"
        return b"".join(field.rstrip() + b"\r\n" for field in fields) + message

    def blaze_verify(self, message):
        done = lib.blaze(self.build, ["arc", "verify", "-v", "--newline=crlf"], message, self.zone)
        return "pass" if done.returncode == 0 and b":" in done.stdout else done.stderr.decode()

    def dkimpy_verify(self, message):
        find = lambda name, timeout=5: self.zone.get(name.decode().rstrip("."), "").encode() or None
        status, _, reason = dkim.arc_verify(message, dnsfunc=find)
        return "pass" if status == b"pass" else str(reason)

    def perl_verify(self, message):
        with open(self.path("message"), "wb") as out:
            out.write(message)
        self.perl.stdin.write(f"arc {self.path('message')}\n")
        self.perl.stdin.flush()
        return self.perl.stdout.readline().strip()


def judge(verify, message):
    got = verify(message)
    if got != "pass":
        return f"verdict {got}"
    return "a changed message passes" if verify(spoil(message)) == "pass" else None


def drop_a_seal(message):
    """The chain without its oldest seal."""
    fields = list(re.finditer(rb"^ARC-Seal:.*?\r\n(?![ \t])", message, re.M | re.S | re.I))
    return message[:fields[-1].start()] + message[fields[-1].end():]


def one_round(report, bench, number, rng):
    message = make_message(rng)
    for instance in range(1, rng.randint(1, 4) + 1):
        who = f"mx{instance}.example.org"  # results of one id that differ would make the chain fail
        status = "none" if instance == 1 else "pass"
        message = f"Authentication-Results: {who}; arc={status};\r\n dkim=pass header.d={DOMAIN}\r\n".encode() + message
        sealer = rng.choice([bench.blaze_seal, bench.blaze_seal, bench.dkimpy_seal])
        message = sealer(message, who)
        what = f"{number}, set {instance} by {sealer.__name__.split('_')[0]}, {len(message)} bytes"
        report.case(f"arc for blaze {what}", lambda: judge(bench.blaze_verify, message))
        report.case(f"arc for dkimpy {what}", lambda: judge(bench.dkimpy_verify, message))
        report.case(f"arc for Mail::DKIM {what}", lambda: judge(bench.perl_verify, message))
    broken = drop_a_seal(message)
    report.case(f"arc without a seal {number}", lambda: "a broken chain passes" if "pass" in (
        bench.blaze_verify(broken), bench.dkimpy_verify(broken), bench.perl_verify(broken)) else None)


def ed25519(bench):
    """Nobody else here seals so: blaze for blaze, with a set of RSA before and behind."""
    rng = random.Random(8463)
    message = make_message(rng)
    for who, algorithm, status in (("a", "rsa", "none"), ("b", "ed25519", "pass"), ("c", "rsa", "pass")):
        front = f"Authentication-Results: {who}; arc={status}\r\n".encode()
        message = bench.blaze_seal(front + message, who, algorithm)
        wrong = judge(bench.blaze_verify, message)
        if wrong:
            return f"{algorithm}: {wrong}"
    return None


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 8617
    perl = subprocess.run(["perl", "-MMail::DKIM::ARC::Verifier", "-e", "1"], stderr=subprocess.DEVNULL)
    if not dkim or perl.returncode != 0:
        print("skip interop of ARC: python3-dkim or libmail-dkim-perl is missing")
        return 77
    lend_authres(dkim)
    report = lib.Report()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], folder)
        for number in range(rounds):
            rng = random.Random(seed * 100003 + number)
            report.case(f"arc round {number}", lambda: one_round(report, bench, number, rng))
        report.case("arc with Ed25519", lambda: ed25519(bench))
        bench.close()
    return report.status()


sys.exit(main())
