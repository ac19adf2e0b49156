#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Random messages signed by blaze and verified by dkimpy and Mail::DKIM, and the other way round; and none of them once a
signed byte is changed. Usage: dkim.py BUILD_DIR [ROUNDS [SEED]]"""
import base64
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != HERE]  # or `import dkim` finds this file
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import dkim_cases as lib
from random_mail import DOMAIN, make_message, spoil

try:
    import dkim
except ImportError:
    dkim = None

CANONS = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"]
SEEDS = {"rsa": base64.b64encode(b"interop of DKIM, an RSA key").decode(),
         "ed25519": base64.b64encode(b"interop of DKIM, an Ed25519 key").decode()}


def perl_has(module):
    return subprocess.run(["perl", f"-M{module}", "-e", "1"], stderr=subprocess.DEVNULL).returncode == 0


def perl_knows_ed25519():
    """Whether this Mail::DKIM has the algorithm: Debian 12's has not, whatever else is installed."""
    ask = "exit !Mail::DKIM::Signature->get_algorithm_class('ed25519-sha256')"
    return subprocess.run(["perl", "-MMail::DKIM::Signature", "-e", ask], stderr=subprocess.DEVNULL).returncode == 0


class Mail_DKIM:
    """The Perl module in one process."""

    def __init__(self, zone_path):
        self.process = subprocess.Popen(["perl", os.path.join(HERE, "dkim_peer.pl"), zone_path], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ask(self, *words_of_line):
        self.process.stdin.write(" ".join(words_of_line) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder, self.zone = build, folder, {}
        self.raw = {}
        for algorithm, seed in SEEDS.items():
            done = lib.blaze(build, ["dkim", "gen", "-a", algorithm, "--seed", seed, "-r", self.path(algorithm + ".record"),
                                     self.path(algorithm + ".pub")])
            assert done.returncode == 0, done.stderr
            with open(self.path(algorithm + ".pem"), "wb") as out:
                out.write(done.stdout)
            self.zone[f"{algorithm}._domainkey.{DOMAIN}"] = open(self.path(algorithm + ".record")).read().strip()
            self.raw[algorithm] = done.stdout
        der = base64.b64decode(b"".join(self.raw["ed25519"].splitlines()[1:-1]))
        self.raw["ed25519"] = base64.b64encode(der[-32:])  # as dkimpy wants it
        with open(self.path("zone"), "w") as out:
            out.writelines(f"{name}\t{text}\n" for name, text in self.zone.items())
        self.perl = Mail_DKIM(self.path("zone"))
        self.perl_knows_ed25519 = perl_knows_ed25519()

    def path(self, name):
        return os.path.join(self.folder, name)

    def keep(self, name, data):
        with open(self.path(name), "wb") as out:
            out.write(data)
        return self.path(name)

    def blaze_sign(self, message, algorithm, canon, rng):
        key = rng.choice([["--seed", SEEDS[algorithm], "-a", algorithm], ["-p", self.path(algorithm + ".pem")]])
        done = lib.blaze(self.build, ["dkim", "sign", "-s", algorithm, "-h", DOMAIN, "-c", canon, "--newline", "crlf", *key],
                         message)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(message)
        assert all(len(line) <= 78 for line in done.stdout[:-len(message)].split(b"\r\n"))
        return done.stdout

    def blaze_verify(self, message):
        done = lib.blaze(self.build, ["dkim", "verify", "--newline", "crlf", "-v"], message, self.zone)
        return "pass" if done.returncode == 0 and done.stdout == f"[OK]: {DOMAIN}\n".encode() else done.stderr.decode()

    def dkimpy_verify(self, message):
        find = lambda name, timeout=5: self.zone.get(name.decode().rstrip("."), "").encode() or None
        return "pass" if dkim.verify(message, dnsfunc=find) else "fail"

    def dkimpy_sign(self, message, algorithm, canon):
        field = dkim.sign(message, algorithm.encode(), DOMAIN.encode(), self.raw[algorithm],
                          canonicalize=tuple(canon.encode().split(b"/")), signature_algorithm=f"{algorithm}-sha256".encode())
        return field + message

    def perl_verify(self, message):
        return self.perl.ask("verify", self.keep("message", message))

    def perl_sign(self, message, canon):
        path, out = self.keep("message", message), self.path("signed")
        answer = self.perl.ask("sign", path, "rsa-sha256", canon, "rsa", DOMAIN, self.path("rsa.pem"), out)
        assert answer == "signed", answer
        return open(out, "rb").read()


def judge(verify, message):
    """The verdict must be pass, and another once a byte is changed."""
    got = verify(message)
    if got != "pass":
        return f"verdict {got}"
    return "a changed message passes" if verify(spoil(message)) == "pass" else None


def one_round(report, bench, number, rng):
    message, canon = make_message(rng), rng.choice(CANONS)
    algorithm = rng.choice(["rsa", "rsa", "ed25519"])
    what = f"{number} {algorithm} {canon} {len(message)} bytes"
    signed = b""

    def sign_and_verify():
        nonlocal signed
        signed = bench.blaze_sign(message, algorithm, canon, rng)
        return judge(bench.blaze_verify, signed)

    report.case(f"blaze to blaze {what}", sign_and_verify)
    report.case(f"blaze to dkimpy {what}", lambda: judge(bench.dkimpy_verify, signed))
    if algorithm == "rsa" or bench.perl_knows_ed25519:
        report.case(f"blaze to Mail::DKIM {what}", lambda: judge(bench.perl_verify, signed))
    report.case(f"dkimpy to blaze {what}", lambda: judge(bench.blaze_verify, bench.dkimpy_sign(message, algorithm, canon)))
    report.case(f"Mail::DKIM to blaze {number} rsa {canon}", lambda: judge(bench.blaze_verify, bench.perl_sign(message, canon)))


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 6376
    if not dkim or not perl_has("Mail::DKIM"):
        print("skip interop of DKIM: python3-dkim or libmail-dkim-perl is missing")
        return 77
    report = lib.Report()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], folder)
        if not bench.perl_knows_ed25519:
            print("skip blaze to Mail::DKIM with Ed25519: this Mail::DKIM does not know it")
        for number in range(rounds):
            one_round(report, bench, number, random.Random(seed * 100003 + number))
        bench.perl.close()
    return report.status()


sys.exit(main())
