#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""TLS of lipap with clients and servers not written here: openssl, swaks, Python's ssl, and the zone of a real knot."""
import re
import ssl
import subprocess

from lib import rig
from lib.mail import AUTHOR, LIST, fields, message
from lib.rig import DNS, LIPAP, POSTER, SINK, TEST_ZONE, check, equal, until
from lib.smtp import Smtp, post
from lib.tls import TlsSink, key_hash, make_pair

TLSA = "_25._tcp.mx.mailingl.st"
MEMBERS = {"tls": ("m@tls.test", "127.0.0.20"), "refuses": ("m@refuses.test", "127.0.0.21"),
           "broken": ("m@broken.test", "127.0.0.22"), "plain": ("m@plain.test", SINK)}
ZONE = TEST_ZONE + "".join(f"{kind} 300 MX 10 mx.{kind}\nmx.{kind} 300 A {address}\n"
                           for kind, (_, address) in MEMBERS.items())


def handshake(*options):
    """What openssl sees of lipap: (exit status, everything printed)."""
    done = subprocess.run(["openssl", "s_client", "-starttls", "smtp", "-connect", f"{LIPAP}:25", "-name", "c.test", *options],
                          input=b"QUIT\r\n", capture_output=True, timeout=30)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def certificate():
    """The server's certificate in PEM."""
    found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", handshake()[1], re.S)
    check(found, "no certificate was shown")
    return found[0]


def has_hash(record, pem):
    usage, selector, matching, *digest = record.split()
    return [usage, selector, matching] == ["3", "1", "1"] and "".join(digest).lower() == key_hash(pem)


def session(context, before=None):
    """(whether it was resumed, what may be) of a connection."""
    with Smtp(LIPAP, source=POSTER) as s:
        s.command("EHLO author.test")
        equal(s.command("STARTTLS")[:3], "220", "answer")
        with context.wrap_socket(s.socket, server_hostname="mx.mailingl.st", session=before) as tls:
            tls.sendall(b"EHLO author.test\r\nQUIT\r\n")
            while tls.recv(4096):
                pass
            return tls.session_reused, tls.session


def receiving(world, state):
    with world.case("in: TLS 1.3 and 1.2, nothing older, our own certificate for our name"):
        for version in ("TLSv1.3", "TLSv1.2"):
            status, said = handshake("-" + version.replace("v", "").replace(".", "_").lower())
            check(status == 0 and f"{version}, Cipher is" in said, said)
        status, said = handshake("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        check("Cipher is (NONE)" in said, said)
        text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=certificate().encode(), capture_output=True,
                              check=True).stdout.decode()
        check("DNS:mx.mailingl.st" in text and "Public-Key: (2048 bit)" in text, text)
    with world.case("in: a post under TLS by swaks is taken, and Received says so"):
        done = subprocess.run(["swaks", "--server", LIPAP, "--local-interface", POSTER, "--tls", "--from", AUTHOR, "--to", LIST,
                               "--ehlo", "author.test", "--data", message(b"under TLS\r\n", subject="tls").decode()],
                              capture_output=True, timeout=60)
        check(done.returncode == 0, done.stdout.decode(errors="replace")[-2000:])
        copy = until(30, "a copy", lambda: [c for c in state["sink"].taken(MEMBERS["plain"][0]) if b"under TLS" in c.bytes()])
        received = [value for name, value in fields(copy[0].bytes()) if name == "received"]
        check(any(" with ESMTPS " in r for r in received), f"{received}")
    with world.case("in: bytes behind STARTTLS, and behind its 220 in the clear, end the session"):
        with Smtp(LIPAP, source=POSTER) as s:
            s.command("EHLO author.test")
            s.send(b"STARTTLS\r\nMAIL FROM:<x@author.test>\r\n")
            equal(s.answer()[:3], "503", "answer")
            s.closed()
        with Smtp(LIPAP, source=POSTER) as s:
            s.command("EHLO author.test")
            equal(s.command("STARTTLS")[:3], "220", "answer")
            s.send(b"MAIL FROM:<x@author.test>\r\n")
            check(not s.closed().startswith(b"2"), "it was obeyed")
    with world.case("in: sessions are resumed, with TLS 1.3 and 1.2"):
        for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.minimum_version = context.maximum_version = version
            is_resumed, kept = session(context)
            equal(is_resumed, False, "resumed at first")
            equal(session(context, kept)[0], True, f"{version.name} resumed")
    with world.case("in: many sessions at once, and one that stalls in the handshake holds nobody up"):
        stalled = Smtp(LIPAP, source=POSTER)
        stalled.command("EHLO author.test")
        stalled.command("STARTTLS")
        for _ in range(20):
            equal(handshake()[0], 0, "exit status")
        stalled.close()


