#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What `blaze dmarc` does on its command line: the field it writes for each verdict, where it finds the client, and the
results it collects. Usage: blaze_dmarc.py BUILD_DIR"""
import base64
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dkim_cases as lib

SEED = base64.b64encode(b"0123456789abcdef").decode()
MESSAGE = b"From: a@example.org\nSubject: hi\n\nHello\n"
SPF = "example.org: domain of a@example.org designates 192.0.2.1 as permitted sender"
CLIENT = ["--ip", "192.0.2.1", "--sender", "a@example.org", "--helo", "mx.example.org"]


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        sign = ["dkim", "gen", "-a", "ed25519", "--seed", SEED, "-r", "-", os.path.join(folder, "pub.pem")]
        self.key = lib.blaze(build, sign).stdout.decode().strip()
        self.zone = {
            "example.org": "v=spf1 ip4:192.0.2.1 -all",
            "_dmarc.example.org": "v=DMARC1; p=reject; sp=quarantine",
            "s1._domainkey.example.org": self.key,
            "s1._domainkey.other.example": self.key,
            "other.example": "v=spf1 ip4:192.0.2.1 -all",
        }

    def sign(self, domain, message=MESSAGE):
        return lib.blaze(self.build, ["dkim", "sign", "-s", "s1", "-h", domain, "--seed", SEED, "-a", "ed25519"], message).stdout

    def blaze(self, arguments, message=b"", zone=None):
        done = lib.blaze(self.build, ["dmarc", *arguments], message, self.zone if zone is None else zone)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def verify(self, message, *arguments, zone=None):
        """The results in the field, unfolded; a list that tells what is wrong when the rest is not as it was."""
        status, out, err = self.blaze(["verify", "--hostname", "us.example", *arguments], message, zone)
        front = out[:-len(message)].replace("\n ", " ").rstrip("\n")
        if status or err or not out.endswith(message.decode()) or not front.startswith("Authentication-Results: us.example; "):
            return [status, out, err]
        return front.partition("; ")[2].split("; ")


def differ(got, want):
    return None if got == want else f"{got}, expected {want}"


def complaint(text):
    return f"blaze: {text}.\n"


def usage(b):
    cases = [
        (["verify", "--ip", "192.0.2"], "Not an IP address: 192.0.2"),
        (["verify", "--hostname", ""], "This host has no name: give one by --hostname"),
        (["verify", "--newline", "cr"], "--newline is lf or crlf, not cr"),
        (["verify", "a", "b"], "Unexpected argument: b"),
        (["collect", "/no/such"], "/no/such: No such file or directory"),
        (["frob"], "Unknown command: dmarc frob"),
    ]
    for arguments, text in cases:
        got = b.blaze(arguments, MESSAGE)
        if got != (124, "", complaint(text)):
            return f"{arguments}: {got}"
    for verb in ("verify", "collect"):
        status, out, err = b.blaze([verb, "--help"])
        if status or err or not out.startswith(f"blaze dmarc {verb}"):
            return f"{verb} --help: {status} {err}"


SPF_PASS = f"spf=pass ({SPF.replace('example.org: ', 'us.example: ', 1)}) smtp.mailfrom=@example.org"
PASS = "dmarc=pass (p=REJECT sp=QUARANTINE) header.from=example.org"
FAIL = PASS.replace("pass", "fail")


def verdicts(b):
    signed, foreign = b.sign("example.org"), b.sign("other.example")
    forged = [*CLIENT[:3], "a@other.example", *CLIENT[4:]]
    several = b"From: a@example.org, b@other.example\n\nHello\n"
    below = MESSAGE.replace(b"@example", b"@x.example")
    signature = signed.split(b"b=")[-1]
    start = "".join(signature.split(b"\nFrom")[0].decode().split())[:8]
    value = f'"{start}"' if "/" in start or "=" in start else start  # what needs quotes by RFC 2045
    key = f"dkim=pass header.i=@example.org header.s=s1 header.b={value}"
    checks = [
        ("SPF alone", b.verify(MESSAGE, *CLIENT), [SPF_PASS, "dkim=none", PASS]),
        ("DKIM alone", b.verify(signed), [key, PASS]),
        ("changed", b.verify(signed.replace(b"Hello", b"Hallo"))[1], FAIL),
        ("signed by another", b.verify(foreign)[1], FAIL),
        ("SPF of another", b.verify(MESSAGE, *forged)[2], FAIL),
        ("no policy", b.verify(MESSAGE.replace(b"example.org", b"other.example"))[1],
         "dmarc=none (other.example: no DMARC record for this domain or those above it) header.from=other.example"),
        ("a name below", b.verify(below, *CLIENT)[2], PASS.replace("from=", "from=x.")),
        ("several authors", b.verify(several)[1], "dmarc=permerror (the From field has addresses of several domains)"),
        ("no author", b.verify(b"Subject: x\n\n")[1], "dmarc=permerror (the message has no author in a From field)"),
    ]
    for name, got, want in checks:
        if got != want:
            return f"{name}: {got}, expected {want}"


def client_in_the_message(b):
    """Gmail's Received-SPF has the address alone, others have all; options win."""
    gmail = b"Return-Path: <a@example.org>\nReceived-SPF: pass (google.com: x) client-ip=192.0.2.1;\n" + MESSAGE
    others = b'Received-SPF: pass (x) envelope-from="a@example.org"; client-ip=192.0.2.1\n' + MESSAGE
    helo = b"Received-SPF: pass client-ip=192.0.2.1; helo=example.org\n" + MESSAGE
    broken = b"Received-SPF: maybe client-ip=192.0.2.1; helo=example.org\n" + MESSAGE
    return (differ(b.verify(gmail)[0], SPF_PASS)
            or differ(b.verify(others)[0], SPF_PASS)
            or differ(b.verify(helo)[0], SPF_PASS.replace("a@", "").replace("mailfrom=@", "helo="))
            or differ(b.verify(broken)[0], "dkim=none")
            or differ(b.verify(MESSAGE)[0], "dkim=none")
            or differ(b.verify(others, "--ip", "192.0.2.2")[0].split(" ")[0], "spf=fail")
            or differ(b.verify(others, "--sender", "<>", "--helo", "other.example")[0].split(" ")[-1], "smtp.helo=other.example"))


