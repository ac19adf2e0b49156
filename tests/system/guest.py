#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""lipap and nec as unikernels: a list with its signer, both killed and started again while people post.

Everybody sits on one bridge; each guest has a tap device of its own. A machine whose tender is not in PATH is skipped,
and so is all of it where `ninja guests` was not run. Solo5's here; QEMU's, which take longer, in guest_virtio.py.
"""
import contextlib
import os
import resource
import ssl
import subprocess
import time
from collections import Counter

os.environ["PTT_RIG_NET"] = "10.77.0"

from lib import exposition, rig, verify  # noqa: E402
from lib.mail import AUTHOR, LIST, message  # noqa: E402
from lib.machines import Guests  # noqa: E402
from lib.rig import DNS, LIPAP, LONG, NEC, POSTER, check, equal, until  # noqa: E402
from lib.smtp import Lost, Smtp  # noqa: E402

MEMBERS = [AUTHOR, "member1@sub1.test", "member2@sub2.test"]
POSTS = 100 if LONG else 20
IDLE = 1000  # sessions that say nothing, in a guest of 128 MB; fewer than those from which on idle ones make room
KILLS = {7: ["lipap"], 14: ["lipap", "nec"]}  # before which post who dies


class Servers(Guests):
    """The programs as guests."""

    def start_nec(self, ready=True):
        process = self.start("nec", self.guest("nec", NEC, [
            "--name", "nec", "--domain", "mailingl.st", "--password", self.password, "--dns-server", DNS, "--dns-key", self.tsig,
            "--destination", LIPAP, "--memory", "32M", "--authserv-id", "mailingl.st", "--metrics", NEC]))
        process.wait_listens(NEC, seconds=self.machine.patience)
        if ready:
            self.wait_ready(process)
        return process

    def start_lipap(self, more=()):
        process = self.start("lipap", self.guest("lipap", LIPAP, [
            "--name", "lipap", "--domain", "mailingl.st", "--hostname", "mx.mailingl.st", "--signer", NEC, "--signer-network", f"{NEC}/32",
            "--signer-network", f"{DNS}/32", "--nameserver", f"udp:{DNS}", "--password", self.list_password, "--retry", "2s",
            "--authserv-id", "mx.mailingl.st", "--metrics", LIPAP, "--sessions-per-address", "0", *more], self.image))
        process.wait_log(r"event=ready\b", self.machine.patience)
        process.wait_listens(LIPAP)
        return process


def post_once(raw):
    """Whether the message was answered 250."""
    try:
        with Smtp(LIPAP, source=POSTER, timeout=20) as s:
            s.command("EHLO poster.author.test")
            return s.post(AUTHOR, [LIST], raw).startswith("250")
    except (OSError, Lost):
        return False


def swaks(world, raw):
    path = os.path.join(world.folder, "swaks.eml")
    with open(path, "wb") as f:
        f.write(raw + b".")
    done = subprocess.run(["swaks", "--server", LIPAP, "--local-interface", POSTER, "--helo", "poster.author.test",
                           "--from", AUTHOR, "--to", LIST, "--data", "@" + path, "--no-data-fixup", "--timeout", "60"],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
    check(done.returncode == 0, f"swaks: status {done.returncode}: " + done.stdout.decode(errors="replace")[-600:])


def copies_of(sink, raw):
    return [c for c in sink.taken() if c.bytes().endswith(raw)]


def first_posts(world, sink):
    with world.case(f"{world.machine.name}: a post by swaks, one of 5 MB, each at every member, byte for byte"):
        for raw in (message(b".\r\n..x\r\n"), message(b"0123456789abcdef" * 4 + b"\r\n" + b"large\r\n" * 750000)):
            swaks(world, (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:])
            until(60, "copies", lambda: len(copies_of(sink, raw)) == len(MEMBERS))
            equal(sorted(c.recipients[0] for c in copies_of(sink, raw)), sorted(MEMBERS), "recipients")


def idle(world, sink):
    """In a guest of 128 MB."""
    with world.case(f"{world.machine.name}: {IDLE} idle sessions, and beside most of them a post on its way"), \
            contextlib.ExitStack() as stack:
        began = time.monotonic()
        sessions = [stack.enter_context(Smtp(LIPAP, source=POSTER if n < 900 else DNS)) for n in range(IDLE)]
        for s in sessions:
            equal(s.greeting[:3], "220", "greeting")
            equal(s.command("EHLO idle.author.test")[:3], "250", "EHLO")
        print(f"{world.machine.name}: {IDLE} sessions in {time.monotonic() - began:.1f} s", flush=True)
        raw = message(b"Idle.\r\n", number=f"{world.machine.name}-idle")
        for s in sessions[-50:]:  # else the last places are nec's alone
            s.close()
        until(20, "the post is accepted", lambda: post_once(raw))
        until(60, "copies", lambda: len(copies_of(sink, raw)) == len(MEMBERS))
        for s in sessions[:-50]:
            equal(s.command("NOOP")[:3], "250", "NOOP")


def secured(world):
    with world.case(f"{world.machine.name}: a session under TLS"):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

        def offered():
            with Smtp(LIPAP, source=POSTER) as s:
                return "STARTTLS" in s.command("EHLO tls.author.test")
        until(60, "STARTTLS is offered", offered)
        with Smtp(LIPAP, source=POSTER) as s:
            s.command("EHLO tls.author.test")
            equal(s.command("STARTTLS")[:3], "220", "STARTTLS")
            s.socket = context.wrap_socket(s.socket)
            equal((s.socket.version(), s.command("EHLO tls.author.test")[:3]), ("TLSv1.3", "250"), "under TLS")


def watched(world):
    with world.case(f"{world.machine.name}: metrics that a strict reader takes, and health"):
        for address, handled in ((LIPAP, "lipap_handovers_total"), (NEC, "nec_messages_signed_total")):
            equal(exposition.get(address, "/healthz")[0], 200, f"health of {address}")
            equal(exposition.scrape(address)[handled, ()], 2, f"{handled} after two posts")


def killed_while_posting(world, sink, programs):
    """Posts one after the other; the victims die in the middle of what was accepted last."""
    sent = []
    for number in range(POSTS):
        for name in KILLS.get(number % 20, []):
            programs[name].kill()
            programs[name] = world.start_lipap() if name == "lipap" else world.start_nec(ready=False)
        raw = message(b"Post %d.\r\n" % number, number=f"{world.machine.name}-{number}")
        until(60, f"post {number} is accepted", lambda: post_once(raw) or time.sleep(0.2))
        sent.append(raw)
    with world.case(f"{world.machine.name}: {POSTS} posts, killed on the way: every member has each"):
        until(120, "all copies", lambda: all(
            {c.recipients[0] for c in copies_of(sink, raw)} == set(MEMBERS) for raw in sent))
        extra = sum(n - 1 for raw in sent for n in Counter(c.recipients[0] for c in copies_of(sink, raw)).values())
        cut = {e.conn for e in sink.events if e.kind == "close" and e.text != "quit"}
        print(f"{world.machine.name}: {extra} copies came twice; {len(cut)} connections were cut", flush=True)
        check(extra <= len(cut), f"{extra} copies came twice, but {len(cut)} connections were cut")
    with world.case(f"{world.machine.name}: what came is signed, and nothing was malformed"):
        verify.all_agree(world, copies_of(sink, sent[0])[:1] + copies_of(sink, sent[-1])[:1])
        equal(sink.faults, [], "faults")


def on_machine(world, machine):
    world.image = os.path.join(world.folder, f"{machine.name}.img")
    sink = world.start_sink(name=f"sink-{machine.name}.test")
    world.create(MEMBERS)
    programs = {"nec": world.start_nec(), "lipap": world.start_lipap()}
    first_posts(world, sink)
    watched(world)
    secured(world)
    idle(world, sink)
    killed_while_posting(world, sink, programs)
    for program in programs.values():
        program.kill()
    with world.case(f"{machine.name}: the image is sound"):
        world.run("ptt", "check", world.image, "--repair", "--not-running")
        world.run("ptt", "check", world.image)
    sink.close()
    world.sinks.remove(sink)


def run(world, leave=("virtio", "virtio-q35")):
    resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + 200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    for number, machine in enumerate(world.machines("lipap", leave)):
        if number == 0:
            world.start_knot()
        on_machine(world, machine)


if __name__ == "__main__":
    rig.main(run, ["ptt", "blaze"], Servers)