def publishing(world, state):
    with world.case("zone: the TLSA records of this key and the next one's"):
        records = until(30, "TLSA records", lambda: world.query(TLSA, "TLSA"))
        state["records"], state["pem"] = sorted(records), certificate()
        equal(len(records), 2, "records")
        equal(sum(has_hash(r, state["pem"]) for r in records), 1, "of the key in use")
    with world.case("zone: a restart finds the same key, and puts right what was spoilt meanwhile"):
        equal(state["lipap"].stop(), 0, "exit status")
        name, _, secret = world.list_tsig.split(":")
        done = subprocess.run(["knsupdate", "-y", f"hmac-sha256:{name}:{secret}"], capture_output=True, timeout=30,
                              input=f"server {DNS}\nzone mailingl.st.\ndel {TLSA}. TLSA\n"
                                    f"add {TLSA}. 60 TLSA 3 1 1 {'0' * 64}\nsend\n".encode())
        equal((done.returncode, world.query(TLSA, "TLSA")), (0, [f"3 1 1 {'0' * 64}"]), "spoilt")
        state["lipap"] = world.start_lipap(state["options"])
        state["lipap"].wait_log("event=key ")
        until(30, "the records", lambda: sorted(world.query(TLSA, "TLSA")) == state["records"])
        equal(key_hash(certificate()), key_hash(state["pem"]), "key")


def delivering(world, state):
    raw = message(b"to everybody\r\n", subject="out")
    equal(post(LIPAP, AUTHOR, [LIST], raw, POSTER)[:3], "250", "answer")

    def copies(kind):
        return until(30, f"a copy at {kind}", lambda: [c for c in state[kind].taken if c[1].endswith(raw)])
    with world.case("out: under TLS where it is offered"):
        equal(copies("tls")[0][0], "TLSv1.3", "version")
        state["lipap"].wait_log(r"event=delivered .*to=m@tls\.test.* tls=TLSv1\.3")
    with world.case("out: in the clear where STARTTLS is refused, and where the handshake fails"):
        for kind in ("refuses", "broken"):
            equal([version for version, _ in copies(kind)], [""], kind)
        state["lipap"].wait_log(r"event=tls-failed peer=127\.0\.0\.22:25")


def given(world, state):
    pem, key = make_pair(world, "ours", "mx.mailingl.st")
    other = make_pair(world, "other", "else.example")[1]
    equal(state["lipap"].stop(), 0, "exit status")
    with world.case("given: a certificate and its key are used"):
        state["lipap"] = world.start_lipap(("--tls-cert", pem, "--tls-key", key))
        with open(pem, encoding="ascii") as f:
            equal(key_hash(certificate()), key_hash(f.read()), "key")
        equal(state["lipap"].stop(), 0, "exit status")
    with world.case("given: a key of another certificate, and one without the other, are reasons not to start"):
        for more, status in ((("--tls-cert", pem, "--tls-key", other), 1), (("--tls-cert", pem), 64)):
            process = world.start("refused", world.lipap_argv(more))
            equal(process.popen.wait(30), status, " ".join(more))
    with world.case("given: the certificate and its key in the image are used; one alone is a reason not to start"):
        world.run("ptt", "put", world.image, "tls/cert.pem", "--from", pem)
        process = world.start("refused", world.lipap_argv())
        equal(process.popen.wait(30), 1, "exit status")
        check("event=certificate-refused" in process.log(), process.log())
        world.run("ptt", "put", world.image, "tls/key.pem", "--from", key)
        state["lipap"] = world.start_lipap()
        with open(pem, encoding="ascii") as f:
            equal(key_hash(certificate()), key_hash(f.read()), "key")
        equal(state["lipap"].stop(), 0, "exit status")


def run(world):
    world.start_knot(test_zone=ZONE)
    sink = world.start_sink()
    certificate_file, key = make_pair(world, "sink", "mx.sink")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key)
    state = {"sink": sink, "options": ("--dns-server", DNS, "--dns-key-file", world.file("lipap.key", world.list_tsig))}
    for kind in ("tls", "refuses", "broken"):
        state[kind] = TlsSink(MEMBERS[kind][1], kind, context)
        state[kind].start()
    world.create([AUTHOR, *(address for address, _ in MEMBERS.values())])
    world.start_nec()
    state["lipap"] = world.start_lipap(state["options"])
    state["lipap"].wait_log("event=key ")
    receiving(world, state)
    publishing(world, state)
    delivering(world, state)
    given(world, state)
    for kind in ("tls", "refuses", "broken"):
        state[kind].close()


if __name__ == "__main__":
    rig.main(run, ("lipap", "nec", "ptt"))
