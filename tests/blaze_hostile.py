#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Hostile messages through blaze: a verdict each, or a refusal that says why; and little more memory than a good message
takes. Bounds on work are in auth/evaluate_hostile_test.c. Usage: blaze_hostile.py BUILD_DIR"""
import base64
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dkim_cases as lib

GOOD = b"From: a@a.example\nTo: b@example.org\nSubject: hi\n\nHello\n"
CLIENT = ["--ip", "192.0.2.1", "--sender", "a@a.example", "--helo", "mx.a.example", "--hostname", "us.example"]
SEED = base64.b64encode(b"0123456789abcdef").decode()
MEMORY_KB = 8192  # that a hostile message may cost above a good one: its header, its answers and their index
EMPTY_BODY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def signature(tags):
    return f"DKIM-Signature: v=1; a=ed25519-sha256; d=a.example; s=s; b=eA==; bh={EMPTY_BODY}; {tags}\n".encode()


def sets(count):
    text = ""
    for i in range(count, 0, -1):
        text += (f"ARC-Seal: i={i}; cv={'none' if i == 1 else 'pass'}; a=ed25519-sha256; d=a.example; s=s; b=eA==\n"
                 f"ARC-Message-Signature: i={i}; a=ed25519-sha256; d=a.example; s=s; h=from; b=eA==; bh={EMPTY_BODY}\n"
                 f"ARC-Authentication-Results: i={i}; us.example; arc=none\n")
    return text.encode()


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        done = lib.blaze(build, ["dkim", "gen", "-a", "ed25519", "--seed", SEED, "-r", "-", os.path.join(folder, "pub.pem")])
        self.key = done.stdout.decode().strip()
        self.signed = lib.blaze(build, ["dkim", "sign", "-s", "s", "-h", "a.example", "--seed", SEED, "-a", "ed25519"], GOOD).stdout
        self.usual_kb = self.run(["dmarc", "verify", *CLIENT], self.signed, {})[3]

    def run(self, arguments, message, zone):
        """(status, output, errors, kilobytes of memory)"""
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            lib.write_zone(folder, zone)
            path = os.path.join(self.folder, "message")
            with open(path, "wb") as file:
                file.write(message)
            process = subprocess.Popen([lib.program(self.build), *arguments, path], stdout=out, stderr=err,
                                       env=dict(os.environ, BLAZE_DNS_STATIC=folder))
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            return process.returncode, out.read().decode("latin-1"), err.read().decode("latin-1"), usage.ru_maxrss

    def verify(self, message, zone, wanted):
        """Each wanted text is in the results that `blaze dmarc verify` writes, or is its complaint."""
        status, out, err, memory_kb = self.run(["dmarc", "verify", *CLIENT], message, zone)
        text = " ".join((out[:max(0, len(out) - len(message))] + err).replace("\n", " ").split())
        lacking = [one for one in wanted if one not in text]
        if status != (124 if err else 0) or lacking:
            return f"status {status}, without {lacking}: {text[:600]} {err[:300]}"
        if memory_kb > self.usual_kb + MEMORY_KB:
            return f"{memory_kb} KB of memory, {self.usual_kb} KB for a good message"
        return None


def cases(b):
    key = {"s._domainkey.a.example": b.key, "_dmarc.a.example": "v=DMARC1; p=reject"}
    too_large = ["The header of the message is too long"]
    yield "a good message", b.signed, key, ["dkim=pass", "dmarc=pass"]
    yield "10,000 signatures", b"DKIM-Signature: x\n" * 10000 + b.signed, key, too_large
    yield "900 signatures", b"DKIM-Signature: x\n" * 900 + b.signed, key, ["dkim=permerror", "dmarc=fail"]
    yield "1 MB of h=", signature("h=from" + ":a" * (1 << 19)) + GOOD, key, too_large
    yield "200 KB of h=", signature("h=from" + ":a" * 100000) + GOOD, key, ["dkim=permerror", "dmarc=fail"]
    yield "a key record of 60 KB", b.signed, {**key, "s._domainkey.a.example": "v=DKIM1; k=rsa; p=" + "A" * 60000}, [
        "dkim=permerror", "dmarc=fail"]
    yield "notes of 60 KB beside a key", b.signed, {**key, "s._domainkey.a.example": f"{b.key}; n=" + "n" * 60000}, [
        "dkim=pass", "dmarc=pass"]
    yield "an include of itself", GOOD, {"a.example": "v=spf1 include:a.example -all"}, ["spf=permerror"]
    yield "a redirect to itself", GOOD, {"a.example": "v=spf1 redirect=a.example"}, ["spf=permerror"]
    yield "a growing include", GOOD, {"a.example": "v=spf1 include:%{d}.a.example -all"}, ["spf=permerror"]
    yield "100 authors of one domain", b"From: " + b",\n ".join([b"a@a.example"] * 100) + b"\n\n", key, ["dmarc=fail"]
    yield "100 authors of 100 domains", b"From: " + b",\n ".join(b"a@d%d.example" % i for i in range(100)) + b"\n\n", key, [
        "dmarc=permerror"]
    yield "100 From fields", b"From: a@a.example\n" * 100 + b"\n", key, ["dmarc=permerror"]
    yield "NUL in From", b.signed.replace(b"From: a@", b"From: a\0@"), key, ["dkim=fail", "dmarc=permerror"]
    yield "NUL in a signature", b.signed.replace(b"d=a.", b"d=a\0."), key, ["dkim=permerror", "dmarc=fail"]
    yield "NUL in the body", b.signed.replace(b"Hello", b"He\0lo"), key, ["dkim=fail", "dmarc=fail"]
    yield "NUL behind the body", b.signed + b"\0", key, ["dkim=fail", "dmarc=fail"]
    yield "comments 1,000 deep", b"From: a@a.example " + b"(" * 1000 + b")" * 1000 + b"\n\n", key, ["dmarc=fail"]
    yield "comments without an end", b"From: a@a.example " + b"(" * 1000 + b"\n\n", key, ["dmarc=permerror"]
    yield "ARC sets 1 to 50", sets(50) + GOOD, key, ["arc=fail", "dmarc=fail"]
    yield "ARC sets 1 to 60", sets(60) + GOOD, key, ["arc=fail", "dmarc=fail"]


def main():
    report = lib.Report()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], folder)
        for name, message, zone, wanted in cases(bench):
            report.case(f"hostile: {name}", lambda: bench.verify(message, zone, wanted))
    return report.status()


sys.exit(main())
