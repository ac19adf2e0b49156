#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The simulator's name server against knot: random questions and signed updates to one zone, sent to both by dnspython;
they must say the same. Usage: sim_dns.py BUILD_DIR [ROUNDS [SEED]]"""
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

try:
    import dns.flags
    import dns.message
    import dns.name
    import dns.query
    import dns.rcode
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.tsigkeyring
    import dns.update
except ImportError:
    dns = None

SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
KEY = "k._update.example.org"
RECORDS = """\
@ NS ns1
ns1 A 10.0.0.1
@ MX 10 mx
mx A 10.0.0.2
mx A 10.0.0.3
t TXT one
www CNAME mx
out CNAME a.test.
a.b.c TXT deep
*.wild TXT any
there.wild A 10.0.0.4
sub NS ns.sub
ns.sub A 10.0.0.5
""".splitlines()
NAMES = ["@", "ns1", "mx", "t", "www", "out", "a.b.c", "b.c", "c", "x.b.c", "*.wild", "x.wild", "x.y.wild", "wild",
         "there.wild", "x.there.wild", "x.sub", "n1", "n2", "n1.n2", "MX", "a.b.n3", "n3"]
KINDS = ["A", "AAAA", "TXT", "MX", "CNAME", "NS", "SOA"]
DATA = {"A": ["10.0.0.2", "10.0.0.3", "10.0.0.9"], "AAAA": ["2001:db8::1", "2001:db8::2"],
        "TXT": ["one", "two", '"a b" c'], "MX": ["10 mx.example.org.", "20 n1.example.org."],
        "CNAME": ["mx.example.org.", "t.example.org.", "n1.example.org."]}


class Knot:
    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with open(os.path.join(folder, "example.org.zone"), "w", encoding="ascii") as zone:
            zone.write("$ORIGIN example.org.\n$TTL 300\n@ SOA @ @ 2 300 60 86400 60\n" + "\n".join(RECORDS) + "\n")
        conf = os.path.join(folder, "knot.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(f"""\
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{self.port}
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
database:
    storage: "{folder}"
key:
  - id: {KEY}
    algorithm: hmac-sha256
    secret: {SECRET}
acl:
  - id: keys
    key: {KEY}
    action: update
zone:
  - domain: example.org
    storage: "{folder}"
    file: "%s.zone"
    zonefile-sync: -1
    journal-content: none
    acl: keys
""")
        self.process = subprocess.Popen(["knotd", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(self, message, tcp=False):
        send = dns.query.tcp if tcp else dns.query.udp
        return send(message, "127.0.0.1", timeout=5, port=self.port)

    def wait(self):
        for _ in range(200):
            try:
                if self.ask(dns.message.make_query("example.org", "SOA")).answer:
                    return
            except (OSError, dns.exception.DNSException):
                pass
            time.sleep(0.05)
        raise RuntimeError("knot does not serve its zone")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Simulated:
    def __init__(self, build):
        self.process = subprocess.Popen([os.path.join(build, "tests", "sim", "sim-dns_driver")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.tell("zone example.org")
        for line in RECORDS:
            name, rest = line.split(" ", 1)
            data = rest.split(" ")
            if data[0] in ("NS", "MX", "CNAME") and not data[-1].endswith("."):
                data[-1] += ".example.org."
            self.tell(f"record {whole(name)} {' '.join(data)}")
        self.tell(f"key {KEY}:SHA256:{SECRET} example.org")

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, message, tcp=False):
        self.tell(f"{'tcp' if tcp else 'udp'} {int(time.time())} {message.to_wire().hex()}")
        answer = self.process.stdout.readline().strip()
        return dns.message.from_wire(bytes.fromhex(answer), keyring=message.keyring, request_mac=message.mac or b"")

    def stop(self):
        self.process.stdin.close()
        return self.process.wait()


def whole(name):
    return "example.org." if name == "@" else name + ".example.org."


def records(section):
    """Without the SOA's data and all TTLs: the serials of the two count differently."""
    found = set()
    for rrset in section:
        for rdata in rrset:
            text = "" if rrset.rdtype == dns.rdatatype.SOA else rdata.to_text().lower()
            found.add((str(rrset.name).lower(), dns.rdatatype.to_text(rrset.rdtype), text))
    return sorted(found)


def meaning(message):
    """What a client takes from an answer: additional data is only looked at in referrals."""
    is_referral = not message.answer and message.rcode() == 0 and not message.flags & dns.flags.AA
    authority = records(message.authority) if not message.answer else []
    return (dns.rcode.to_text(message.rcode()), bool(message.flags & dns.flags.AA), records(message.answer), authority,
            records(message.additional) if is_referral else [])


def random_question(rng):
    return dns.message.make_query(whole(rng.choice(NAMES)), rng.choice(KINDS), use_edns=rng.random() < 0.5)


def random_update(rng):
    update = dns.update.Update("example.org", keyring=dns.tsigkeyring.from_text({KEY: SECRET}))
    name = lambda: dns.name.from_text(whole(rng.choice(NAMES)))
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        kind = rng.choice(list(DATA))
        form = rng.randrange(5)
        if form == 0:
            update.present(name())
        elif form == 1:
            update.present(name(), kind)
        elif form == 2:
            update.present(name(), kind, rng.choice(DATA[kind]))
        elif form == 3:
            update.absent(name())
        else:
            update.absent(name(), kind)
    for _ in range(rng.choice([1, 1, 2, 3])):
        kind = rng.choice(list(DATA))
        form = rng.randrange(5)
        if form <= 1:
            update.add(name(), 300, kind, rng.choice(DATA[kind]))
        elif form == 2:
            update.delete(name(), kind, rng.choice(DATA[kind]))
        elif form == 3:
            update.delete(name(), kind)
        else:
            update.delete(name())
    return update


def compare(knot, simulated, rng, rounds):
    """The first difference as text, or None; and how many of the updates were done."""
    done = 0
    for number in range(rounds):
        is_update = rng.random() < 0.2
        message = random_update(rng) if is_update else random_question(rng)
        tcp = is_update or rng.random() < 0.3
        ours, theirs = simulated.ask(message, tcp), knot.ask(message, tcp)
        if is_update:
            a, b = dns.rcode.to_text(ours.rcode()), dns.rcode.to_text(theirs.rcode())
            done += ours.rcode() == 0
        else:
            a, b = meaning(ours), meaning(theirs)
        if a != b:
            return f"round {number}: ours {a}, knot's {b}; to:\n{message.to_text()}", done
    return None, done


def main():
    build, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1500
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    if dns is None or not shutil.which("knotd"):
        print(f"skip sim-dns: {'python3-dnspython' if dns is None else 'knotd'} is missing")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        knot, simulated = Knot(folder), Simulated(build)
        try:
            knot.wait()
            difference, done = compare(knot, simulated, random.Random(seed), rounds)
        finally:
            knot.stop()
            status = simulated.stop()
    if difference is None and (status != 0 or done < rounds // 40):
        difference = f"the driver ended with {status}, {done} updates were done"
    label = f"sim-dns: {rounds} requests, seed {seed}, {done} updates done"
    print(f"not ok {label}: {difference}" if difference else f"ok {label}")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