def line_ends(b):
    message = MESSAGE.replace(b"\n", b"\r\n")
    status, out, err = b.blaze(["verify", "--newline=crlf", "--hostname", "us.example"], message)
    if status or err or not out.endswith(message.decode()) or "\n" in out.replace("\r\n", ""):
        return f"{status} {out!r} {err}"


def no_server(b):
    """A resolver that does not answer is no verdict, and no failure."""
    environment = {name: value for name, value in os.environ.items() if name != "BLAZE_DNS_STATIC"}
    run = [lib.program(b.build), "dmarc", "verify", "-v", "--hostname", "us.example", "-n", "tcp:127.0.0.1:1", *CLIENT]
    done = subprocess.run(run, input=MESSAGE, capture_output=True, timeout=60, env=environment)
    text = done.stdout.decode().replace("\n ", " ")
    reason = "_dmarc.example.org: DNS gave no answer about this name"
    if done.returncode or f"dmarc=temperror ({reason}) header.from=example.org" not in text or "spf=temperror" not in text:
        return f"{done}"
    return differ(done.stderr.decode(), f"temperror: {reason}\n")


def collected(b):
    fields = (b"Authentication-Results: mx.example 1; spf=pass (why) smtp.mailfrom=a@b;\n"
              b' dkim=fail reason="bad \\"key\\"" header.d=b header.b="a\x1b/c"\n'
              b"Authentication-Results: mx.microsoft.com 1; dmarc=pass action=none header.from=b;compauth=pass reason=100\n"
              b"Authentication-Results: other.example; none\n")
    lines = ['mx.example: spf=pass smtp.mailfrom=a@b', 'mx.example: dkim=fail reason="bad "key"" header.d=b header.b=a?/c',
             "mx.microsoft.com: dmarc=pass action=none header.from=b", 'mx.microsoft.com: compauth=pass reason="100"',
             "other.example: none", ""]
    malformed = b"Authentication-Results: x; spf=\n" + fields + MESSAGE
    return (differ(b.blaze(["collect"], fields + MESSAGE), (0, "\n".join(lines), ""))
            or differ(b.blaze(["collect"], malformed),
                      (124, "malformed\n" + "\n".join(lines), complaint("Malformed Authentication-Results field")))
            or differ(b.blaze(["collect"], MESSAGE), (124, "", complaint("No Authentication-Results field"))))


def what_is_written_is_collected(b):
    done = b.blaze(["verify", "--hostname", "us.example", *CLIENT], MESSAGE)
    wanted = ["us.example: spf=pass smtp.mailfrom=@example.org", "us.example: dkim=none",
              "us.example: dmarc=pass header.from=example.org", ""]
    return differ(b.blaze(["collect"], done[1].encode()), (0, "\n".join(wanted), ""))


def main():
    report = lib.Report()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], folder)
        for part in (usage, verdicts, client_in_the_message, line_ends, no_server, collected, what_is_written_is_collected):
            report.case("blaze dmarc: " + part.__name__, lambda: part(bench))
    return report.status()


sys.exit(main())
