#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""MTA-STS (RFC 8461): policies that a real HTTPS server of Python's gives, hosts that keep to them and hosts that do not, what
is kept over a kill and without the server, and DANE, which no policy overrules."""
import http.server
import json
import shutil
import ssl
import threading
import time

from lib import rig
from lib.mail import AUTHOR, LIST, message
from lib.rig import DNS, LIPAP, POSTER, Skip, check, equal, until
from lib.smtp import post
from lib.tls import Authority, TlsSink, context_of, make_pair
from lib.unbound import dnskey, start_unbound

RESOLVER, POLICIES = "127.0.0.9", "127.0.0.29"
ENFORCE, TESTING, NONE = "enforce", "testing", "none"
PROVEN, OPEN, KEPT = "sts", "none", ""  # how the mail goes: what the log says of the proof, or not at all

# Domains: the policy's mode, its host ("": the right one), the host's certificate, how its policy is served, how the mail goes.
DOMAINS = {
    "good": (ENFORCE, "", "right", "", PROVEN),
    "wild": (ENFORCE, "*.wild.signed", "right", "", PROVEN),
    "chunked": (ENFORCE, "", "right", "chunked", PROVEN),
    "attacked": (ENFORCE, "", "right", "", PROVEN),
    "brief": (ENFORCE, "", "right", "brief", PROVEN),
    "unlisted": (ENFORCE, "mx.other.signed", "right", "", KEPT),
    "deeper": (ENFORCE, "*.signed", "right", "", KEPT),
    "misnamed": (ENFORCE, "", "misnamed", "", KEPT),
    "expired": (ENFORCE, "", "expired", "", KEPT),
    "selfsigned": (ENFORCE, "", "selfsigned", "", KEPT),
    "clear": (ENFORCE, "", "clear", "", KEPT),
    "stale": (ENFORCE, "", "right", "", KEPT),  # its TLSA record names another key
    "changed": (ENFORCE, "mx.other.signed", "right", "", KEPT),
    "tested": (TESTING, "", "selfsigned", "", OPEN),
    "testedother": (TESTING, "mx.other.signed", "right", "", OPEN),
    "testedclear": (TESTING, "", "clear", "", OPEN),
    "testedgood": (TESTING, "", "right", "", PROVEN),
    "none": (NONE, "", "selfsigned", "", OPEN),
    "redirected": (ENFORCE, "", "selfsigned", "redirect", OPEN),
    "html": (ENFORCE, "", "selfsigned", "html", OPEN),
    "forged": (ENFORCE, "", "selfsigned", "forged", OPEN),  # the policy's server has a certificate that nobody signed
    "garbage": (ENFORCE, "", "selfsigned", "garbage", OPEN),
    "twice": (ENFORCE, "", "selfsigned", "twice", OPEN),  # two TXT records
}
ADDRESS = {name: f"127.0.0.{30 + i}" for i, name in enumerate(DOMAINS)}
# So that TXT records can change: that of this domain is an alias for a name that may be written.
MOVING = "sts._domainkey"


class Policies(http.server.ThreadingHTTPServer):
    """The servers of all policies, told apart by SNI."""

    daemon_threads = True

    def __init__(self, authority, world):
        super().__init__((POLICIES, 443), Handler)
        self.asked, self.served = [], {name: served for name, (*_, served, _) in DOMAINS.items()}
        self.texts = {name: self.text(name, mode, mx) for name, (mode, mx, *_) in DOMAINS.items()}
        contexts = {f"mta-sts.{name}.signed": context_of(
            make_pair(world, f"sts-{name}", f"mta-sts.{name}.signed") if served == "forged"
            else authority.make_pair(f"sts-{name}", f"mta-sts.{name}.signed")) for name, served in self.served.items()}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        def choose(connection, name, _):
            connection.context = contexts[name]
        context.sni_callback = choose
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def text(self, name, mode, mx):
        age = 4 if self.served[name] == "brief" else 604800
        return f"version: STSv1\r\nmode: {mode}\r\nmx: {mx or f'mx.{name}.signed'}\r\nmax_age: {age}\r\n"

    def handle_error(self, *_):
        """Of those who hang up: nothing to be told."""

    def stop(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.headers["Host"].split(".")[1]
        served, text = self.server.served[name], self.server.texts[name].encode()
        self.server.asked.append(name)
        if self.path != "/.well-known/mta-sts.txt":
            self.send_error(404)
            return
        self.send_response(301 if served == "redirect" else 200)
        if served == "redirect":
            self.send_header("Location", f"https://mta-sts.{name}.signed/elsewhere")
        self.send_header("Content-Type", "text/html" if served == "html" else "text/plain; charset=utf-8")
        if served == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            text = b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in text.splitlines(True)) + b"0\r\n\r\n"
        else:
            text = b"nothing of the kind\r\n" if served == "garbage" else text
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """The test looks at `asked`."""


def zone_text():
    lines = ["@ 300 SOA ns1 hostmaster 1 3600 600 86400 1", "@ 300 NS ns1", f"ns1 300 A {DNS}"]
    for name, address in ADDRESS.items():
        lines += [f"{name} 300 MX 10 mx.{name}", f"mx.{name} 300 A {address}", f"mta-sts.{name} 300 A {POLICIES}"]
        lines += [f"_mta-sts.{name} 1 CNAME {MOVING}.mailingl.st." if name == "changed"
                  else f'_mta-sts.{name} 1 TXT "v=STSv1; id=20260101000000Z;"']
        lines += [f'_mta-sts.{name} 1 TXT "v=STSv1; id=2"'] * (name == "twice")
    lines += [f"_25._tcp.mx.stale 300 TLSA 3 1 1 {'00' * 32}"]
    return "\n".join(lines) + "\n"


def start_sinks(world, authority):
    """By domain, each with the certificate that the table says."""
    sinks, pairs = {}, {}
    for name, (_, _, kind, _, _) in DOMAINS.items():
        subject = "mx.elsewhere.signed" if kind == "misnamed" else f"mx.{name}.signed"
        signed = kind in ("right", "misnamed", "expired", "clear")
        pairs[name] = (authority.make_pair(name, subject, -1 if kind == "expired" else 30) if signed
                       else make_pair(world, name, subject))
        sinks[name] = TlsSink(ADDRESS[name], "clear" if kind == "clear" else "tls", context_of(pairs[name]))
        sinks[name].start()
    return sinks


def send(text):
    raw = message(text.encode() + b"\r\n", subject="sts")
    equal(post(LIPAP, AUTHOR, [LIST], raw, POSTER)[:3], "250", "answer")
    return raw


def copies(state, name, raw):
    return [version for version, text in state["sinks"][name].taken if text.endswith(raw)]


def goes(state, name, raw, proof):
    """The mail comes, and the log says by what proof."""
    until(40, f"a copy at {name}", lambda: copies(state, name, raw))
    tls = "" if state["sinks"][name].kind == "clear" else f" tls=TLSv1.3 proof={proof}"
    state["lipap"].wait_log(rf"event=delivered .*to=m@{name}\.signed.*{tls}")


def waits(state, name, raw):
    state["lipap"].wait_log(rf"event=deferred .*to=m@{name}\.signed", 60)
    equal(copies(state, name, raw), [], name)


def first(world, state):
    raw = state["first"] = send("to all of them")
    for kind, what in ((PROVEN, "named by the policy and proven by a root"), (OPEN, "without a policy, or with one that only tests")):
        with world.case(f"out: {what}"):
            for name, (*_, proof) in DOMAINS.items():
                if proof == kind:
                    goes(state, name, raw, proof)
    with world.case("out: what an enforced policy does not name, and what does not prove itself, gets nothing"):
        for name, (*_, proof) in DOMAINS.items():
            if proof == KEPT:
                waits(state, name, raw)
    with world.case("out: a policy that tests is counted and told"):
        for name in ("tested", "testedother", "testedclear"):
            state["lipap"].wait_log(rf"event=sts-testing-failed .*domain={name}\.signed")
    with world.case("out: a policy that cannot be had is told, with the reason"):
        for name, why in (("redirected", "not 200.*status=301"), ("html", "text/plain"), ("garbage", "no policy"),
                          ("forged", "self.signed")):
            state["lipap"].wait_log(rf"event=sts-failed domain={name}\.signed .*{why}")
        check("twice" not in state["policies"].asked, "two records are as good as none")
    with world.case("out: each policy was fetched once"):
        for name in ("good", "selfsigned", "redirected"):
            equal(state["policies"].asked.count(name), 1, name)


def again(world, state):
    with world.case("out: the next session with a host is resumed, and with DANE none is"):
        time.sleep(3)  # connections end when nothing more comes
        raw = send("once more")
        goes(state, "good", raw, PROVEN)
        state["lipap"].wait_log(r"event=delivered .*to=m@good\.signed.* proof=sts resumed=yes")
    with world.case("out: a policy whose id changed is fetched anew, and counts at once"):
        waits(state, "changed", raw)
        state["policies"].texts["changed"] = state["policies"].text("changed", ENFORCE, "")
        equal(world.remove(MOVING), "NOERROR", "answer")
        equal(world.update(MOVING, '"v=STSv1; id=2;"'), "NOERROR", "answer")
        goes(state, "changed", raw, PROVEN)
        equal(state["policies"].asked.count("changed"), 2, "fetches")
    with world.case("out: a host that only follows its policy is not let through by it when DANE says no"):
        equal(copies(state, "stale", state["first"]), [], "stale")
        state["lipap"].wait_log(r"event=deferred .*to=m@stale\.signed.*DANE")


def kept(world, state):
    with world.case("kept: who looks at the queue is told why"):
        equal(state["lipap"].stop(), 0, "exit status")
        shown = json.loads(world.run("ptt", "show", world.image, "--json"))
        replies = {w["address"]: w["reply"] for m in shown["queue"] for w in m["waiting"]}
        for name, why in (("unlisted", "does not name it"), ("misnamed", "ostname mismatch"), ("expired", "expired"),
                          ("clear", "offers no TLS")):
            said = replies[f"m@{name}.signed"]
            check("MTA-STS" in said and why in said, said)
        world.run("ptt", "put", world.image, "tls/roots.pem", "--from", state["authority"].path)
        state["lipap"] = world.start_lipap(state["options"], RESOLVER)
    with world.case("kept: after a kill and without its server a policy still counts, with roots of the image"):
        state["lipap"].kill()
        state["policies"].stop()
        state["sinks"]["attacked"].context = context_of(make_pair(world, "attacker", "mx.attacked.signed"))
        state["sinks"]["brief"].context = state["sinks"]["attacked"].context
        state["lipap"] = world.start_lipap(state["options"][2:], RESOLVER)
        raw = send("after a kill")
        goes(state, "good", raw, PROVEN)
        waits(state, "attacked", raw)
    with world.case("kept: one that has expired counts no more"):
        goes(state, "brief", raw, OPEN)
        state["lipap"].wait_log(r"event=sts-failed domain=brief\.signed .*kept=none")


def without_roots(world, state):
    with world.case("off: without roots, and the start says so"):
        equal(state["lipap"].stop(), 0, "exit status")
        world.run("ptt", "rm", world.image, "tls/roots.pem")
        state["lipap"] = world.start_lipap(state["options"][2:], RESOLVER)
        state["lipap"].wait_log(r"event=sts-off")
    with world.case("off: roots that are none are a reason not to start"):
        equal(state["lipap"].stop(), 0, "exit status")
        for path in (world.file("no.pem", "no certificate\n"), world.file("empty.pem", ""), world.image + ".missing"):
            process = world.start("refused", world.lipap_argv(("--ca-file", path)))
            equal(process.popen.wait(30), 1, path)


def run(world):
    for tool in ("unbound", "keymgr"):
        if not shutil.which(tool):
            raise Skip(f"needs {tool}")
    authority = Authority(world)
    state = {"authority": authority, "sinks": start_sinks(world, authority), "policies": Policies(authority, world)}
    path = world.file("signed.zone", zone_text())
    world.start_knot(signed=True, more_zones=f'  - domain: signed\n    file: "{path}"\n')
    equal(world.update(MOVING, '"v=STSv1; id=1;"'), "NOERROR", "answer")
    anchors = {zone: until(20, "DNSKEY", lambda z=zone: dnskey(world, z)) for zone in ("signed", "mailingl.st")}
    start_unbound(world, RESOLVER, anchors, "  cache-max-ttl: 1\n  cache-max-negative-ttl: 1\n")
    world.start_sink()
    world.create([AUTHOR, *(f"m@{name}.signed" for name in DOMAINS)])
    world.start_nec()
    state["options"] = ("--ca-file", authority.path, "--trusted-nameserver", f"udp:{RESOLVER}", "--retry", "1s")
    state["lipap"] = world.start_lipap(state["options"], RESOLVER)
    first(world, state)
    again(world, state)
    kept(world, state)
    without_roots(world, state)
    for sink in state["sinks"].values():
        sink.close()


if __name__ == "__main__":
    rig.main(run, ("lipap", "nec", "ptt"))
