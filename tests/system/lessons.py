#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Faults that other services of this kind have had, each looked for here: see docs/lessons.md."""
import base64
import json
import os
import re
import shutil
import subprocess
import time

from lib import rig
from lib.mail import AUTHOR, LIST, fields, message
from lib.rig import LIPAP, POSTER, STRANGER, TEST_ZONE, check, equal, until
from lib.smtp import Lost, Smtp, post

READER = "reader@sub1.test"
LONG_NAME = "a-long.name-with-hyphens.12345"
LATER = {"l421@sub21.test": ("rcpt", "421 4.3.2 closing"), "l450@sub22.test": ("rcpt", "450 4.2.1 greylisted"),
         "l451@sub23.test": ("rcpt", "451 4.3.0 trouble"), "l452@sub24.test": ("rcpt", "452 4.2.2 full"),
         "l450d@sub25.test": ("dot", "450 4.7.1 not now"), "l421d@sub26.test": ("dot", "421 4.4.2 bye")}
TIMES = 3  # each of these is said so often before the mail is taken
NEVER = "never@sub27.test"
NEIGHBOURS = [f"n{n}@sub30.test" for n in range(12)]
GONE = NEIGHBOURS[:8]  # so that each of four connections hears a refusal first


def good(text, to=LIST, **more):
    raw = message(text.encode() + b"\r\n", to=to, **more)
    said = post(LIPAP, AUTHOR, [to], raw, POSTER)
    equal(said[:3], "250", f"answer to {text!r} ({said})")
    return raw


def copies_of(sink, raw, member=None):
    return [c for c in sink.taken(member) if c.bytes().endswith(raw)]


def show(world):
    """What `ptt show --json` knows; only while lipap is stopped."""
    return json.loads(world.run("ptt", "show", world.image, "--json"))


# a disk that fails

# (name, kind of call, how many more of it pass, size of the message)
FAILURES = [
    ("the flush of the message", "flush", 0, 100),
    ("the flush of the row", "flush", 1, 100),
    ("a write of the message", "write", 0, 400000),
    ("a write of the row", "write", 1, 100),
]


