#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What `blaze arc` does on its command line: the chain it prints, the sets it adds, refusals. Usage: blaze_arc.py BUILD_DIR"""
import base64
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dkim_cases as lib

SEED = base64.b64encode(b"0123456789abcdef").decode()
MESSAGE = b"From: Ann <ann@example.com>\nTo: b@example.org\nSubject: hi\n\nHello\n"
GOOD, BAD = "-\u2713->", "-\U0001f7a9->"


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder, self.zone = build, folder, {}
        self.record = lib.blaze(build, ["dkim", "gen", "-a", "ed25519", "--seed", SEED, "-r", "-"]).stdout.decode().strip()

    def path(self, name):
        return os.path.join(self.folder, name)

    def blaze(self, arguments, message=b"", zone=None):
        done = lib.blaze(self.build, ["arc", *arguments], message, self.zone if zone is None else zone)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def options(self, domain):
        self.zone[f"a._domainkey.{domain}"] = self.zone[f"m._domainkey.{domain}"] = self.record
        return ["sign", "-h", domain, "--seal-selector", "a", "--signature-selector", "m", "--seed", SEED, "-a", "ed25519"]

    def seal(self, message, domain, results="dkim=pass header.d=example.com", *more):
        front = f"Authentication-Results: {domain}; {results}\n".encode() if results else b""
        status, out, err = self.blaze([*self.options(domain), *more], front + message)
        if status or err:
            raise AssertionError(err)
        return out.encode()

    def verify(self, message, *more, zone=None):
        return self.blaze(["verify", *more], message, zone)


def differ(got, want):
    return None if got == want else f"{got}, expected {want}"


def complaint(text):
    return f"blaze: {text}.\n"


INVALID = complaint("Invalid ARC chain")


def chains(b):
    one = b.seal(MESSAGE, "lists.example")
    two = b.seal(one, "mx.example")
    return (differ(b.verify(MESSAGE), (0, "ann@example.com\n", ""))
            or differ(b.verify(one), (0, f"ann@example.com {GOOD} 01:lists.example\n", ""))
            or differ(b.verify(two), (0, f"ann@example.com {GOOD} 01:lists.example {GOOD} 02:mx.example\n", ""))
            or differ(b.verify(two, "-q"), (0, "", ""))
            or differ(b.verify(b"Subject: x\n\n"), (0, "(no address)\n", ""))
            or differ(b.verify(b""), (0, "(no address)\n", "")))


def failures(b):
    two = b.seal(b.seal(MESSAGE, "lists.example"), "mx.example")
    changed = two.replace(b"Hello", b"Hallo")
    mark = lambda first, second: f"ann@example.com {first} 01:lists.example {second} 02:mx.example\n"
    lost = {name: text for name, text in b.zone.items() if name != "a._domainkey.lists.example"}
    gone = two.replace(b"ARC-Seal", b"X-Seal", 1)
    return (differ(b.verify(changed), (124, mark(GOOD, BAD), INVALID))
            or differ(b.verify(changed, "-q"), (124, "", INVALID))
            or differ(b.verify(changed, "-v"), (124, mark(GOOD, BAD), "set 2, ARC-Message-Signature of mx.example: "
                      "the body was changed after signing (bh=)\n" + INVALID))
            or differ(b.verify(two, "-v", zone=lost), (124, mark(BAD, GOOD), "set 1, ARC-Seal of lists.example: there is no key "
                      "record (TXT) in DNS: a._domainkey.lists.example\n" + INVALID))
            or differ(b.verify(gone, "-v"), (124, f"ann@example.com {BAD} 01:lists.example {BAD} 02:(no domain)\n",
                      "set 2: a field is missing: ARC-Seal\n" + INVALID))
            or differ(b.verify(b"ARC-Seal: x\n" + MESSAGE)[:2], (124, f"ann@example.com {BAD} 00:(no domain)\n")))


def folding(b):
    message, domains = MESSAGE, [f"host-{i}.lists.example" for i in range(1, 8)]
    for domain in domains:
        message = b.seal(message, domain)
    status, out, err = b.verify(message)
    lines = out.splitlines()
    if status or err or len(lines) < 3 or any(len(line) > 80 for line in lines) or not all(
            line.startswith("  -") for line in lines[1:]):
        return f"{status} {out} {err}"
    words = " ".join(line.strip() for line in lines)
    return differ(words, "ann@example.com" + "".join(f" {GOOD} {i:02}:{name}" for i, name in enumerate(domains, 1)))


