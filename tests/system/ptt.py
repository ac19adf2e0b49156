#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""ptt on the command line: what it accepts, what it refuses and how it says so, and that nothing is half done.

usage: ptt.py BUILD_DIR"""
import base64
import fcntl
import json
import os
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

from lib.outside import Opened, sums

failed = False


def result(name, problem=None):
    global failed
    failed = failed or problem is not None
    print(f"not ok {name}: {problem}" if problem is not None else f"ok {name}", flush=True)


def find(build):
    for place in (os.path.join(build, "app", "ptt"), os.path.join(build, "ptt")):
        if os.access(place, os.X_OK):
            return os.path.abspath(place)
    return None


class Tool:
    """One image in a folder of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.image = os.path.join(folder, "lipap.img")

    def run(self, *words):
        done = subprocess.run([self.program, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def on(self, command, *words):
        return self.run(command, self.image, *words)

    def show(self, *words):
        code, out, err = self.on("show", "--json", *words)
        if code != 0:
            raise AssertionError(f"show: {code} {err}")
        return json.loads(out)

    def wants(self, name, wanted, *words, says=None):
        """That exit status; silent when it is 0, else one line that starts with the program's name and says why."""
        code, out, err = self.run(*words)
        if code != wanted:
            return result(name, f"exit {code}, not {wanted}: {err.strip()}")
        if wanted == 0:
            return result(name, f"it said {err!r}" if err else None)
        if not err.startswith("ptt: ") or err.count("\n") != 1 or not err.endswith("\n"):
            return result(name, f"not one line: {err!r}")
        result(name, None if says is None or says in err else f"{says!r} is not in {err!r}")

    def equal(self, name, got, wanted):
        result(name, None if got == wanted else f"{got!r}, not {wanted!r}")


def add(image, name="ptt", *more, domain="mailingl.st"):
    return ("add", image, "--domain", domain, name, "--moderator", "boss@author.example", *more)


def command_line(t):
    t.wants("no command is a usage error", 64, says="no command")
    t.wants("unknown commands are named", 64, "frobnicate", says="frobnicate")
    t.wants("unknown options are named", 64, "create", t.image, "--sise", "1G", says="--sise")
    t.wants("an option without its value", 64, "create", t.image, "--size", says="--size")
    t.wants("create without an image", 64, "create", says="IMAGE")
    t.wants("one argument too many", 64, "create", t.image, "other", says="other")
    t.wants("a size that is none", 64, "create", t.image, "--size", "large", says="--size")
    t.wants("a size that is too small", 64, "create", t.image, "--size=33M", says="--size")
    t.wants("a size that is too large", 64, "create", t.image, "--size=9999G", says="--size")
    result("none of these has made an image", "there is one" if os.path.exists(t.image) else None)
    code, out, err = t.run("--help")
    result("--help names every command", None if code == 0 and not err and all(
        word in out for word in ("create", "grow", "add-moderator", "rem-subscriber", "set", "show", "import", "export",
                             "queue", "bounces", "check", "ls", "cat", "get", "put", "rm", "password")) else out + err)
    code, out, err = t.run("add", "--help")
    result("--help of a command names its options",
           None if code == 0 and "--subject-prefix" in out and "--moderator" in out else out + err)
    code, out, err = t.run("--version")
    result("--version", None if code == 0 and out.startswith("ptt ") else out + err)


def documents(t):
    """Each command and option is in the man page and in the completions."""
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    texts = {}
    for name in ("man/ptt.1", "completions/ptt.bash", "completions/_ptt"):
        with open(os.path.join(top, name), encoding="utf-8") as f:
            texts[name] = f.read()
    commands = [line.split()[0] for line in t.run("--help")[1].split("\n") if line.startswith("  ")]
    missing, settings = [], texts["completions/ptt.bash"].split("_ptt_settings='")[1].split("'")[0].split()
    for command in commands:
        options = [w[2:] for line in t.run(command, "--help")[1].split("\n") for w in line.split()[:2] if w.startswith("--")]
        missing += [(name, command) for name, text in texts.items() if not re.search(rf"\b{command}\b", text)]
        for option in options:
            missing += [(name, option) for name, text in texts.items()
                        if f"--{option}" not in text and f"Fl -{option}" not in text and option not in settings]
    t.equal("commands and options that a document lacks", (len(commands) > 15, missing), (True, []))


def passwords(t):
    made = {t.run("password")[1] for _ in range(8)}
    result("passwords differ, and are 256 bits in base64",
           None if len(made) == 8 and all(len(base64.b64decode(p, validate=True)) == 32 for p in
                                          (line.rstrip("\n") for line in made)) else made)
    t.wants("password takes no argument", 64, "password", "x", says="x")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([t.program, "password"], stdout=full, stderr=subprocess.PIPE, check=False)
    result("a password that could not be written is not a success", None if done.returncode == 1 else done)


def creating(t):
    t.wants("create", 0, "create", t.image, "--size", "64M")
    t.equal("a new image has its size, and is sparse", (os.path.getsize(t.image), os.stat(t.image).st_blocks < 64 * 1024),
            (64 << 20, True))
    t.wants("create leaves what is there alone", 1, "create", t.image, says="already")
    t.wants("create in a folder that is missing", 1, "create", t.folder + "/none/image", says="no such folder")
    t.equal("nothing is left beside the image", os.listdir(t.folder), ["lipap.img"])
    t.wants("an image that is missing", 1, "show", t.image + "2", says="no image")
    result("opening made nothing", "it is there" if os.path.exists(t.image + "2") else None)
    t.equal("a new image is empty", t.show(), {"lists": [], "requests": [], "queue": [], "failures": [], "scores": [], "verdicts": []})


def names(t):
    for name in ("ptt-subscribe", "a-b-unsubscribe", "x-owner", "x-REQUEST", "x-return-y", "x-accept-y", "x-remove",
                 "postmaster", "Abuse", "admin-request", "_signed", "x-why", "x-help", "x-options"):
        t.wants(f"the name {name} is a route", 1, *add(t.image, name), says=name)
    for name in ("a" * 31, "", "a b", "a..b", ".a", "a.", "-a", "a@b", "a=b", "é", "a\nb", "a/b"):
        t.wants(f"the name {name!r} is refused", 1 if name != "-a" else 64, *add(t.image, name))
    for name in ("a" * 30, "a.b-c_d+e", "owner", "subscribe", "1"):
        t.wants(f"the name {name} is taken", 0, *add(t.image, name))
    t.wants("the same name in other case", 1, *add(t.image, "A.B-C_D+E"), says="has a list")
    t.wants("the same name at another domain", 0, *add(t.image, "owner", domain="other.example"))
    for domain in ("", "-x.example", "a..b", "a_b.example", "é.example", "x.example.", "a" * 64 + ".example"):
        t.wants(f"the domain {domain!r} is refused", 64, *add(t.image, "fine", domain=domain), says="--domain")
    t.wants("a domain is needed", 64, "add", t.image, "fine", "--moderator", "a@b.example", says="--domain")
    t.wants("a moderator is needed", 64, "add", t.image, "fine", "--domain", "mailingl.st", says="--moderator")


def emails(t):
    for email in ("a", "a@", "@b", "a@b@c", "a b@c.example", "<a@b.example>", "a@b.example\r\nX: y", "a..b@c.example",
                  "x" * 65 + "@b.example", "a@é.example", "a@b.example,c@d.example"):
        t.wants(f"the address {email!r} is refused", 64, *add(t.image, "fine", "--subscriber", email))
        t.wants(f"the moderator {email!r} is refused", 64, *add(t.image, "fine", "--moderator", email))
    t.equal("what was refused has left nothing", [l for l in t.show()["lists"] if l["name"] == "fine"], [])


def settings(t):
    for setting, value in (("posting", "everybody"), ("posting", ""), ("who", "Nobody"), ("language", "english"),
                           ("max-message", "much"), ("max-message", "0"), ("footer", "two\nlines"),
                           ("description", "x" * 201), ("subject-prefix", ""), ("archive", "1")):
        t.wants(f"--{setting} {value[:20]!r} is refused", 64, *add(t.image, "fine", f"--{setting}", value),
                says=f"--{setting}")
    t.wants("a setting given twice", 64, *add(t.image, "fine", "--who", "nobody", "--who", "nobody"), says="--who")
    t.wants("all settings", 0, *add(t.image, "set", "--subscription", "open", "--posting=announce", "--from", "keep",
                                    "--first-post", "moderated", "--duplicates", "skip", "--reply-to", "list", "--subject-prefix", "[set]", "--footer", "none", "--who",
                                    "moderators", "--max-message", "1M", "--archive", "on", "--description",
                                    "Déjà vu: \"quoted\" \\", "--language", "fr"))
    t.equal("settings are kept", t.show("set")["lists"][0]["settings"],
            {"subscription": "open", "posting": "announce", "first-post": "moderated", "from": "keep", "reply-to": "list",
             "subject-prefix": "[set]", "footer": "none", "who": "moderators", "duplicates": "skip", "max-message": "1M",
             "archive": "on", "description": "Déjà vu: \"quoted\" \\", "language": "fr", "report": "weekly"})
    t.equal("and have defaults", t.show("owner")["lists"][0]["settings"]["posting"], "subscribers")


def people(t, key, name, domain="mailingl.st"):
    (found,) = t.show("--domain", domain, name)["lists"]
    return sorted(p["address"] if isinstance(p, dict) else p for p in found[key])


def members(t):
    domain = ("--domain", "two.example")
    for name in ("one", "two"):
        t.run(*add(t.image, name, "--subscriber", "A@b.example", "--subscriber", "a@B.example", domain="two.example"))
    t.equal("an address given twice counts once", people(t, "subscribers", "one", "two.example"), ["A@b.example"])
    t.wants("add-subscriber", 0, "add-subscriber", t.image, *domain, "one", "c@d.example", '"a"@b.example')
    t.equal("quotes that say nothing are no other address", people(t, "subscribers", "one", "two.example"),
            ["A@b.example", "c@d.example"])
    t.equal("only that list", people(t, "subscribers", "two", "two.example"), ["A@b.example"])
    t.wants("without a name: every list", 0, "add-subscriber", t.image, *domain, "c@d.example", "e@f.example")
    t.equal("every list has it", [people(t, "subscribers", n, "two.example") for n in ("one", "two")],
            [["A@b.example", "c@d.example", "e@f.example"]] * 2)
    t.wants("adding again is no fault", 0, "add-subscriber", t.image, *domain, "E@F.example")
    t.wants("rem-subscriber without regard to case", 0, "rem-subscriber", t.image, *domain, "one", "a@B.EXAMPLE")
    t.wants("removing who is not there", 1, "rem-subscriber", t.image, *domain, "one", "a@b.example", says="a@b.example")
    t.wants("rem-subscriber everywhere", 0, "rem-subscriber", t.image, *domain, "c@d.example")
    t.equal("they are gone", [people(t, "subscribers", n, "two.example") for n in ("one", "two")],
            [["e@f.example"], ["A@b.example", "e@f.example"]])
    t.wants("add-moderator", 0, "add-moderator", t.image, *domain, "m@n.example")
    t.wants("rem-moderator", 0, "rem-moderator", t.image, *domain, "two", "Boss@author.example")
    t.equal("moderators", [people(t, "moderators", n, "two.example") for n in ("one", "two")],
            [["boss@author.example", "m@n.example"], ["m@n.example"]])
    t.wants("a list that is missing", 1, "add-subscriber", t.image, *domain, "none", "x@y.example", says="none")
    t.wants("a domain without lists", 1, "add-subscriber", t.image, "--domain", "no.example", "x@y.example", says="no.example")
    t.wants("one wrong address among several changes nothing", 64, "add-subscriber", t.image, *domain, "x@y.example", "a@b@c")
    t.wants("no address at all", 64, "add-subscriber", t.image, *domain, "one", says="EMAIL")
    t.equal("nothing was changed", people(t, "subscribers", "one", "two.example"), ["e@f.example"])


def options(t):
    """Of subscribers: all who are named, or none."""
    def now():
        return {m["address"]: (m["nomail"], m["own-posts"]) for m in t.show("--domain", "opt.example")["lists"][0]["subscribers"]}
    def sets(*words):
        return ("options", t.image, "--domain", "opt.example", "opt", *words)
    t.run(*add(t.image, "opt", "--subscriber", "a@x.example", "--subscriber", "b@x.example", domain="opt.example"))
    t.equal("a new subscriber's options", now(), {"a@x.example": (False, True), "b@x.example": (False, True)})
    t.wants("options", 0, *sets("A@x.example", "b@x.example", "--nomail", "on"))
    t.wants("one of them", 0, *sets("b@x.example", "--nomail=off", "--own-posts=off"))
    t.equal("they are set", now(), {"a@x.example": (True, True), "b@x.example": (False, False)})
    t.wants("who is no subscriber", 1, *sets("a@x.example", "c@x.example", "--nomail", "off"), says="c@x.example")
    t.equal("then nothing is done", now()["a@x.example"], (True, True))
    t.wants("a value that is none", 64, *sets("a@x.example", "--nomail", "yes"), says="--nomail is not on | off")
    t.wants("no option", 64, *sets("a@x.example"), says="--nomail")
    t.wants("no list", 64, "options", t.image, "--domain", "opt.example", "a@x.example", "b@x.example", "--nomail", "on", says="NAME")
    t.wants("a list that is not there", 1, "options", t.image, "--domain", "opt.example", "none", "a@x.example", "--nomail", "on",
            says="none")


def showing(t):
    t.wants("show a list that is missing", 1, "show", t.image, "none", says="none")
    t.wants("show one argument too many", 64, "show", t.image, "one", "two", says="two")
    t.equal("show of one domain", {l["domain"] for l in t.show("--domain", "Two.Example")["lists"]}, {"two.example"})
    code, out, err = t.on("show", "--domain", "two.example")
    result("show as text", None if code == 0 and "one@two.example" in out and "e@f.example" in out and
           "mailingl.st" not in out and not err else out + err)


def hostile(t):
    """Rows as lipap writes them, with what peers may have said in them."""
    said = b"550 \x1b[2J\xff\"quoted\\ \xc2\x9b"
    with Opened(t) as db:
        (ident,) = db.execute("SELECT id FROM list WHERE name = 'one'").fetchone()
        db.execute("INSERT INTO message "
                   "(id, ticket, kind, state, list, domain, sender, message_id, flags, received_ms, body_size, front, prefix, held)"
                   " VALUES (1, 'tick', 1, 2, ?, 'two.example', 's@t.example', '<id@x>', 0, 1000, 0,"
                   " x'', x'', 0)", (ident,))
        db.execute("INSERT INTO delivery VALUES (1, 1, 4, 'late@x.example', 'x.example', 3, 1000, 5000, CAST(? AS TEXT))",
                   (said,))
        db.execute("INSERT INTO delivery VALUES (2, 1, 5, 'soon@x.example', 'x.example', 0, 1000, NULL, '')")
        db.execute("INSERT INTO message "
                   "(id, ticket, kind, state, list, domain, sender, message_id, flags, received_ms, body_size, front, prefix, held)"
                   " VALUES (2, 'tock', 1, 4, ?, 'two.example', 'h@t.example', '<held@x>', 0, 2000, 0,"
                   " x'', x'', 0)", (ident,))
        for row in ((1, 1, "new@x.example", None), (2, 2, "asks@x.example", None), (3, 3, "boss@x.example", None),
                    (4, 4, "h@t.example", 2), (5, 9, "later@x.example", None)):
            db.execute("INSERT INTO request VALUES (?, ?, ?, ?, 'x.example', x'', ?, 3000, 0)", (row[0], ident, *row[1:]))
        db.execute("INSERT INTO ban VALUES (?, 'bad@x.example', 'boss@x.example', 1000, 0)", (ident,))
        db.execute("INSERT INTO trace VALUES (1, '<id@x>', CAST(? AS TEXT))",
                   (b"author: s@t.example proven\nspf: " + said + b"\n" + b"long: " + b"x" * 9000 + b"\n",))
        db.execute("INSERT INTO trace VALUES (2, '<held@x>', '')")
        db.execute("INSERT INTO result VALUES (1, 7, 8, 'got@x.example', 4000, 250, 1, '2.0.0 ok')")
        db.execute("INSERT INTO result VALUES (1, 8, 9, 'late@x.example', 5000, 450, 0, CAST(? AS TEXT))", (said,))
        db.execute("INSERT INTO failure VALUES (1, 1, 6, ?, 'two.example', 'gone@x.example', '<id@x>', 1000, 550,"
                   " CAST(? AS TEXT))", (ident, said))
        db.execute("INSERT INTO score SELECT min(id), 'x.example', 5, 3, 0, 1000, 1000, 1, 0, 0, 1, 2000, 3000, CAST(? AS TEXT)"
                   " FROM member WHERE list = ?", (said, ident))
        db.execute("INSERT INTO verdict VALUES (1, ?, 6, 2, 'gone@x.example', CAST(? AS TEXT), 4000)", (ident, said))
        db.execute("INSERT INTO bounce VALUES (1, 6, ?, 4000, CAST(? AS BLOB))", (ident, b"Subject: gone\r\n\r\n" + said))
    shown = t.show("--domain", "two.example")
    (queued, held), (failure,) = shown["queue"], shown["failures"]
    wanted = "550 \x1b[2J\ufffd\"quoted\\ \x9b"
    t.equal("the queue with each recipient's last reply", [(w["address"], w["attempts"], w["reply"]) for w in queued["waiting"]],
            [("late@x.example", 3, wanted), ("soon@x.example", 0, "")])
    t.equal("the queue names the message", (queued["list"], queued["message-id"], queued["sender"], queued["state"]),
            ("one", "<id@x>", "s@t.example", "signed"))
    t.equal("why each waits", [(q["reason"], q["trouble"]) for q in (queued, held)], [("delivery", ""), ("moderator", "")])
    t.equal("failures with code, class and reply", (failure["address"], failure["code"], failure["class"], failure["reply"]),
            ("gone@x.example", 550, "address", wanted))
    t.equal("scores with the state of the probe", [(c["score"], c["days"], c["probe"], c["reply"]) for c in shown["scores"]],
            [("2.5", 3, "sent", wanted)])
    t.equal("what the judge did", [(v["what"], v["address"], v["reply"]) for v in shown["verdicts"]],
            [("removed", "gone@x.example", wanted)])
    t.equal("requests, held posts among them",
            [(r["list"], r["purpose"], r["address"], r.get("message")) for r in shown["requests"]],
            [("one", "join, to be confirmed", "new@x.example", None), ("one", "join, to be decided", "asks@x.example", None),
             ("one", "change, to be confirmed", "boss@x.example", None), ("one", "held post", "h@t.example", 2),
             ("one", "unknown", "later@x.example", None)])
    t.equal("bans", [(b["address"], b["by"]) for b in shown["lists"][0]["bans"]], [("bad@x.example", "boss@x.example")])
    t.equal("another domain's requests are not shown", t.show("--domain", "mailingl.st")["requests"], [])
    for words in (("show", t.image), ("why", t.image, "<id@x>")):
        done = subprocess.run([t.program, *words], capture_output=True, check=False)
        result(f"no control character reaches the terminal from {words[0]}",
               None if b"\x1b" not in done.stdout and b"\xff" not in done.stdout and b"\xc2\x9b" not in done.stdout
               and b"late@x.example" in done.stdout else done.stdout)
    t.equal("another domain's queue is not shown", t.show("--domain", "mailingl.st")["queue"], [])


def why(t):
    """The path of the messages that the case before has left."""
    (told,) = json.loads(t.on("why", "id@x", "--json")[1])
    t.equal("why: the message", (told["list"], told["domain"], told["sender"], told["state"], told["trace"][0]),
            ("one", "two.example", "s@t.example", "being delivered", "author: s@t.example proven"))
    t.equal("why: who waits", [w["address"] for w in told["waiting"]], ["late@x.example", "soon@x.example"])
    t.equal("why: last replies", [(r["address"], r["delivered"], r["code"]) for r in told["results"]],
            [("got@x.example", True, 250), ("late@x.example", False, 450)])
    code, out, err = t.on("why", "<id@x>")
    t.equal("why as text", (code, err, "author: s@t.example proven\n" in out,
                            "delivered got@x.example: 250 2.0.0 ok\n" in out), (0, "", True, True))
    t.equal("why: a held post", json.loads(t.on("why", "<held@x>", "--json")[1])[0]["state"], "waits for a moderator")
    t.wants("why: a message that is not known", 1, "why", t.image, "<none@x>", says="none@x")
    t.wants("why: a message of another domain", 1, "why", t.image, "id@x", "--domain", "mailingl.st", says="id@x")
    t.wants("why: an id beyond any line", 1, "why", t.image, "x" * 2000, says="xxx")
    t.wants("a held post is given up", 0, "queue", t.image, "--drop", "2")
    t.equal("its request goes with it", [r["id"] for r in t.show("--domain", "two.example")["requests"]], [1, 2, 3, 5])


def queue(t):
    """What the operator does to the message that the case before has left."""
    def now():
        code, out, err = t.on("queue", "--json")
        return [(q["id"], q["held"], [w["next"] for w in q["waiting"]]) for q in json.loads(out)["queue"]]
    before = now()
    shown = json.loads(t.on("queue", "--json")[1])["destinations"]
    t.equal("destinations, worst first", [(d["domain"], d["deliveries"], d["attempts"]) for d in shown],
            [("x.example", 1, 0), ("x.example", 1, 3)])
    code, out, err = t.on("queue")
    t.equal("the queue as text", (code, err, "0 not begun, 2 in flight or put off\n" in out,
                                  "    late@x.example  tries 3  next " in out, "\x1b" in out), (0, "", True, True, False))
    t.equal("one message waits", [(ident, held) for ident, held, _ in before], [(1, False)])
    t.wants("hold", 0, "queue", t.image, "--hold", "1")
    t.equal("it is held, its times kept", now(), [(1, True, before[0][2])])
    t.wants("hold twice", 0, "queue", t.image, "--hold", "1")
    t.equal("it is held once", now(), [(1, True, before[0][2])])
    t.wants("flush", 0, "queue", t.image, "--flush", "1")
    t.equal("it is due at once", now(), [(1, False, ["1970-01-01T00:00:00.000Z"] * 2)])
    t.wants("flush all", 0, "queue", t.image, "--flush", "all")
    t.wants("hold all is not meant", 64, "queue", t.image, "--hold", "all", says="all")
    t.wants("a message that is not there", 1, "queue", t.image, "--flush", "2", says="2")
    t.wants("a number that is none", 64, "queue", t.image, "--drop", "x", says="x")
    t.wants("drop", 0, "queue", t.image, "--drop", "1")
    t.equal("it is gone", now(), [])
    t.wants("once", 1, "queue", t.image, "--drop", "1", says="1")
    code, out, err = t.on("bounces", "--json")
    t.equal("bounces", [f["address"] for f in json.loads(out)["failures"]], ["gone@x.example"])
    for who in ("Gone@x.example", "6"):
        code, out, err = t.on("bounces", "--of", who)
        t.equal("the last bounce of " + who, (code, out.split("\n")[:2], "\x1b" in out), (0, ["Subject: gone", ""], False))
    t.wants("the bounce of nobody", 1, "bounces", t.image, "--of", "nobody@x.example", says="nobody@x.example")
    t.wants("the image is whole", 0, "check", t.image)


def rolls(t):
    """Import and export."""
    domain = ("--domain", "roll.example")
    t.run(*add(t.image, "roll", domain="roll.example"))

    def imports(text, *words):
        path = os.path.join(t.folder, "roll.txt")
        with open(path, "wb") as f:
            f.write(text)
        return t.run("import", t.image, *domain, "roll", path, *words)

    def exported():
        return t.on("export", *domain, "roll")[1].split("\n")[:-1]

    code, out, err = imports(b"\xef\xbb\xbf# all of us\r\nB@x.example\r\n\r\nAnn A <a@x.example>\n<c@x.example>\nb@X.EXAMPLE\n")
    t.equal("one address a line", (code, out, err), (0, "3 added, 1 already there\n", ""))
    t.equal("export", sorted(exported()), ["B@x.example", "a@x.example", "c@x.example"])
    code, out, err = imports(b"Name;\"E-Mail\";Since\n\"Doe; John\";j@x.example;2020\n;k@x.example\n")
    t.equal("CSV with titles", (code, out), (0, "2 added, 0 already there\n"))
    t.equal("CSV without", imports(b"l@x.example,Lee\n\"m@x.example\",x\n")[:2], (0, "2 added, 0 already there\n"))
    t.equal("mailman", imports(b'"Doe, Jane" <n@x.example>\no@x.example\n', "--from", "mailman2")[:2],
            (0, "2 added, 0 already there\n"))
    t.equal("sympa", imports(b"email p@x.example\ngecos Pat\nreception mail\n\nemail q@x.example\n", "--from", "sympa")[:2],
            (0, "2 added, 0 already there\n"))
    before = exported()
    code, out, err = imports(b"new@x.example\nnot an address\n")
    t.equal("a wrong line is named", (code, "line 2" in err and "not an address" in err), (1, True))
    t.equal("and nothing is imported", exported(), before)
    t.wants("an unknown format", 64, "import", t.image, *domain, "roll", "--from", "listserv", says="listserv")
    t.wants("a file that is missing", 1, "import", t.image, *domain, "roll", "/none/x", says="/none/x")
    t.wants("a list that is missing", 1, "export", t.image, *domain, "none", says="none")
    t.wants("set", 0, "set", t.image, *domain, "roll", "posting", "announce")
    t.equal("it is set", t.show(*domain, "roll")["lists"][0]["settings"]["posting"], "announce")
    t.wants("set to nonsense", 64, "set", t.image, *domain, "roll", "posting", "loud", says="posting")
    t.wants("a setting that is none", 64, "set", t.image, *domain, "roll", "loudness", "1", says="loudness")


def files(t):
    here = os.path.join(t.folder, "here")
    data = os.urandom(3_000_001)
    with open(here, "wb") as f:
        f.write(data)
    t.wants("put, with the folders on the way", 0, "put", t.image, "tls/Déjà vu.pem", "--from", here)
    t.equal("ls", t.on("ls", "tls")[1], "Déjà vu.pem\n")
    t.equal("ls --json", [(e["name"], e["size"]) for e in json.loads(t.on("ls", "--json", "tls")[1])],
            [("Déjà vu.pem", len(data))])
    done = subprocess.run([t.program, "cat", t.image, "TLS/déjà VU.pem"], capture_output=True, check=False)
    result("cat, without regard to case", None if done.stdout == data else done.stderr)
    t.wants("get", 0, "get", t.image, "tls/Déjà vu.pem", "--to", here + "2")
    with open(here + "2", "rb") as f:
        result("the same bytes", None if f.read() == data else "others")
    with open(here, "wb") as f:
        f.write(b"short")
    t.wants("put again", 0, "put", t.image, "tls/Déjà vu.pem", "--from", here)
    t.equal("replaced", t.on("cat", "tls/Déjà vu.pem")[1], "short")
    t.wants("a folder that is not empty stays", 1, "rm", t.image, "tls", says="tls")
    t.wants("rm", 0, "rm", t.image, "tls/Déjà vu.pem", "tls")
    t.equal("gone", t.on("ls")[1].split(), ["spool/", "ptt.db", "ptt.db-wal"])
    for name in ("ptt.db", "PTT.DB-WAL", "spool", "/spool/0000"):
        t.wants(f"rm {name} is refused", 1, "rm", t.image, name, says="own")
        t.wants(f"put {name} is refused", 1, "put", t.image, name, "--from", here, says="own")
    t.wants("a file that is missing", 1, "cat", t.image, "none", says="none")
    t.wants("the volume is whole", 0, "check", t.image)


def templates(t):
    """A template that lists could not use is refused, with the line; others are put as they are."""
    path = os.path.join(t.folder, "template.txt")

    def puts(text, name):
        with open(path, "wb") as f:
            f.write(text)
        return t.run("put", t.image, name, "--from", path)
    good = b"Subject: Bonjour, {list}\n\nBonjour {address} !\n"
    for name in ("templates/welcome.fr.txt", "/Templates/PTT@mailingl.st/Welcome.FR.txt"):
        t.equal(f"template {name}", puts(good, name), (0, "", ""))
    for name, text, says in (("welcome.en.txt", b"Hello\n\nx\n", "not a template: line 1 of"),
                             ("welcome.en.txt", b"Subject: x\n\nHello {adress}\n", "cannot have that word: line 3 of"),
                             ("confirm-join.en.txt", b"Subject: x\n\nHello\n", "lacks a word"),
                             ("welcome.en.txt", good + b"x" * 20000, "at most 16384"), ("hello.en.txt", good, "no mail of that name")):
        code, out, err = puts(text, "templates/" + name)
        t.equal(f"template {name} that is wrong: {says}", (code, out, says in err, err.count("\n")), (1, "", True, 1))
    t.equal("only the good ones are there", sorted(t.on("ls", "templates")[1].split()), ["PTT@mailingl.st/", "welcome.fr.txt"])
    t.equal("other files may be there", puts(b"anything", "templates/notes")[0], 0)


def foreign(t):
    """Volumes that other programs make, and what they say of ours."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    tools = {n: shutil.which(n, path=path) for n in ("mkfs.fat", "fsck.fat")}
    if None in tools.values():
        print("skip foreign volumes: needs dosfstools", flush=True)
        return
    done = subprocess.run([tools["fsck.fat"], "-n", t.image], capture_output=True, check=False)
    result("fsck.fat finds nothing in an image", None if done.returncode == 0 else done.stdout)
    for bits, megabytes in (("12", 4), ("16", 32), ("32", 64)):
        volume = os.path.join(t.folder, f"fat{bits}")
        with open(volume, "wb") as f:
            f.truncate(megabytes << 20)
        subprocess.run([tools["mkfs.fat"], "-F", bits, volume], check=True, capture_output=True)
        if bits == "32":
            t.wants("ls of another program's volume", 0, "ls", volume)
            t.wants("put into it is refused", 1, "put", volume, "x", "--from", t.program, says="another program")
            t.wants("it is no image", 1, "show", volume, says="not an image")
        else:
            t.wants(f"FAT{bits} is named", 1, "ls", volume, says=f"FAT{bits}")
        os.unlink(volume)


def growing(t):
    before = t.show()
    t.wants("a size that is no larger", 1, "grow", t.image, "64M", says="64M")
    t.wants("a size that is none", 64, "grow", t.image, "more", says="more")
    t.wants("grow", 0, "grow", t.image, "100M")
    t.equal("it is larger", os.path.getsize(t.image), 100 << 20)
    t.equal("and the same", t.show(), before)
    t.wants("and whole", 0, "check", t.image)
    t.equal("nothing is left beside it", [n for n in os.listdir(t.folder) if ".new-" in n], [])


def refusing(t):
    with open(t.image, "rb") as image:
        fcntl.flock(image, fcntl.LOCK_EX)
        for words in (("show", t.image), add(t.image, "busy"), ("add-subscriber", t.image, "--domain", "two.example", "a@b.example"),
                      ("ls", t.image), ("check", t.image), ("grow", t.image, "200M")):
            t.wants(f"{words[0]}: an image in use is refused", 1, *words, says="in use")
    with Opened(t) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        db.execute(f"PRAGMA user_version = {version + 1}")
    t.wants("an image of a newer version is refused", 1, "show", t.image, says="newer")
    with Opened(t) as db:
        db.execute(f"PRAGMA user_version = {version}")
    wrong = t.folder + "/wrong"
    with open(wrong, "wb") as f:
        f.write(b"no image at all " * 500)
    t.wants("what is no image is refused", 1, "show", wrong, says="not")
    t.wants("ls of what is no volume", 1, "ls", wrong, says="not")
    t.wants("nothing was lost", 0, "show", t.image)


def damage(t):
    """What rots is found, said, and named with what to run."""
    copy = Tool(t.program, t.folder)
    copy.image = os.path.join(t.folder, "copy.img")
    shutil.copyfile(t.image, copy.image)
    with open(copy.image, "r+b") as f:
        whole = f.read()
        at = whole.find(b"SQLite format 3\0") + 2000
        f.seek(at)
        f.write(bytes([whole[at] ^ 1]))
        log = whole.find(b"\x37\x7f\x06")
        if log >= 0:  # it might still have the page
            f.seek(log)
            f.write(bytes(4))
    code, out, err = copy.on("check")
    result("check finds a damaged page", None if code == 1 and "damaged" in out else (code, out, err))
    copy.wants("a command that meets it says what to run", 1, "show", copy.image, says="ptt check")
    os.unlink(copy.image)
    t.wants("the image itself is whole", 0, "check", t.image)


def looking(t):
    """A check without --repair changes nothing, also where only the mark of use is set."""
    copy = Tool(t.program, t.folder)
    copy.image = os.path.join(t.folder, "dirty.img")
    shutil.copyfile(t.image, copy.image)
    with open(copy.image, "r+b") as f:
        boot = f.read(512)
        sector, reserved = struct.unpack_from("<H", boot, 11)[0], struct.unpack_from("<H", boot, 14)[0]
        f.seek(reserved * sector + 7)
        last = f.read(1)[0]
        f.seek(reserved * sector + 7)
        f.write(bytes([last & 0xf7]))
        f.seek(0)
        before = f.read()

    def is_same():
        with open(copy.image, "rb") as f:
            return f.read() == before
    t.equal("check names the mark of use", copy.on("check"), (1, "volume: not unmounted\n1 found, 1 left\n", ""))
    t.equal("and has changed nothing", is_same(), True)
    t.equal("--repair takes it away", copy.on("check", "--repair"), (0, "volume, repaired: not unmounted\n1 found, 0 left\n", ""))
    t.equal("so it is gone", copy.on("check"), (0, "0 found, 0 left\n", ""))
    os.unlink(copy.image)


def killed(t):
    """Killed at any moment, a change is there whole or not at all."""
    words = [w for n in range(200) for w in ("--subscriber", f"m{n}@x.example")]
    broken, done, left = [], 0, 0
    began = time.monotonic()
    t.run(*add(t.image, "whole", *words, domain="killed.example"))
    takes = time.monotonic() - began
    for attempt in range(40):
        name = f"k{attempt}"
        process = subprocess.Popen([t.program, *add(t.image, name, *words, domain="killed.example")])
        try:
            process.wait(takes * attempt / 30)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        lists = t.show("--domain", "killed.example")["lists"]
        found = [len(l["subscribers"]) for l in lists if l["name"] == name]
        done += found == [200]
        left += found == []
        if found not in ([], [200]) or (process.returncode == 0 and found != [200]):
            broken.append((name, found, process.returncode))
    result("deaths came before and after the change", None if done and left else f"{done} done, {left} not")
    result("add, killed at any moment: all or nothing", f"{broken}" if broken else None)
    for attempt in range(20):
        image = f"{t.folder}/new{attempt}"
        process = subprocess.Popen([t.program, "create", image])
        time.sleep(takes * attempt / 16)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if os.path.exists(image):
            if t.run("show", image)[0] != 0:
                broken.append(image)
        elif process.returncode == 0:
            broken.append(image)
    result("create, killed at any moment: an image or none", f"{broken}" if broken else None)


def main():
    program = find(sys.argv[1]) if len(sys.argv) > 1 else None
    if program is None:
        print("skip ptt: not built")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        tool = Tool(program, folder)
        for part in (command_line, documents, passwords, creating, names, emails, settings, members, options, showing, hostile, why, queue, rolls,
                     files, templates, foreign, growing, refusing, damage, looking, killed):
            try:
                part(tool)
            except (AssertionError, ValueError, KeyError, sqlite3.Error, subprocess.TimeoutExpired) as trouble:
                result(part.__name__, f"{type(trouble).__name__}: {trouble}")
    return 1 if failed else 0


sys.exit(main())