def library(world):
    """The library that makes lipap's disk fail; None when it cannot be made here."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return None
    path = os.path.join(world.folder, "bad_disk.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib", "bad_disk.c")
    done = subprocess.run([compiler, "-shared", "-fPIC", "-o", path, source], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    check(done.returncode == 0, done.stderr)
    return path


def one_failure(world, sink, preload, number, kind, passes, size):
    switch = os.path.join(world.folder, f"bad-{number}")
    world.image = os.path.join(world.folder, f"bad-{number}.img")
    world.create([AUTHOR, READER])
    lipap = world.start("lipap", world.lipap_argv(), env={"LD_PRELOAD": preload, "BAD_DISK": switch})
    lipap.wait_listens(LIPAP)
    kept = [good(f"kept {number} {n}") for n in range(3)]
    with Smtp(LIPAP, source=POSTER) as other:
        other.command("EHLO other.test")
        other.command(f"MAIL FROM:<{AUTHOR}>")
        other.command(f"RCPT TO:<{LIST}>")
        equal(other.command("DATA")[:3], "354", "DATA of another session")
        with open(f"{switch}.{kind}", "w", encoding="ascii") as f:
            f.write(str(passes))
        raw = message(b"refused %d\r\n" % number + b"x" * 70 + b"\r\n" * (size // 2))
        said = post(LIPAP, AUTHOR, [LIST], raw, POSTER)
        equal(said[:9], "421 4.3.0", "answer")
        try:
            check(other.data(message(b"too late\r\n"))[:3] == "421", "another session is not told 421")
        except Lost:
            pass  # closed: no promise was made
    until(10, "lipap ends", lambda: lipap.popen.poll() is not None)
    equal(lipap.popen.returncode, 1, "exit status")
    check(re.search(r" error store event=(disk|database)-failed ", lipap.log()), "the log does not name the disk")
    check(re.search(r" error lipap event=storage-failed ", lipap.log()), "the log does not say why it ended")
    again, nec = world.start_lipap(), world.start_nec()
    for text in kept:
        for member in (AUTHOR, READER):
            until(30, f"an accepted post at {member}", lambda: copies_of(sink, text, member))
            equal(len(copies_of(sink, text, member)), 1, f"copies at {member}")
    for member in (AUTHOR, READER):  # its author was told to send it again: once at most from us
        check(len(copies_of(sink, raw, member)) <= 1, f"the refused post twice at {member}")
    equal((again.stop(), nec.stop()), (0, 0), "exit statuses afterwards")


def bad_disk(world, sink):
    preload = library(world)
    for number, (name, kind, passes, size) in enumerate(FAILURES):
        if not preload:
            print(f"skip disk: {name} fails: no C compiler", flush=True)
            continue
        with world.case(f"disk: {name} fails: 421, status 1, and what was accepted arrives"):
            one_failure(world, sink, preload, number, kind, passes, size)


def damaged_image(world):
    """The database inside the volume is replaced behind our back, by mtools."""
    for name, text in (("its database is garbage", os.urandom(4096)), ("its database is empty", b"")):
        with world.case(f"image: {name}: it says so and does not start"):
            world.image = os.path.join(world.folder, "damaged.img")
            if os.path.exists(world.image):
                os.unlink(world.image)
            world.create([AUTHOR])
            spoilt = os.path.join(world.folder, "spoilt")
            with open(spoilt, "wb") as f:
                f.write(text)
            subprocess.run(["mdel", "-i", world.image, "::ptt.db-wal"], check=True)
            subprocess.run(["mcopy", "-o", "-i", world.image, spoilt, "::ptt.db"], check=True)
            lipap = world.start("lipap", world.lipap_argv())
            until(10, "it ends", lambda: lipap.popen.poll() is not None)
            equal(lipap.popen.returncode, 1, "exit status")
            check(re.search(r" error lipap event=image-refused .*damaged\.img", lipap.log()), "it does not say so")


# deliveries

def for_now(world, sink, state):
    with world.case("out: every 4yz is tried again, more than once, at the recipient and at the dot"):
        raw = good("for now", "later@mailingl.st")
        for member in LATER:
            until(90, f"a copy for {member}", lambda: copies_of(sink, raw, member))
            equal(len(copies_of(sink, raw, member)), 1, f"copies for {member}")
            equal(state["said"][member], TIMES, f"refusals of {member}")


def neighbours(world, sink):
    with world.case("out: one refused recipient harms no other of its domain, nor the connection"):
        raw = good("neighbours", "neighbours@mailingl.st")
        for member in set(NEIGHBOURS) - set(GONE):
            until(30, f"a copy for {member}", lambda: copies_of(sink, raw, member))
        kinds = {}
        for e in list(sink.events):
            kinds.setdefault(e.conn, []).append((e.kind, e.text))
        went_on = [c for c in kinds.values()
                   if any(k == "rcpt" and t in GONE and any(later == "dot" for later, _ in c[i:])
                          for i, (k, t) in enumerate(c))]
        check(went_on, "no connection went on after a refusal")


def same_message_id(world, sink):
    with world.case("out: two posts with one Message-ID are two posts, each for every member"):
        posts = [good("one", number=7), good("other", number=7)]
        for raw in posts:
            for member in (AUTHOR, READER):
                until(30, f"a copy for {member}", lambda: copies_of(sink, raw, member))
                equal(len(copies_of(sink, raw, member)), 1, f"copies for {member}")


def authors_signature(world, sink, key):
    with world.case("out: the author's own DKIM signature still verifies at the subscriber"):
        import dkim
        raw = message(b"signed by its author  \r\n\r\n\r\n", more="MIME-Version: 1.0\r\nContent-Type: text/plain\r\n")
        for canon in ((b"simple", b"simple"), (b"relaxed", b"relaxed")):
            sealed = dkim.sign(raw, b"a1", b"author.test", key, canonicalize=canon) + raw
            equal(post(LIPAP, AUTHOR, [LIST], sealed, POSTER)[:3], "250", "answer")
            copy = until(30, "a copy", lambda: copies_of(sink, sealed, READER))[0]
            mine = [v for n, v in fields(copy.bytes()) if n == "dkim-signature"]
            check(len(mine) >= 2 and any("d=author.test" in v for v in mine), "signatures")
            check(dkim_nth(world, copy.bytes(), len(mine) - 1), f"{canon}: the author's signature broke")


def dkim_nth(world, text, nth):
    import dkim

    def txt(name, timeout=5):
        found = world.query(name.decode() if isinstance(name, bytes) else name, "TXT")
        return found[0].encode() if found and len(found) == 1 else None

    return dkim.DKIM(text).verify(idx=nth, dnsfunc=txt)


def names_and_paths(world, sink):
    with world.case("out: a list name of 30 with hyphens and dots is reached, its return path fits 64 octets"):
        raw = good("long", f"{LONG_NAME}@mailingl.st")
        copy = until(30, "a copy", lambda: copies_of(sink, raw, READER))[0]
        local = copy.sender.split("@")[0]
        check(len(LONG_NAME) == 30 and local.startswith(LONG_NAME + "-return-") and len(local) <= 64, copy.sender)
        return copy.sender


def report(recipient, to):
    """A delivery report (RFC 3464) about one recipient."""
    return message(b"--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
                   b"Reporting-MTA: dns; mx.sub1.test\r\n\r\n" + recipient + b"--b--\r\n", to=to,
                   sender="mailer-daemon@sub1.test",
                   more="Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n")


def bounces(world, sink, state, long_path):
    raw = good("bounced")
    path = until(30, "a copy", lambda: copies_of(sink, raw, READER))[0].sender
    notice = report(b"Final-Recipient: rfc822; reader@sub1.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                    b"Diagnostic-Code: smtp; 550 no such mailbox\r\n", path)
    with world.case("bounce: one to the return path is taken, also from <> and from a stranger"):
        equal(post(LIPAP, "", [path], notice, STRANGER)[:3], "250", "answer")
        equal(post(LIPAP, "", [path.upper()], notice, STRANGER)[:3], "250", "answer in capitals")
    with world.case("bounce: a vacation notice, a delay and a challenge are taken, and do not count"):
        for text in (message(b"I am on vacation until Monday.\r\n", more="Auto-Submitted: auto-replied\r\n", to=path),
                     report(b"Final-Recipient: rfc822; reader@sub1.test\r\nAction: delayed\r\nStatus: 4.4.1\r\n", path),
                     message(b"Please confirm that you are human by replying to this mail.\r\n", to=path)):
            equal(post(LIPAP, "", [path], text, STRANGER)[:3], "250", "answer")
    with world.case("bounce: a forged, a shortened and another list's return path are unknown addresses"):
        token = path.split("-return-")[1].split("@")[0]
        wrong = ("b" if token[0] != "b" else "c") + token[1:]
        for bad in (path.replace(token, wrong), path.replace(token, token[:-1]), path.replace(token, token + "a"),
                    long_path.replace(long_path.split("-return-")[1], path.split("-return-")[1])):
            equal(post(LIPAP, "", [bad], notice, STRANGER)[:9], "550 5.1.1", f"answer for {bad}")
    with world.case("bounce: what it said can be seen, and nobody was removed for it"):
        until(60, "it has been tried as often as the others", lambda: state["said"][NEVER] > TIMES)
        equal(state["lipap"].stop(), 0, "exit status")
        shown = show(world)
        state["lipap"] = world.start_lipap(state["options"])
        said = [f["reply"] for f in shown["failures"] if f["address"] == READER]
        check(len(said) == 2 and all("550 no such mailbox" in s for s in said), f"failures: {shown['failures']}")
        later = [f for f in shown["failures"] if f["address"] in [*LATER, NEVER]]
        equal(later, [], "failures of those who said 4yz")
        waits = [w for m in shown["queue"] for w in m["waiting"]]
        equal([w["address"] for w in waits], [NEVER], "still waiting")
        check(waits[0]["attempts"] > TIMES and waits[0]["reply"] == "450 4.2.0 never", f"{waits}")
        again = good("after the bounce")
        until(30, "a copy", lambda: copies_of(sink, again, READER))


# receiving

def edges(world, sink):
    """What lipap takes its signer must take too, or it would wait for ever."""
    trace, to = b"Received: from a by b; Sun, 22 Nov 2026 12:00:00 +0000\r\n", b"To: ptt@mailingl.st\r\n"
    with world.case("in: a message that has passed more than a hundred servers goes in a circle"):
        equal(post(LIPAP, AUTHOR, [LIST], trace * 101 + message(), POSTER)[:9], "554 5.4.6", "answer")
    with world.case("in: one that has passed just a hundred arrives"):
        raw = trace * 100 + message(b"a hundred\r\n")
        equal(post(LIPAP, AUTHOR, [LIST], raw, POSTER)[:3], "250", "answer")
        until(10, "a copy", lambda: copies_of(sink, raw, READER))
    with world.case("in: more fields than a signature can cover are refused, and any fewer arrive"):
        said = {}
        for count in (900, 512, 480, 470, 460, 400):
            raw = to * count + message(b"%d\r\n" % count)
            said[count] = post(LIPAP, AUTHOR, [LIST], raw, POSTER)[:9]
            if said[count][:3] == "250":
                until(10, f"the post with {count} fields", lambda: copies_of(sink, raw, READER))
        check(said[900][0] == said[512][0] == "5" and said[400][:3] == "250", f"answers {said}")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def abuse(number):
    """A session that ends badly, each in another way."""
    s = Smtp(LIPAP, source=STRANGER if number % 2 else POSTER)
    ways = [
        [],
        [b"EHLO x.test\r\nMAIL FROM:<%s>\r\n" % AUTHOR.encode()],
        [b"EHLO x.test\r\nMAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n" % (AUTHOR.encode(), LIST.encode()), b"cut"],
        [b"\xff\xfe\x00\r\n"],
        [b"EHLO x.test\r\nMAIL FROM:<%s>\r\nRCPT TO:<nobody@mailingl.st>\r\nDATA\r\n" % AUTHOR.encode(), b"x" * 100000],
        [b"X" * 100000],
    ]
    try:
        for part in ways[number % len(ways)]:
            s.send(part)
    except Lost:
        pass
    s.close()


def leaks(world, state):
    with world.case("in: two hundred broken sessions leave no connection open, and the service goes on"):
        pid = state["lipap"].pid
        good("before")
        time.sleep(3)  # idle connections to signers and members close
        before = descriptors(pid)
        for number in range(200):
            abuse(number)
        good("after")
        # what went out for these two may still linger
        until(30, "its descriptors are given back", lambda: descriptors(pid) <= before + 1)


def endless_sender(world):
    with world.case("in: a message without an end for a recipient who does not exist holds nothing up"):
        with Smtp(LIPAP, source=STRANGER) as s:
            s.command("EHLO x.test")
            s.command(f"MAIL FROM:<{AUTHOR}>")
            equal(s.command("RCPT TO:<nobody@mailingl.st>")[:9], "550 5.1.1", "RCPT")
            check(s.command("DATA")[:1] == "5", "DATA without a recipient")
            equal(s.command("RSET")[:3], "250", "the session goes on")


# operation

def quiet_while_waiting(world, state):
    with world.case("operation: mail that waits costs no processor time"):
        pid = state["lipap"].pid

        def spent():
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                words = f.read().rsplit(")", 1)[1].split()
            return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        time.sleep(1)
        before = spent()
        time.sleep(3)
        check(spent() - before < 0.3, f"{spent() - before} s of processor time in three seconds")


def words_of_log(world, state):
    with world.case("operation: the log tells at its usual level who sent what to whom, and what became of it"):
        said = post(LIPAP, "other@author.test", [LIST], message(sender="other@author.test"), POSTER)
        equal(said[0], "5", "answer")
        log = state["lipap"].log()
        for pattern in (rf" info smtp event=accepted id=\S+ peer={POSTER}:\d+ from={AUTHOR} to={LIST} ",
                        rf" info delivery event=delivered message=\d+ to={READER} ",
                        r" smtp event=refused .*from=other@author\.test to=ptt@mailingl\.st .*code=550 author=other@author\.test"
                        r" spf=pass dkim=none dmarc=none arc=none text="):
            check(re.search(pattern, log), f"no line like {pattern}")
        check(re.search(r" warn delivery event=deferred .* to=l450@sub22\.test .*greylisted", state["log"]),
              "no line about a delivery that was put off")


def no_secrets(world):
    with world.case("operation: no secret stands in the list of processes"):
        secrets = [world.password, world.list_password, world.tsig.split(":")[2]]
        for process in world.processes:
            if process.popen.poll() is not None:
                continue
            with open(f"/proc/{process.pid}/cmdline", "rb") as f:
                line = f.read().decode()
            check(not any(s in line for s in secrets), f"{process.name}: {line}")


def author_key():
    """An RSA key of the author's domain: (its PEM, its record as zone-file text)."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                            serialization.NoEncryption())
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = "v=DKIM1; k=rsa; p=" + base64.b64encode(der).decode()
    return pem, " ".join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200))