def hostile_names(b):
    """What a terminal must not see is not shown."""
    wild = MESSAGE.replace(b"ann@", b'"\x1b[2Jann"@')
    status, out, _ = b.verify(wild)
    return f"{out!r}" if status or "\x1b" in out else None


def results(b):
    """What is sealed is what is there; a broken chain is sealed as such, once."""
    lied = b.seal(MESSAGE, "lists.example", "arc=pass")
    if b"cv=none" not in lied or b"i=1; lists.example;\n arc=pass\n" not in lied:
        return str(lied)
    broken = b.seal(lied.replace(b"Hello", b"Hallo"), "mx.example")  # no arc=: it is validated
    if b"cv=fail" not in broken:
        return str(broken)
    status = b.verify(broken, "-v")
    wrong = differ(status[2], "set 2: the sealer found the chain broken (cv=fail)\n" + INVALID)
    front = b"Authentication-Results: end.example; arc=pass\n"
    return wrong or differ(b.blaze(b.options("end.example"), front + broken),
                           (124, "", complaint("The chain has ended: nothing may be added")))


def outputs(b):
    front = b"Authentication-Results: other; none\n"
    target = b.path("out")
    crlf = lib.crlf(front + MESSAGE)
    status, out, err = b.blaze([*b.options("lists.example"), "--authserv-id", "other", "--newline", "crlf", "-x", "1d"], crlf)
    if status or err or not out.encode().endswith(crlf) or "\n" in out.replace("\r\n", "") or "; x=" not in out.replace("\r\n", ""):
        return f"{out} {err}"
    wrong = differ(b.blaze([*b.options("lists.example"), "--authserv-id", "other", "-o", target], front + MESSAGE), (0, "", ""))
    return wrong or differ(b.verify(open(target, "rb").read()), (0, f"ann@example.com {GOOD} 01:lists.example\n", ""))


def two_keys(b):
    """Ed25519 for the seal, and the longest RSA key that RFC 8301 wants verified."""
    done = lib.blaze(b.build, ["dkim", "gen", "-b", "4096", "--seed", SEED, "-r", b.path("record")])
    with open(b.path("rsa.pem"), "wb") as out:
        out.write(done.stdout)
    sealed = b.seal(MESSAGE, "two.example", "none", "--signature-key", b.path("rsa.pem"))
    b.zone["m._domainkey.two.example"] = open(b.path("record")).read().strip()
    return differ(b.verify(sealed), (0, f"ann@example.com {GOOD} 01:two.example\n", ""))


def refusals(b):
    full = ["sign", "-h", "d.example", "--seal-selector", "a", "--signature-selector", "m", "--seed", SEED, "-a", "ed25519"]
    front = b"Authentication-Results: d.example; none\n"
    cases = [
        (["sign"], MESSAGE, "A domain is missing: -h DOMAIN"),
        (["sign", "-h", "d.example"], MESSAGE, "A selector is missing: --seal-selector SEL"),
        (full[:5], MESSAGE, "A selector is missing: --signature-selector SEL"),
        (full[:7], MESSAGE, "A private key is missing: -p KEY.pem or --seed BASE64"),
        (full, MESSAGE, "The message has no Authentication-Results of d.example"),
        ([*full, "-f", "ARC-Seal"], front + MESSAGE,
         "The domain, a selector or a field to cover is not a name, or may not be covered"),
        ([*full, "--signature-key", "/no/such"], front + MESSAGE, "/no/such: no usable key: not found"),
        (["verify", "--newline", "cr"], MESSAGE, "--newline is lf or crlf, not cr"),
        (["verify", "/no/such"], b"", "/no/such: No such file or directory"),
        (["verify", "a", "b"], b"", "Unexpected argument: b"),
        (["frob"], b"", "Unknown command: arc frob"),
    ]
    for arguments, message, text in cases:
        got = b.blaze(arguments, message)
        if got != (124, "", complaint(text)):
            return f"{arguments}: {got}"
    for verb in ("verify", "sign"):
        status, out, err = b.blaze([verb, "--help"])
        if status or err or not out.startswith(f"blaze arc {verb}"):
            return f"{verb} --help: {status} {err}"
    return None


def main():
    report = lib.Report()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], folder)
        for part in (chains, failures, folding, hostile_names, results, outputs, two_keys, refusals):
            report.case("blaze arc: " + part.__name__, lambda: part(bench))
    return report.status()


sys.exit(main())
