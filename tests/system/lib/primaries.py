# SPDX-License-Identifier: ISC
"""Name servers of Debian's packages for one zone, mailingl.st: three kinds of primary that take signed updates, and two
secondaries that follow by transfer, some seconds behind.

    127.0.0.1  knot, bind9 or pdns      127.0.0.7  nsd      127.0.0.8  another knot
"""
import os
import shutil
import subprocess

try:
    import dns.exception
    import dns.message
    import dns.query
    import dns.rdatatype
except ImportError:
    pass  # rig says what is missing

from lib.rig import DNS, Skip, check, search_path, until

NSD, KNOT = "127.0.0.7", "127.0.0.8"
SERVERS = (DNS, NSD, KNOT)
ZONE = f"""\
@ 300 IN SOA ns1 hostmaster 1 2 1 86400 1
@ 300 IN NS ns1
@ 300 IN NS ns2
@ 300 IN NS ns3
ns1 300 IN A {DNS}
ns2 300 IN A {NSD}
ns3 300 IN A {KNOT}
"""
PROGRAMS = {"knot": "knotd", "bind9": "named", "pdns": "pdns_server"}
SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"


def ask(server, name, kind="TXT"):
    """The texts of the records that a server shows, its TXT strings joined; None: it does not answer."""
    try:
        answer = dns.query.udp_with_fallback(dns.message.make_query(name, kind), server, timeout=2)[0]
    except (OSError, dns.exception.DNSException):
        return None
    records = [r for rrset in answer.answer if rrset.rdtype == dns.rdatatype.from_text(kind) for r in rrset]
    return [b"".join(r.strings).decode() if kind == "TXT" else r.to_text() for r in records]


def serial(server):
    found = ask(server, "mailingl.st", "SOA")
    return int(found[0].split()[2]) if found else None


def folder(world, name):
    home = os.path.join(world.folder, name)
    if not os.path.isdir(home):
        os.mkdir(home)
    return home


def need(program):
    if not shutil.which(program, path=search_path()):
        raise Skip(f"needs {program}")


def serve(world, name, argv, address):
    process = world.start(name, argv)
    until(20, f"{name} serves the zone", lambda: (process.popen.poll() is not None) or serial(address))
    check(process.popen.poll() is None, f"{name} ended: {process.log()[-600:]}")
    return process


def knot(world):
    name, _, secret = world.tsig.split(":")
    home = folder(world, "primary-knot")
    if not os.path.exists(f"{home}/mailingl.st.zone"):
        world.file("primary-knot/mailingl.st.zone", ZONE)
    conf = world.file("primary-knot/knot.conf", f"""\
server:
    rundir: "{home}"
    listen: {DNS}@53
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{home}"
key:
  - id: {name}
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: keys
    key: {name}
    action: update
    update-type: TXT
    update-owner: name
    update-owner-match: sub
    update-owner-name: _domainkey
  - id: transfers
    address: 127.0.0.0/8
    action: transfer
zone:
  - domain: mailingl.st
    storage: "{home}"
    file: "mailingl.st.zone"
    zonefile-sync: -1
    journal-content: changes
    acl: [keys, transfers]
""")
    return serve(world, "primary-knot", ["knotd", "-c", conf], DNS)


def bind9(world):
    name, _, secret = world.tsig.split(":")
    home = folder(world, "primary-bind9")
    if not os.path.exists(f"{home}/mailingl.st.zone"):
        world.file("primary-bind9/mailingl.st.zone", ZONE)
    conf = world.file("primary-bind9/named.conf", f"""\
options {{
    directory "{home}";
    pid-file "{home}/named.pid";
    session-keyfile "{home}/session.key";
    listen-on port 53 {{ {DNS}; }};
    listen-on-v6 {{ none; }};
    recursion no;
    dnssec-validation no;
    notify no;
    allow-transfer {{ 127.0.0.0/8; }};
}};
controls {{ }};
key "{name}" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "mailingl.st" {{
    type primary;
    file "mailingl.st.zone";
    update-policy {{ grant {name} subdomain _domainkey.mailingl.st. TXT; }};
}};
""")
    return serve(world, "primary-bind9", ["named", "-f", "-n", "1", "-c", conf], DNS)


def pdns(world):
    name, _, secret = world.tsig.split(":")
    home = folder(world, "primary-pdns")
    world.file("primary-pdns/pdns.conf", f"""\
launch=gsqlite3
gsqlite3-database={home}/pdns.sqlite3
local-address={DNS}
socket-dir={home}
daemon=no
guardian=no
primary=yes
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
disable-axfr=no
allow-axfr-ips=127.0.0.0/8
receiver-threads=1
""")

    def tool(*arguments):
        done = subprocess.run(["pdnsutil", f"--config-dir={home}", *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        check(done.returncode == 0, f"pdnsutil {' '.join(arguments[:2])}: {done.stderr}")

    if not os.path.exists(f"{home}/pdns.sqlite3"):
        with open(SCHEMA, encoding="utf-8") as schema:
            subprocess.run(["sqlite3", f"{home}/pdns.sqlite3"], stdin=schema, check=True)
        tool("load-zone", "mailingl.st", world.file("primary-pdns/mailingl.st.zone", ZONE))
        tool("set-kind", "mailingl.st", "primary")
        tool("import-tsig-key", name, "hmac-sha256", secret)
        tool("set-meta", "mailingl.st", "TSIG-ALLOW-DNSUPDATE", name)
        tool("set-meta", "mailingl.st", "SOA-EDIT-DNSUPDATE", "INCREASE")
    return serve(world, "primary-pdns", ["pdns_server", f"--config-dir={home}"], DNS)


START = {"knot": knot, "bind9": bind9, "pdns": pdns}


def start_primary(world, kind):
    """Starts the primary on what its folder holds: a restart finds what the one before it has kept."""
    need(PROGRAMS[kind])
    if kind == "pdns":
        need("sqlite3")
    return START[kind](world)


def start_nsd(world, after=""):
    need("nsd")
    home = folder(world, f"nsd{after}")
    conf = world.file(f"nsd{after}/nsd.conf", f"""\
server:
    ip-address: {NSD}
    port: 53
    username: ""
    chroot: ""
    server-count: 1
    zonesdir: "{home}"
    xfrdir: "{home}"
    database: ""
    xfrdfile: "{home}/xfrd.state"
    zonelistfile: "{home}/zone.list"
    pidfile: "{home}/nsd.pid"
remote-control:
    control-enable: no
zone:
    name: mailingl.st
    zonefile: mailingl.st.zone
    request-xfr: AXFR {DNS} NOKEY
    allow-notify: {DNS} NOKEY
""")
    return serve(world, "nsd", ["nsd", "-d", "-c", conf], NSD)


def start_second_knot(world, after=""):
    home = folder(world, f"second-knot{after}")
    conf = world.file(f"second-knot{after}/knot.conf", f"""\
server:
    rundir: "{home}"
    listen: {KNOT}@53
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{home}"
remote:
  - id: primary
    address: {DNS}@53
zone:
  - domain: mailingl.st
    storage: "{home}"
    file: "mailingl.st.zone"
    master: primary
""")
    return serve(world, "second-knot", ["knotd", "-c", conf], KNOT)
