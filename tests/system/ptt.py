#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""ptt on the command line: what it accepts, what it refuses and how it says so, and that nothing is half done.

usage: ptt.py BUILD_DIR"""
import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

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
    t.wants("a command that does not exist yet is an unknown one", 64, "import", t.image, says="unknown command")
    t.wants("unknown options are named", 64, "create", t.image, "--sise", "1G", says="--sise")
    t.wants("an option without its value", 64, "create", t.image, "--size", says="--size")
    t.wants("create without an image", 64, "create", says="IMAGE")
    t.wants("one argument too many", 64, "create", t.image, "other", says="other")
    t.wants("a size that is none", 64, "create", t.image, "--size", "large", says="--size")
    t.wants("a size that is too small", 64, "create", t.image, "--size=4K", says="--size")
    t.wants("a size that is too large", 64, "create", t.image, "--size=9999G", says="--size")
    result("none of these has made an image", "there is one" if os.path.exists(t.image) else None)
    code, out, err = t.run("--help")
    result("--help names every command", None if code == 0 and not err and all(
        word in out for word in ("create", "add-moderator", "rem-subscriber", "show", "password")) else out + err)
    code, out, err = t.run("add", "--help")
    result("--help of a command names its options",
           None if code == 0 and "--subject-prefix" in out and "--moderator" in out else out + err)
    code, out, err = t.run("--version")
    result("--version", None if code == 0 and out.startswith("ptt ") else out + err)


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
    t.wants("create", 0, "create", t.image, "--size", "8M")
    t.wants("create leaves what is there alone", 1, "create", t.image, says="already")
    t.wants("create in a folder that is missing", 1, "create", t.folder + "/none/image", says="no such folder")
    t.equal("nothing is left beside the image", os.listdir(t.folder), ["lipap.img"])
    t.wants("an image that is missing", 1, "show", t.image + "2", says="no image")
    result("opening made nothing", "it is there" if os.path.exists(t.image + "2") else None)
    t.equal("a new image is empty", t.show(), {"lists": [], "queue": [], "failures": []})


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
                                    "--reply-to", "list", "--subject-prefix", "[set]", "--footer", "none", "--who",
                                    "moderators", "--max-message", "1M", "--archive", "on", "--description",
                                    "Déjà vu: \"quoted\" \\", "--language", "fr"))
    t.equal("settings are kept", t.show("set")["lists"][0]["settings"],
            {"subscription": "open", "posting": "announce", "from": "keep", "reply-to": "list",
             "subject-prefix": "[set]", "footer": "none", "who": "moderators", "max-message": "1M", "archive": "on",
             "description": "Déjà vu: \"quoted\" \\", "language": "fr"})
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


def showing(t):
    t.wants("show a list that is missing", 1, "show", t.image, "none", says="none")
    t.wants("show one argument too many", 64, "show", t.image, "one", "two", says="two")
    t.equal("show of one domain", {l["domain"] for l in t.show("--domain", "Two.Example")["lists"]}, {"two.example"})
    code, out, err = t.on("show", "--domain", "two.example")
    result("show as text", None if code == 0 and "one@two.example" in out and "e@f.example" in out and
           "mailingl.st" not in out and not err else out + err)


def database(t):
    return sqlite3.connect(os.path.join(t.image, "ptt.db"))


def hostile(t):
    """Rows as lipap writes them, with what peers may have said in them."""
    db = database(t)
    said = b"550 \x1b[2J\xff\"quoted\\ \xc2\x9b"
    (ident,) = db.execute("SELECT id FROM list WHERE name = 'one'").fetchone()
    db.execute("INSERT INTO message VALUES (1, 'tick', 1, 2, ?, 'two.example', 's@t.example', '<id@x>', 0, 1000, 5, x'', x'')",
               (ident,))
    db.execute("INSERT INTO delivery VALUES (1, 1, 4, 'late@x.example', 'x.example', 3, 1000, 5000, CAST(? AS TEXT))", (said,))
    db.execute("INSERT INTO delivery VALUES (2, 1, 5, 'soon@x.example', 'x.example', 0, 1000, NULL, '')")
    db.execute("INSERT INTO failure VALUES (1, 1, 6, ?, 'two.example', 'gone@x.example', '<id@x>', 1000, 550, CAST(? AS TEXT))",
               (ident, said))
    db.commit()
    db.close()
    shown = t.show("--domain", "two.example")
    (queued,), (failure,) = shown["queue"], shown["failures"]
    wanted = "550 \x1b[2J\ufffd\"quoted\\ \x9b"
    t.equal("the queue with each recipient's last reply", [(w["address"], w["attempts"], w["reply"]) for w in queued["waiting"]],
            [("late@x.example", 3, wanted), ("soon@x.example", 0, "")])
    t.equal("the queue names the message", (queued["list"], queued["message-id"], queued["sender"], queued["state"]),
            ("one", "<id@x>", "s@t.example", "signed"))
    t.equal("failures with code and reply", (failure["address"], failure["code"], failure["reply"]),
            ("gone@x.example", 550, wanted))
    done = subprocess.run([t.program, "show", t.image], capture_output=True, check=False)
    result("no control character reaches the terminal", None if b"\x1b" not in done.stdout and b"\xff" not in done.stdout
           and b"\xc2\x9b" not in done.stdout and b"gone@x.example" in done.stdout else done.stdout)
    t.equal("another domain's queue is not shown", t.show("--domain", "mailingl.st")["queue"], [])


def refusing(t):
    db = database(t)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN IMMEDIATE")
    for words in (("show", t.image), add(t.image, "busy"), ("add-subscriber", t.image, "--domain", "two.example", "a@b.example")):
        t.wants(f"{words[0]}: an image in use is refused", 1, *words, says="in use")
    db.rollback()
    db.close()
    db = database(t)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    db.execute(f"PRAGMA user_version = {version + 1}")
    db.close()
    t.wants("an image of a newer version is refused", 1, "show", t.image, says="newer")
    db = database(t)
    db.execute(f"PRAGMA user_version = {version}")
    db.close()
    os.mkdir(t.folder + "/wrong")
    with open(t.folder + "/wrong/ptt.db", "wb") as f:
        f.write(b"no database at all " * 500)
    t.wants("what is no image is refused", 1, "show", t.folder + "/wrong", says="not an image")
    t.wants("nothing was lost", 0, "show", t.image)


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
        for part in (command_line, passwords, creating, names, emails, settings, members, showing, hostile, refusing,
                     killed):
            try:
                part(tool)
            except (AssertionError, ValueError, KeyError, sqlite3.Error, subprocess.TimeoutExpired) as trouble:
                result(part.__name__, f"{type(trouble).__name__}: {trouble}")
    return 1 if failed else 0


sys.exit(main())
