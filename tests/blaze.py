#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What `blaze dkim` does on its command line: options, texts, exit statuses, streams, and DNS over a real socket.
Usage: blaze.py BUILD_DIR"""
import base64
import hashlib
import hmac
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dkim_cases as lib

SEED = base64.b64encode(b"0123456789abcdef").decode()
MESSAGE = b"From: a@example.com\nTo: b@example.org\nSubject: hi\n\nHello\n"
SIGN = ["dkim", "sign", "-s", "sel", "-h", "example.com", "--seed", SEED, "-a", "ed25519"]
NAME = "sel._domainkey.example.com"


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        done = self.blaze(["dkim", "gen", "-a", "ed25519", "--seed", SEED, "-r", "-", self.path("pub.pem")])
        self.record = done.stdout.decode().strip()
        self.zone = {NAME: self.record}
        self.signed = self.blaze(SIGN, MESSAGE).stdout

    def path(self, name):
        return os.path.join(self.folder, name)

    def keep(self, name, data):
        with open(self.path(name), "wb") as out:
            out.write(data)
        return self.path(name)

    def blaze(self, arguments, message=b"", zone=None):
        return lib.blaze(self.build, arguments, message, zone)

    def expect(self, arguments, message=b"", zone=None, status=0, out=None, err=""):
        """Run; None when status, output and complaint are as told."""
        done = self.blaze(arguments, message, zone)
        got = (done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("latin-1"))
        if got[0] != status or (out is not None and got[1] != out) or got[2] != err:
            return f"{arguments}: {got}"
        return None


def complaint(text):
    return f"blaze: {text}.\n"


def usage(b):
    fails = [
        ([], "A command is missing: see blaze --help"),
        (["frob"], "Unknown command: frob"),
        (["dkim"], "A verb is missing: see blaze dkim --help"),
        (["dkim", "frob"], "Unknown command: dkim frob"),
        (["dkim", "verify", "--frob"], "unknown option: --frob"),
        (["dkim", "verify", "--newline=cr"], "--newline is lf or crlf, not cr"),
        (["dkim", "verify", "a", "b"], "Unexpected argument: b"),
        (["dkim", "verify", "-n", "tcp:nonsense"], "Not a name server: tcp:nonsense"),
        (["dkim", "verify", "/no/such"], "/no/such: No such file or directory"),
        (["dkim", "sign", "-h", "example.com", "--seed", SEED], "A selector is missing: -s SEL"),
        (["dkim", "sign", "-s", "sel", "--seed", SEED], "A domain is missing: -h DOMAIN"),
        (["dkim", "sign", "-s", "sel", "-h", "example.com"], "A private key is missing: -p KEY.pem or --seed BASE64"),
        (["dkim", "sign", "-s", "a b", *SIGN[4:]], "The domain, the selector or a field to cover is not a name"),
        ([*SIGN, "-c", "nofws"], "Unknown canonicalization: nofws"),
        ([*SIGN, "-b", "1000"], "A key has 1024 to 4096 bits, a multiple of 16, not 1000"),
        (["dkim", "gen", "-a", "dsa"], "Unknown algorithm: dsa"),
        (["dkim", "gen", "--seed", "*"], "The seed is not base64, or longer than 4096 bytes"),
    ]
    for arguments, text in fails:
        wrong = b.expect(arguments, MESSAGE, {}, 124, "", complaint(text))
        if wrong:
            return wrong
    for arguments in (["--help"], ["--version"], ["dkim", "verify", "--help"], ["dkim", "sign", "--help"], ["dkim", "gen", "--help"]):
        done = b.blaze(arguments)
        if done.returncode != 0 or not done.stdout.startswith(b"blaze") or done.stderr:
            return f"{arguments}: {done}"


def verdicts(b):
    verify = ["dkim", "verify"]
    changed = b.signed.replace(b"Hello", b"Hallo")
    return (b.expect(verify, b.signed, b.zone, 0, "[OK]: example.com\n")
            or b.expect([*verify, "-"], b.signed, b.zone, 0, "[OK]: example.com\n")
            or b.expect([*verify, b.keep("m", b.signed)], b"", b.zone, 0, "[OK]: example.com\n")
            or b.expect([*verify, "-q"], b.signed, b.zone, 0, "")
            or b.expect(verify, changed, b.zone, 124, "[ER]: example.com\n", complaint("Invalid DKIM signature"))
            or b.expect([*verify, "-q"], changed, b.zone, 124, "", complaint("Invalid DKIM signature"))
            or b.expect(verify, b.signed, {}, 124, "[ER]: example.com\n", complaint("Invalid DKIM signature"))
            or b.expect(verify, MESSAGE, b.zone, 124, "", complaint("No DKIM signature"))
            or b.expect(verify, b.signed.replace(b"s=sel", b"s=SEL"), {NAME.upper(): "v=DKIM1; p="}, 124, "[ER]: example.com\n",
                        complaint("Invalid DKIM signature"))
            or b.expect(verify, b"", b.zone, 124, "", complaint("No DKIM signature"))
            or b.expect([*verify, "-v"], changed, b.zone, 124, "[ER]: example.com\n",
                        "example.com: the body was changed after signing (bh=)\n" + complaint("Invalid DKIM signature")))


def u_labels(b):
    """-h and -s in UTF-8 are A-labels in the field, in the DNS and in what is printed."""
    sign = ["dkim", "sign", "-s", "sé", "-h", "é.example", *SIGN[SIGN.index("-h") + 2:]]
    signed = b.blaze(sign, MESSAGE).stdout
    if b"d=xn--9ca.example; s=xn--s-bga;" not in signed.replace(b"\n", b""):
        return f"{signed}"
    zone = {"xn--s-bga._domainkey.xn--9ca.example": b.zone[NAME]}
    unfit = ["dkim", "sign", "-s", "sel", "-h", b"\xc3.example", *SIGN[SIGN.index("-h") + 2:]]
    done = b.blaze(unfit, MESSAGE)
    if done.returncode != 124 or not done.stderr.startswith(b"blaze: Not a domain name: "):
        return f"{done}"
    return b.expect(["dkim", "verify"], signed, zone, 0, "[OK]: xn--9ca.example\n")


def newlines(b):
    crlf = b.signed.replace(b"\n", b"\r\n")
    return (b.expect(["dkim", "verify", "--newline=crlf"], crlf, b.zone, 0, "[OK]: example.com\n")
            or b.expect(["dkim", "verify", "--newline", "lf"], crlf, b.zone, 0, "[OK]: example.com\n")
            or b.expect(["dkim", "verify", "--newline=crlf"], b.signed, b.zone, 124, "[ER]: (no domain)\n",
                        complaint("Invalid DKIM signature")))  # without CRLF all is one field


def groups(b):
    """[OK], [EX], [ER], whatever their order in the message; [EX] alone is no failure."""
    expired = b.blaze([*SIGN, "-t", "1000000000", "-x", "1d"], MESSAGE).stdout
    if b.blaze(["dkim", "verify"], expired, b.zone).returncode != 0:
        return "an expired signature alone fails"
    wrong = b.expect(["dkim", "verify"], expired, b.zone, 0, "[EX]: example.com\n")
    if wrong:
        return wrong
    field = lambda text: text[:len(text) - len(MESSAGE)]
    bad = field(b.signed).replace(b"d=example.com", b"d=other.example")
    both = bad + field(expired) + b.signed
    return (b.expect(["dkim", "verify"], both, b.zone, 124, "[OK]: example.com\n[EX]: example.com\n[ER]: other.example\n",
                     complaint("Invalid DKIM signature"))
            or b.expect(["dkim", "verify"], expired.replace(b"Hello", b"Hallo"), b.zone, 124, "[ER]: example.com\n",
                        complaint("Invalid DKIM signature")))


def extra_keys(b):
    pem = b.path("pub.pem")
    der = "".join(open(pem).read().splitlines()[1:-1])
    raw = b.record.split("p=")[1]
    for key in (pem, der, raw):
        wrong = b.expect(["dkim", "verify", "-e", f"sel:example.com:{key}"], b.signed, {}, 0, "[OK]: example.com\n")
        if wrong:
            return wrong
    return (b.expect(["dkim", "verify", "-e", f"other:example.com:{pem}"], b.signed, {}, 124, "[ER]: example.com\n",
                     complaint("Invalid DKIM signature"))
            or b.expect(["dkim", "verify", "-e", "sel:example.com"], b.signed, {}, 124, "",
                        complaint("Not SEL:DOMAIN:KEY: sel:example.com")))


def fields(b):
    signed = b.blaze([*SIGN, "-f", "Subject", "-f", "X-None"], MESSAGE).stdout
    wrong = b.expect(["dkim", "verify", "--fields"], signed, b.zone, 0, "[OK]: example.com\n  From\n  Subject\n  X-None\n")
    for added in (b"Subject: b\n", b"X-None: b\n", b"From: c@example.net\n"):
        wrong = wrong or b.expect(["dkim", "verify"], added + signed, b.zone, 124, "[ER]: example.com\n",
                                  complaint("Invalid DKIM signature"))
    return wrong or b.expect(["dkim", "verify"], b"To: b\n" + signed, b.zone, 0, "[OK]: example.com\n")


def outputs(b):
    source, target = b.keep("in.eml", MESSAGE), b.path("out.eml")
    wrong = b.expect([*SIGN, "-o", target, source], b"", {}, 0, "")
    if wrong or not open(target, "rb").read().endswith(MESSAGE):
        return wrong or "the output is not the message"
    return (b.expect(["dkim", "verify", target], b"", b.zone, 0, "[OK]: example.com\n")
            or b.expect([*SIGN, "-o", source, source], b"", {}, 124, "", complaint(source + ": the output is the input"))
            or ("the input was changed" if open(source, "rb").read() != MESSAGE else None))


def refusals(b):
    return (b.expect(SIGN, b"Subject: x\n\n", {}, 124, "", complaint("The message has no From field"))
            or b.expect(SIGN, b"From a@b Mon\nFrom: a@b\n\n", {}, 124, "",
                        complaint("The header has a line that is no field: From a@b Mon"))
            or b.expect(SIGN, b"From: a@b\nX: " + b"x" * 400000, {}, 124, "", complaint("The header of the message is too long")))


def keys(b):
    first, second = (b.blaze(["dkim", "gen", "--seed", SEED, "-b", "1024"]).stdout for _ in range(2))
    drawn = [b.blaze(["dkim", "gen", "-a", "ed25519"]).stdout for _ in range(2)]
    if first != second or b"PRIVATE KEY" not in first or drawn[0] == drawn[1]:
        return "a seed does not decide"
    record = b.blaze(["dkim", "gen", "--seed", SEED, "-b", "1024", "-r", "-"]).stdout.decode().strip()
    key = b.keep("rsa.pem", first)
    from_file = b.blaze([*SIGN[:6], "-p", key, "-t", "1"], MESSAGE).stdout
    from_seed = b.blaze([*SIGN[:6], "--seed", SEED, "-b", "1024", "-t", "1"], MESSAGE).stdout
    if from_file != from_seed:
        return "the file and the seed sign differently"
    wrong = b.expect([*SIGN[:6], "-p", key, "-a", "ed25519"], MESSAGE, {}, 124, "",
                     complaint(key + ": the key is not of the algorithm asked for"))
    return wrong or b.expect(["dkim", "verify"], from_file, {NAME: record}, 0, "[OK]: example.com\n")


def hmac_drbg(seed, size):
    """SP 800-90A 10.1.2 with SHA-256: what one Generate of a fresh instance gives."""
    mac = lambda key, data: hmac.new(key, data, hashlib.sha256).digest()
    key, value = bytes(32), b"\x01" * 32
    for separator in (b"\x00", b"\x01"):
        key = mac(key, value + separator + seed)
        value = mac(key, value)
    out = b""
    while len(out) < size:
        value = mac(key, value)
        out += value
    return out[:size]


def derivation(b):
    """The Ed25519 key of a seed, by another road."""
    pem = b.blaze(["dkim", "gen", "-a", "ed25519", "--seed", SEED]).stdout
    der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
    return None if der[-32:] == hmac_drbg(base64.b64decode(SEED), 32) else "another key"


def large(b):
    """A body far above what is held in memory, through a pipe."""
    message = MESSAGE + b"a line  of text \n" * 2_000_000
    signed = b.blaze(SIGN, message).stdout
    if not signed.endswith(message):
        return "the message was changed"
    limit = ["sh", "-c", 'ulimit -v 60000; exec "$0" "$@"', lib.program(b.build), "dkim", "verify"]
    with tempfile.TemporaryDirectory() as folder:
        lib.write_zone(folder, b.zone)
        sanitized = b"__asan_init" in open(lib.program(b.build), "rb").read()
        done = subprocess.run(limit[3:] if sanitized else limit, input=signed, capture_output=True,
                              env=dict(os.environ, BLAZE_DNS_STATIC=folder))
    return None if done.stdout == b"[OK]: example.com\n" else str(done)


def answer(query, record):
    """The response to a TXT query: the record in strings of 200, or NXDOMAIN."""
    end = 12 + query[12:].index(b"\0") + 1 + 4
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    found = ".".join(labels).lower() == NAME
    head = query[:2] + struct.pack(">HHHHH", 0x8180 if found else 0x8183, 1, int(found), 0, 0) + query[12:end]
    if not found:
        return head
    parts = [record[i:i + 200].encode() for i in range(0, len(record), 200)]
    data = b"".join(bytes([len(part)]) + part for part in parts)
    return head + b"\xc0\x0c" + struct.pack(">HHIH", 16, 1, 60, len(data)) + data


def serve(server, record):
    try:
        while True:
            query, peer = server.recvfrom(4096)
            server.sendto(answer(query, record), peer)
    except OSError:
        pass


def dns(b):
    """Over UDP; once with the name unknown, and once with a server that is not there."""
    environment = {name: value for name, value in os.environ.items() if name != "BLAZE_DNS_STATIC"}

    def verify(message, at):
        command = [lib.program(b.build), "dkim", "verify", "-v", "-n", f"udp:127.0.0.1:{at}"]
        done = subprocess.run(command, input=message, capture_output=True, env=environment, timeout=60)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        threading.Thread(target=serve, args=(server, b.record), daemon=True).start()
        good = verify(b.signed, port)
        other = verify(b.signed.replace(b"s=sel", b"s=les"), port)
    closed = verify(b.signed, port)
    if good != (0, "[OK]: example.com\n", ""):
        return f"found: {good}"
    if other[:2] != (124, "[ER]: example.com\n") or "no key record" not in other[2]:
        return f"no such name: {other}"
    if closed[:2] != (124, "[ER]: example.com\n") or "DNS gave no answer" not in closed[2]:
        return f"no server: {closed}"
    return None


def main():
    report = lib.Report()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], folder)
        for part in (usage, verdicts, u_labels, newlines, groups, extra_keys, fields, outputs, refusals, keys, derivation, large, dns):
            report.case("blaze dkim: " + part.__name__, lambda: part(bench))
    return report.status()


sys.exit(main())
