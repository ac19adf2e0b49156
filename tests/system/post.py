#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A list with its signer, from `ptt create` to the copies at the subscribers' servers."""
import os
import re
import subprocess

from lib import rig, verify
from lib.mail import AUTHOR, LIST, fields, message
from lib.rig import LIPAP, POSTER, TEST_ZONE, check, equal, until
from lib.smtp import Smtp

MEMBERS = [AUTHOR] + [f"member{n}@sub{n}.test" for n in range(1, 8)]
POSTFIX = "reader@postfix.test"
ZONE = TEST_ZONE + "postfix 300 MX 10 mx.postfix\nmx.postfix 300 A 127.0.0.20\n"
RETURN = re.compile(r"ptt-return-[a-z2-7]{24}@mailingl\.st")


def swaks(world, name, raw, *options):
    """Posts a message with swaks, which is told to leave the bytes alone: its own mending loses a last lone dot."""
    path = os.path.join(world.folder, name.replace(" ", "-"))
    with open(path, "wb") as f:
        f.write((b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:] + b".")
    done = subprocess.run(["swaks", "--server", LIPAP, "--local-interface", POSTER, "--helo", "poster.author.test",
                           "--from", AUTHOR, "--to", LIST, "--data", "@" + path, "--no-data-fixup", "--timeout", "60", *options],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
    check(done.returncode == 0, f"swaks: status {done.returncode}: " + done.stdout.decode(errors="replace")[-600:])


def smtp(_world, _name, raw):
    with Smtp(LIPAP, source=POSTER) as s:
        s.command("EHLO poster.author.test")
        said = s.post(AUTHOR, [LIST], raw, " BODY=8BITMIME")
        check(said.startswith("250 2."), f"answered {said!r}")


def two_in_a_session(_world, _name, raw):
    """The second of two is the one that is looked at; the first is of another list."""
    with Smtp(LIPAP, source=POSTER) as s:
        s.command("EHLO poster.author.test")
        equal(s.post(AUTHOR, ["other@mailingl.st"], message(to="other@mailingl.st", number=1))[:3], "250", "first")
        equal(s.post(AUTHOR, [LIST], raw)[:3], "250", "second")


def lines(count, text):
    return b"".join(b"%d %s\r\n" % (n, text) for n in range(count))


POSTS = [
    ("plain", message(), swaks),
    ("pipelined", message(subject="Pipelined"), lambda w, n, raw: swaks(w, n, raw, "--pipeline")),
    ("dots", message(b".\r\n..\r\n...three\r\n.x\r\nend.\r\n.\r\n"), swaks),
    ("8-bit", message("Grüße, žluťoučký 🐎\r\n".encode() + bytes(range(128, 256)) + b"\r\n"), smtp),
    ("5 MB", message(lines(65536, b"x" * 72)), swaks),
    ("empty body", message(b""), smtp),
    ("white space at line ends, empty lines at the end", message(b"a \t\r\n  b  c \r\n\r\n\r\n\r\n"), smtp),
    ("a line of 998 octets", message(b"y" * 998 + b"\r\n"), smtp),
    ("folded and repeated fields", message(more="X-A: one\r\n two\r\nX-A:\tthree\r\nX-B: x@author.test\r\n"), smtp),
    ("second of a session", message(subject="Second"), two_in_a_session),
]


def distribution(world, sink):
    """Each kind of post: one copy for every member, byte for byte what was posted behind the fields put in front."""
    copies, total = [], 0
    for name, raw, send in POSTS:
        with world.case(f"post: {name}"):
            seen = len(sink.taken())
            expected = len(MEMBERS) + (1 if send is two_in_a_session else 0)
            send(world, name, raw)
            sink.wait(seen + expected, 30)
            new = [c for c in sink.taken()[seen:] if c.bytes().endswith(raw)]
            equal(sorted(c.recipients[0] for c in new), sorted(MEMBERS), "recipients of exact copies")
            equal(len({c.sender for c in new}), len(MEMBERS), "different return paths")
            check(all(RETURN.fullmatch(c.sender) for c in new), f"return paths {[c.sender for c in new]}")
            copies += [new[0], new[-1]]
        total += len(MEMBERS)
    with world.case("each copy verifies with dkimpy, Mail::DKIM and blaze, against the records in the zone"):
        check(len(copies) == 2 * len(POSTS), "not all posts arrived")
        verify.all_agree(world, copies)
    return copies


def headers(world, copies):
    with world.case("a copy carries the list's header fields"):
        found = dict(reversed(fields(copies[0].bytes())))
        check("<ptt.mailingl.st>" in found.get("list-id", ""), f"List-Id: {found.get('list-id')}")
        check("mailto:ptt@mailingl.st" in found.get("list-post", ""), f"List-Post: {found.get('list-post')}")
        equal(found.get("precedence"), "list", "Precedence")
        names = [n for n, _ in fields(copies[0].bytes())]
        equal([names.count(n) for n in ("from", "message-id", "date", "list-id")], [1] * 4, "counts")
        equal(names.count("dkim-signature"), 2, "signatures, one by RSA and one by Ed25519")
        check("received" in names, "no Received")


def postfix(world):
    """smtp-sink from Postfix as a receiver: a second opinion on our client."""
    with world.case("Postfix's smtp-sink receives too"):
        folder = os.path.join(world.folder, "postfix")
        os.mkdir(folder)
        # -d: one file a message; -u: asked for when root, as one is in a user namespace
        receiver = world.start("smtp-sink", ["smtp-sink", "-u", "root", "-d", os.path.join(folder, "%M."), "127.0.0.20:25", "100"])
        receiver.wait_listens("127.0.0.20")
        raw = message(b".dot\r\nto postfix\r\n", to="second@mailingl.st")
        with Smtp(LIPAP, source=POSTER) as s:
            s.command("EHLO poster.author.test")
            equal(s.post(AUTHOR, ["second@mailingl.st"], raw)[:3], "250", "reply")

        def arrived():
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), "rb") as f:
                    text = f.read()
                if text.rstrip().endswith(b"to postfix"):
                    return text
            return None
        text = until(20, "a copy at smtp-sink", arrived)
        check(b"\n.dot\n" in text.replace(b"\r\n", b"\n"), f"the dot line changed: {text[-80:]!r}")
        check(b"ptt.mailingl.st" in text or b"second.mailingl.st" in text, "no List-Id")
        equal(len(os.listdir(folder)), 1, "messages at smtp-sink")


def last(world, sink, nec, lipap):
    with world.case("nobody got anything twice, and no line was malformed"):
        equal(sink.faults, [], "faults seen by the sink")
        pairs = [(c.recipients[0], dict(fields(c.bytes()))["message-id"]) for c in sink.taken()]
        equal(len(pairs), len(set(pairs)), "pairs of message and member")
    with world.case("both stop at once when asked, with status 0"):
        equal((lipap.stop(), nec.stop()), (0, 0), "exit statuses")
    with world.case("no log holds a secret"):
        for process in (nec, lipap):
            for secret in (world.password, world.list_password, world.tsig.split(":")[2]):
                check(secret not in process.log(), f"{process.name} printed one")


def run(world):
    world.start_knot(test_zone=ZONE)
    sink = world.start_sink()
    world.create(MEMBERS)
    world.create([AUTHOR], name="other")
    world.create([POSTFIX], name="second", settings=["--posting", "open"])
    lipap, nec = world.start_lipap(), world.start_nec()
    copies = distribution(world, sink)
    if copies:
        headers(world, copies)
    postfix(world)
    last(world, sink, nec, lipap)


rig.main(run, ["nec", "lipap", "ptt", "blaze"])