def run(world):
    pem, record = author_key()
    world.start_knot(test_zone=TEST_ZONE + f"a1._domainkey.author 300 TXT {record}\n")
    state = {"said": {m: 0 for m in (*LATER, NEVER)}, "options": ["--retry", "1s"]}

    def policy(kind, _to, text, _conn):
        if kind == "rcpt" and text == NEVER:
            state["said"][NEVER] += 1
            return "450 4.2.0 never"
        if kind == "rcpt" and text in GONE:
            return "550 5.1.1 gone"
        if text in LATER and LATER[text][0] == kind and state["said"][text] < TIMES:
            state["said"][text] += 1
            return LATER[text][1]
        return None

    sink = world.start_sink(policy=policy)
    bad_disk(world, sink)
    damaged_image(world)
    world.image = os.path.join(world.folder, "lipap.img")
    world.create([AUTHOR, READER])
    for name, members in (("later", [*LATER, NEVER]), ("neighbours", NEIGHBOURS), (LONG_NAME, [READER])):
        world.create(members, name=name, settings=["--posting", "open"])
    state["lipap"], nec = world.start_lipap(state["options"]), world.start_nec()
    for_now(world, sink, state)
    state["log"] = state["lipap"].log()
    neighbours(world, sink)
    same_message_id(world, sink)
    authors_signature(world, sink, pem)
    path = names_and_paths(world, sink)
    bounces(world, sink, state, path or "")
    edges(world, sink)
    endless_sender(world)
    leaks(world, state)
    words_of_log(world, state)
    no_secrets(world)
    with world.case("operation: a post that waits for its signer"):
        nec.kill()
        good("waits")
    quiet_while_waiting(world, state)
    with world.case("both stop when asked, with status 0; no line was malformed"):
        equal(state["lipap"].stop(), 0, "exit status")
        equal(sink.faults, [], "faults")


rig.main(run, ["nec", "lipap", "ptt"])
