#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What `blaze spf` does on its command line: results, reasons, the field it writes and reads, and DNS over a real
socket, in how many round trips. Usage: blaze_spf.py BUILD_DIR"""
import os
import socket
import subprocess
import sys
import tempfile
import threading

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dkim_cases as lib

MESSAGE = b"From: a@x.example\nSubject: hi\n\nHello\n"
ZONE = {
    "x.example": "txt:v=spf1 a mx include:y.example ?exists:%{l}.e.example -all exp=why.x.example\na:192.0.2.4\nmx:m.x.example:10 n.x.example:20\n",
    "m.x.example": "a:192.0.2.1 192.0.2.2\naaaa:2001:db8::1\n",
    "n.x.example": "a:192.0.2.3\n",
    "y.example": "txt:other\nTXT:v=spf1 ip4:198.51.100.0/24 ptr:z.example ~all\n",
    "9.113.0.203.in-addr.arpa": "ptr:client.z.example\n",
    "client.z.example": "a:203.0.113.9\n",
    "who.e.example": "a:127.0.0.2\n",
    "why.x.example": "txt:%{i} may not send for %{d}\n",
    "soft.example": "txt:v=spf1 ~all\n",
    "two.example": "txt:v=spf1\ntxt:v=spf1\n",
    "bad.example": "a:192.0.2.x\ntxt:v=spf1 a -all\n",
    "wrong.example": "txt:v=spf1 ip4:192.0.2.256\n",
}


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        for name, text in ZONE.items():
            with open(os.path.join(folder, name + ".dns"), "w", encoding="utf-8") as out:
                out.write(text)

    def blaze(self, arguments, message=b"", zone=True):
        env = {name: value for name, value in os.environ.items() if name != "BLAZE_DNS_STATIC"}
        if zone:
            env["BLAZE_DNS_STATIC"] = self.folder
        done = subprocess.run([lib.program(self.build), "spf", *arguments], input=message, capture_output=True, timeout=60,
                              env=env)
        return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("latin-1")

    def expect(self, arguments, message=b"", status=0, out="", err=""):
        got = self.blaze(arguments, message)
        return None if got == (status, out, err) else f"{arguments}: {got}"


def client(ip, sender="a@x.example", helo="h.example"):
    return ["--ip", ip, "--sender", sender, "--helo", helo, "--hostname", "us.example"]


def complaint(text):
    return f"blaze: {text}.\n"


def usage(b):
    cases = [
        (["check"], "The address of the client is missing: --ip IP"),
        (["check", "--ip", "192.0.2"], "Not an IP address: 192.0.2"),
        (["check", "--ip", "192.0.2.1"], "The sender is missing: --sender ADDRESS, or --helo NAME for the null sender"),
        (["check", "--ip", "192.0.2.1", "--sender", "<>"],
         "The sender is missing: --sender ADDRESS, or --helo NAME for the null sender"),
        (["check", *client("192.0.2.1"), "file"], "Unexpected argument: file"),
        (["check", *client("192.0.2.1"), "-n", "nonsense:"], "Not a name server: nonsense:"),
        (["stamp", "--ip", "192.0.2.1"], "The sender is missing: --sender ADDRESS, or --helo NAME for the null sender"),
        (["stamp", *client("192.0.2.1"), "/no/such"], "/no/such: No such file or directory"),
        (["analyze", "/no/such"], "/no/such: No such file or directory"),
    ]
    for arguments, text in cases:
        wrong = b.expect(arguments, MESSAGE, 124, "", complaint(text))
        if wrong:
            return wrong
    return None


def results(b):
    cases = [
        (client("192.0.2.2"), "pass", "x.example: the SPF record allows this client: mx"),
        (client("2001:db8::1"), "pass", "x.example: the SPF record allows this client: mx"),
        (client("::ffff:198.51.100.7"), "pass", "x.example: the SPF record allows this client: include:y.example"),
        (client("203.0.113.9"), "pass", "x.example: the SPF record allows this client: include:y.example"),
        (client("203.0.113.8"), "fail",
         "x.example: the SPF record forbids this client: -all\n203.0.113.8 may not send for x.example"),
        (client("203.0.113.8", "a@y.example"), "softfail", "y.example: the SPF record does not allow this client: ~all"),
        (client("203.0.113.7", "who@x.example"), "neutral",
         "x.example: the SPF record says nothing of this client: ?exists:%{l}.e.example"),
        (client("203.0.113.9", "<>", "soft.example"), "softfail",
         "soft.example: the SPF record does not allow this client: ~all"),
        (client("203.0.113.9", "", "soft.example"), "softfail", "soft.example: the SPF record does not allow this client: ~all"),
        (client("192.0.2.1", "a@none.example"), "none", "none.example: there is no such domain in DNS"),
        (client("192.0.2.1", "a@m.x.example"), "none", "m.x.example: there is no SPF record (TXT) in DNS"),
        (client("192.0.2.1", "a"), "none", "the sender has no domain that could have an SPF record"),
        (client("192.0.2.1", "a@two.example"), "permerror",
         "two.example: there are several SPF records (TXT) in DNS: leave one of them"),
        (client("192.0.2.1", "a@wrong.example"), "permerror",
         "wrong.example: a term of the SPF record is malformed: ip4:192.0.2.256"),
        (client("192.0.2.1", "a@bad.example"), "temperror", "bad.example: DNS gave no answer"),
    ]
    for arguments, word, reason in cases:
        wrong = (b.expect(["check", *arguments], out=word + "\n")
                 or b.expect(["check", *arguments, "--explain"], out=f"{word}\n{reason}\n"))
        if wrong:
            return wrong
    return None


def stamps(b):
    """The field, in the line ends of the message, with the message behind it; analyze reads it back."""
    for newline, message in (("lf", MESSAGE), ("crlf", MESSAGE.replace(b"\n", b"\r\n"))):
        status, out, err = b.blaze(["stamp", *client("192.0.2.2"), "--newline", newline], message)
        end = "\r\n" if newline == "crlf" else "\n"
        if (status, err) != (0, "") or not out.startswith("Received-SPF: pass (us.example: ") or not out.endswith(message.decode()):
            return f"{newline}: {status} {out!r} {err}"
        if out.count("\n") != out.count(end):
            return f"{newline}: mixed line ends: {out!r}"
        line = ("pass: receiver=us.example client-ip=192.0.2.2 envelope-from=a@x.example helo=h.example identity=mailfrom "
                "mechanism=mx\n")
        wrong = b.expect(["analyze", "--newline", newline], out.encode(), out=line)
        if wrong:
            return wrong
    target = os.path.join(b.folder, "out")
    return (b.expect(["stamp", *client("192.0.2.9", "", "none.example"), "-o", target], MESSAGE)
            or b.expect(["analyze", target], out="none: receiver=us.example client-ip=192.0.2.9 helo=none.example identity=helo\n"))


def analyses(b):
    hostile = b"Received-SPF: fail (x) client-ip=192.0.2.1; helo=\"a\x1b[2J\"\n" + MESSAGE
    two = b"Received-SPF: nonsense\nReceived-SPF: softfail identity=helo;\n" + MESSAGE
    return (b.expect(["analyze"], MESSAGE, 124, "", complaint("No Received-SPF field"))
            or b.expect(["analyze"], two, 124, "malformed\nsoftfail: identity=helo\n", complaint("Malformed Received-SPF field"))
            or ("a control character is printed" if "\x1b" in b.blaze(["analyze"], hostile)[1] else None))


class Server:
    """A DNS server that answers all it was asked when nothing more comes: its answers are the round trips."""

    def __init__(self, zone):
        self.zone, self.rounds = zone, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        waiting = []
        while True:
            try:
                self.socket.settimeout(0.4 if waiting else None)
                waiting.append(self.socket.recvfrom(4096))
            except TimeoutError:
                self.rounds.append(len(waiting))
                for query, peer in waiting:
                    self.socket.sendto(self.answer(dns.message.from_wire(query)), peer)
                waiting = []
            except OSError:
                return

    def answer(self, query):
        name, kind = query.question[0].name.to_text(True).lower(), dns.rdatatype.to_text(query.question[0].rdtype)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        values = self.zone.get(name, {}).get(kind, [])
        if values:
            response.answer.append(dns.rrset.from_text_list(name + ".", 60, "IN", kind, values))
        elif name not in self.zone:
            response.set_rcode(3)
        return response.to_wire()


def round_trips(b):
    """Ten includes cost two, whichever of them decides."""
    includes = [f"n{i}.example" for i in range(10)]
    zone = {name: {"TXT": ['"v=spf1 ip4:198.51.100.1 -all"']} for name in includes}
    zone["x.example"] = {"TXT": ['"v=spf1 ' + " ".join("include:" + name for name in includes) + ' -all"']}
    zone["n9.example"] = {"TXT": ['"v=spf1 ip4:192" ".0.2.1"']}
    server = Server(zone)
    arguments = ["check", *client("192.0.2.1"), "-n", f"udp:127.0.0.1:{server.port}"]
    got = b.blaze(arguments, zone=False)
    server.socket.close()
    if got != (0, "pass\n", ""):
        return f"{got}"
    if server.rounds != [1, 10]:
        return f"{server.rounds} questions a round trip, expected [1, 10]"
    closed = b.blaze(arguments, zone=False)
    return None if closed == (0, "temperror\n", "") else f"no server: {closed}"


def main():
    report = lib.Report()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], folder)
        for part in (usage, results, stamps, analyses, round_trips):
            report.case("blaze spf: " + part.__name__, lambda: part(bench))
    return report.status()


sys.exit(main())
