#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The access rules of docs/operating.md, in a real knot and a real BIND: nec works under them, and neither its key nor
lipap's can write anything else."""
import base64
import os
import shutil

import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update

from lib import rig
from lib.operating import block
from lib.rig import DNS, Skip, check, equal

SECRETS = {"nec": base64.b64encode(os.urandom(32)).decode(), "lipap": base64.b64encode(os.urandom(32)).decode()}
PUT = {"example.org": "mailingl.st", "NEC-SECRET": SECRETS["nec"], "LIPAP-SECRET": SECRETS["lipap"]}
TLSA = "3 1 1 " + "ab" * 32
ZONE = rig.ZONE + "@ 300 TXT \"v=spf1 -all\"\n_dmarc 300 TXT \"v=DMARC1; p=reject\"\nother._domainkey 300 CNAME mx\n"

# (what is tried, who tries it, whether it may)
TRIES = [
    ("a selector", "nec", lambda m: m.add("dkim-1._domainkey", 60, "TXT", '"v=DKIM1; p="'), True),
    ("a selector away", "nec", lambda m: m.delete("dkim-1._domainkey", "TXT"), True),
    ("the pointer", "nec", lambda m: m.add("_ptt._domainkey", 60, "TXT", '"x"'), True),
    ("the pointer away", "nec", lambda m: m.delete("_ptt._domainkey", "TXT"), True),
    ("an address", "nec", lambda m: m.add("mx", 60, "A", "192.0.2.66"), False),
    ("an address below _domainkey", "nec", lambda m: m.add("x._domainkey", 60, "A", "192.0.2.66"), False),
    ("an MX", "nec", lambda m: m.add("@", 60, "MX", "0 evil.example."), False),
    ("an SPF record", "nec", lambda m: m.add("@", 60, "TXT", '"v=spf1 +all"'), False),
    ("the DMARC record away", "nec", lambda m: m.delete("_dmarc", "TXT"), False),
    ("a name server", "nec", lambda m: m.add("_domainkey", 60, "NS", "ns.evil.example."), False),
    ("the alias at a selector away", "nec", lambda m: m.delete("other._domainkey", "CNAME"), False),
    ("a neighbour of _domainkey", "nec", lambda m: m.add("x_domainkey", 60, "TXT", '"x"'), False),
    ("lipap's TLSA", "nec", lambda m: m.add("_25._tcp.mx", 60, "TLSA", TLSA), False),
    ("a selector and an address", "nec",
     lambda m: (m.add("y._domainkey", 60, "TXT", '"y"'), m.add("mx", 60, "A", "192.0.2.66")), False),
    ("its TLSA", "lipap", lambda m: m.add("_25._tcp.mx", 60, "TLSA", TLSA), True),
    ("its TLSA away", "lipap", lambda m: m.delete("_25._tcp.mx", "TLSA"), True),
    ("another host's TLSA", "lipap", lambda m: m.add("_25._tcp.ns1", 60, "TLSA", TLSA), False),
    ("another port's TLSA", "lipap", lambda m: m.add("_443._tcp.mx", 60, "TLSA", TLSA), False),
    ("a text at its TLSA's name", "lipap", lambda m: m.add("_25._tcp.mx", 60, "TXT", '"x"'), False),
    ("a signing key", "lipap", lambda m: m.add("dkim-2._domainkey", 60, "TXT", '"v=DKIM1; p="'), False),
    ("the pointer", "lipap", lambda m: m.delete("_ptt._domainkey", "TXT"), False),
    ("an address", "lipap", lambda m: m.add("mx", 60, "A", "192.0.2.66"), False),
]


def update(who, secret, fill):
    """The response code of an UPDATE, or the name of a TSIG error."""
    name = f"{who}._update.mailingl.st"
    message = dns.update.Update("mailingl.st", keyring=dns.tsigkeyring.from_text({name: secret}),
                                keyalgorithm=dns.tsig.HMAC_SHA256)
    fill(message)
    try:
        return dns.rcode.to_text(dns.query.tcp(message, DNS, timeout=5).rcode())
    except dns.tsig.PeerError as e:
        return type(e).__name__


def start_knot(world, home):
    world.file("knot/mailingl.st.zone", ZONE)
    conf = f'server:\n    rundir: "{home}"\n    listen: {DNS}@53\nlog:\n  - target: stderr\n    any: info\n' \
           f'database:\n    storage: "{home}"\ntemplate:\n  - id: default\n    storage: "{home}"\n' \
           f'    file: "%s.zone"\n    journal-content: changes\n' + block("knot.conf", PUT)
    return world.start("knotd", ["knotd", "-c", world.file("knot/knot.conf", conf)])


def start_bind(world, home):
    world.file("bind/mailingl.st.zone", ZONE.replace("@ 300 SOA", "$ORIGIN mailingl.st.\n@ 300 SOA"))
    conf = f'options {{ directory "{home}"; listen-on {{ {DNS}; }}; listen-on-v6 {{ none; }}; recursion no;\n' \
           f'  pid-file none; session-keyfile none; dnssec-validation no; notify no; }};\ncontrols {{ }};\n' + \
           block("named.conf", PUT)
    return world.start("named", ["named", "-g", "-c", world.file("bind/named.conf", conf)])


SERVERS = {"knot": ("knotd", start_knot), "bind": ("named", start_bind)}


def judge(world, server):
    for what, who, fill, may in TRIES:
        before = world.serial()
        with world.case(f"{server}: {who} {'writes' if may else 'does not write'} {what}"):
            said = update(who, SECRETS[who], fill)
            equal(said == "NOERROR", may, f"answered {said}")
            check(may or world.serial() == before, "the zone has changed")
    with world.case(f"{server}: a key under the other's name writes nothing"):
        check(update("nec", SECRETS["lipap"], TRIES[0][2]) != "NOERROR", "taken")
    with world.case(f"{server}: nec works under its rule"):
        world.tsig = f"nec._update.mailingl.st:SHA256:{SECRETS['nec']}"
        nec = world.start_nec(name=f"nec-{server}")
        check(world.query("_ptt._domainkey.mailingl.st", "TXT")[0].startswith("v=PTT1; e="), "no pointer")
        equal(nec.stop(), 0, "exit status")


def run(world):
    for server, (program, start) in SERVERS.items():
        if not shutil.which(program):
            raise Skip(f"needs {program}")
    for server, (program, start) in SERVERS.items():
        home = os.path.join(world.folder, server)
        os.mkdir(home)
        process = start(world, home)
        process.wait_listens(DNS, 53)
        rig.until(20, f"{server} serves the zone", lambda: world.query("mailingl.st", "SOA"))
        judge(world, server)
        process.stop()


rig.main(run, ["nec"])
