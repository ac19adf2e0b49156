#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Byte sequences by which other servers were made to see a message where there was none, or a command inside a message:
all that stands for an end of data somewhere, stray CR, LF and NUL, commands behind DATA, behind STARTTLS and inside chunks; to
lipap and to nec. Of each session exactly the message arrives that RFC 5321 sees in it, or none.

Tools that others made for this are run when they are in PATH: smtpsmug, smtp_smuggling_scanner.py (SMTP-Smuggling-Tools),
command-injection-tester."""
import itertools
import re
import shutil
import socket
import ssl
import subprocess
import sys

from lib import rig
from lib.mail import AUTHOR, message
from lib.rig import LIPAP, POSTER, SINK, check, equal
from lib.smtp import Lost, Smtp

SIGNER = "127.0.0.4"  # not where lipap looks for one
TO = "postmaster@mailingl.st"  # whom anybody may write to
HEADS = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"\r\n\0", b"\0\r\n", b"\n\r", b"\r\n ", b"")
TAILS = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\0\r\n", b" \r\n", b"\r\n\n")
STRAY = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
# Tools by name: what they are given, what they say when they found something, what they must say (a pattern each), and how many
# true messages they send. smtpsmug's test of pipelining is a message and behind it another, whose text does not wait for 354.
TOOLS = {
    "smtpsmug": (["-f", AUTHOR, "-t", TO, "-c", "{}", LIPAP], r"accepted \(bad!\)|Successfully sent a mail", "SEND:",
                 {**dict.fromkeys(("lflf", "crcr", "crlf", "lfcr", "lfcrlf", "crlflf", "crcrlf", "crlfcr", "nullbefore",
                                   "nullafter"), 0), "pipelining": 1}),
    "smtp_smuggling_scanner.py": ([TO, "--inbound-smtp-server", LIPAP, "--sender-domain", "author.test"], "Traceback",
                                  "Running inbound SMTP smuggling check", {"": 0}),
    "command-injection-tester": (["--smtp", "--smtp-port", "25", LIPAP],
                                 "[Cc]ommand injection here|Probable command injection|Possible command injection",
                                 "Sanity test done", {"": 0}),
}


class Target:
    """A server, and how many messages it has taken so far."""

    def __init__(self, name, address, count):
        self.name, self.address, self.count = name, address, count

    def session(self):
        s = Smtp(self.address, source=POSTER)
        s.command("EHLO attack.test")
        return s

    def to_data(self, s):
        s.command(f"MAIL FROM:<{AUTHOR}>")
        s.command(f"RCPT TO:<{TO}>")
        equal(s.command("DATA")[:3], "354", "DATA")

    def takes(self, wanted, what, play):
        """play(session) in a session; so many messages arrive by it."""
        before = self.count()
        with self.session() as s:
            try:
                play(s)
                s.send(b"QUIT\r\n")
                s.socket.shutdown(socket.SHUT_WR)  # else it would listen for a while after it has hung up
                s.closed()
            except TimeoutError:
                raise
            except (Lost, OSError):
                pass  # it hung up on us: what counts is what it has taken
        equal(self.count() - before, wanted, f"{what}: messages taken")


def smuggled(text=b"smuggled\r\n"):
    return f"MAIL FROM:<{AUTHOR}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n".encode() + message(text, sender="someone@mailingl.st")


def letter(text):
    return message(text, sender="someone@mailingl.st")


def pieces(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


def ends_of_data(target):
    with target.world.case(f"{target.name}: whatever looks like an end of data, behind it is no second message"):
        for head, tail in itertools.product(HEADS, TAILS):
            if (head, tail) == (b"\r\n", b"\r\n"):
                continue
            whole = letter(b"one" + head + b"." + tail + smuggled()) + b".\r\n"
            # Without a stray the first true end ends it; a dot that is doubled, or has more behind it, is text.
            text = whole[:whole.index(b"\r\n.\r\n") + 5]
            wanted = 0 if STRAY.search(text) else 1
            for size in (len(whole), 7):
                def play(s, size=size):
                    target.to_data(s)
                    for piece in pieces(whole, size):
                        s.send(piece)
                target.takes(wanted, f"{head!r} . {tail!r} by {size}", play)


def strays_in_commands(target):
    with target.world.case(f"{target.name}: a stray CR, LF or NUL in a command ends the session, and nothing behind it is run"):
        for stray in (b"\n", b"\r", b"\0", b"\r\r\n", b"\n\r\n", b"\r\0\n"):
            for line in (b"NOOP", f"MAIL FROM:<{AUTHOR}>".encode(), b"X" * 3000):
                def play(s, line=line, stray=stray):
                    s.send(line + stray + smuggled() + b".\r\n")
                    s.socket.shutdown(socket.SHUT_WR)
                    said = s.closed()
                    check(said.startswith((b"500 5.5.2 ", b"2")) and b"\r\n354" not in said, f"{line[:20]!r} {stray!r}: {said!r}")
                target.takes(0, f"{line[:20]!r} {stray!r}", play)


def behind_data(target):
    with target.world.case(f"{target.name}: a message that does not wait for 354 is none, nor are commands behind it"):
        for start in (smuggled() + b".\r\n", smuggled() + b".\r\n" + smuggled() + b".\r\n"):
            target.takes(0, "in one piece", lambda s, start=start: s.send(start))


def chunks(target):
    with target.world.case(f"{target.name}: commands inside a chunk are text, and a chunk that is refused is dropped"):
        hidden = smuggled() + b".\r\n"
        envelope = f"MAIL FROM:<{AUTHOR}>\r\nRCPT TO:<{TO}>\r\n".encode()
        body = letter(b"x\r\n" + hidden)
        target.takes(1, "inside", lambda s: s.send(envelope + b"BDAT %d LAST\r\n" % len(body) + body))
        target.takes(0, "without an envelope", lambda s: s.send(b"BDAT %d LAST\r\n" % len(hidden) + hidden))
        target.takes(0, "a size that is none", lambda s: s.send(envelope + b"BDAT 1x LAST\r\n" + hidden))
        target.takes(0, "a stray at the seam", lambda s: s.send(envelope + b"BDAT 2\r\na\rBDAT 4 LAST\r\nb\r\n." + hidden))
        target.takes(0, "more than it has", lambda s: s.send(envelope + b"BDAT %d LAST\r\n" % (len(hidden) + 9) + hidden))


def behind_starttls(target):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with target.world.case(f"{target.name}: what is sent in the clear behind STARTTLS is never run, neither then nor under TLS"):
        for injected in (b"NOOP\r\n", b"EHLO injected.test\r\n", smuggled() + b".\r\n", b"\0", b"\r\n"):
            def play(s, injected=injected):
                s.send(b"STARTTLS\r\n" + injected)
                check(s.answer()[:3] == "503", f"{injected[:20]!r} behind STARTTLS")
                s.socket.shutdown(socket.SHUT_WR)
                equal(s.closed(), b"", "what more it says")
            target.takes(0, repr(injected[:20]), play)

            def late(s, injected=injected):
                equal(s.command("STARTTLS")[:3], "220", "STARTTLS")
                s.send(injected)
                try:
                    s.socket = context.wrap_socket(s.socket)
                except (ssl.SSLError, ConnectionError, OSError):
                    return
                check(False, "the handshake went on")
            target.takes(0, repr(injected[:20]), late)

        def from_before(s):
            s.command(f"MAIL FROM:<{AUTHOR}>")
            equal(s.command("STARTTLS")[:3], "503", "STARTTLS in a transaction")
            s.command("RSET")
            equal(s.command("STARTTLS")[:3], "220", "STARTTLS")
            s.socket = context.wrap_socket(s.socket)
            equal(s.command(f"MAIL FROM:<{AUTHOR}>")[:3], "503", "MAIL without a new EHLO")
        target.takes(0, "a session from before TLS", from_before)


def tools(world, count):
    for name, (words, bad, good, variants) in TOOLS.items():
        path = shutil.which(name)
        if not path:
            print(f"skip {name}: not in PATH", flush=True)
            continue
        with open(path, "rb") as f:
            argv = [path] if f.read(2) in (b"#!", b"\x7fE") else [sys.executable, path]  # as it is in its repository
        with world.case(f"{name} finds nothing"):
            for variant, messages in variants.items():
                before = count()
                done = subprocess.run(argv + [word.format(variant) for word in words], capture_output=True, text=True, timeout=120,
                                      cwd=world.folder, stdin=subprocess.DEVNULL)
                said = done.stdout + done.stderr
                check(re.search(good, said) and not re.search(bad, said), f"{variant}: {said[-500:]}")
                equal(count() - before, messages, f"{variant}: messages taken")


def run(world):
    world.start_knot()
    world.create([AUTHOR])
    sink = world.start_sink()
    lipap = world.start_lipap()
    lipap.wait_log(r" tls event=key ", 20)
    nec = world.start_nec(destination=SINK, listen=SIGNER)
    targets = [Target("lipap", LIPAP, lambda: len(re.findall(r" smtp event=accepted ", lipap.log()))),
               Target("nec", SIGNER, lambda: len(sink.taken()))]
    for target in targets:
        target.world = world
        ends_of_data(target)
        strays_in_commands(target)
        behind_data(target)
    chunks(targets[0])
    behind_starttls(targets[0])
    tools(world, targets[0].count)
    with world.case("both are well, and a message is taken as ever"):
        for target in targets:
            def play(s, target=target):
                target.to_data(s)
                equal(s.data(letter(b"the last\r\n"))[:3], "250", "answer")
            target.takes(1, "a message", play)
        equal(sink.faults, [], "faults that the next hop saw")
    equal((lipap.stop(), nec.stop()), (0, 0), "exit statuses")


rig.main(run, ["lipap", "nec", "ptt"])
