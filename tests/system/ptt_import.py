#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""ptt import of other list managers' dumps, and export back: what becomes of people and settings, what is said of what
cannot be taken over, that a dump with one wrong line changes nothing, and that a large list takes seconds.

usage: ptt_import.py BUILD_DIR"""
import csv
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

DOMAIN = ("--domain", "lists.example")
failed = False


def equal(name, got, wanted):
    global failed
    failed = failed or got != wanted
    print(f"ok {name}" if got == wanted else f"not ok {name}: {got!r}, not {wanted!r}", flush=True)


class Tool:
    """One image, and dumps beside it."""

    def __init__(self, program, folder):
        self.program, self.folder, self.lists = program, folder, 0
        self.image = os.path.join(folder, "lipap.img")
        self.on("create", "--size", "256M")

    def on(self, command, *words, text=None):
        done = subprocess.run([self.program, command, self.image, *words], input=text, capture_output=True, timeout=120,
                              check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def new(self):
        """A list of its own for each case."""
        self.lists += 1
        name = f"l{self.lists}"
        assert self.on("add", *DOMAIN, name, "--moderator", "first@lists.example")[0] == 0
        return name

    def write(self, path, text):
        path = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text.encode() if isinstance(text, str) else text)
        return path

    def show(self, name):
        code, out, _ = self.on("export", *DOMAIN, name, "--json")
        assert code == 0
        return json.loads(out)

    def members(self, name):
        """address: its options, as the export says."""
        return {m["address"]: (["nomail"] if m["nomail"] else []) + ([] if m["own-posts"] else ["no own posts"])
                for m in self.show(name)["subscribers"]}

    def changed(self, name):
        """The settings that differ from those of a new list."""
        new = self.show(self.new())["settings"]
        return {k: v for k, v in self.show(name)["settings"].items() if v != new[k]}


def mailman2(t):
    config = t.write("m2/config.py", b"""# -*- python -*-
# -*- coding: iso-8859-1 -*-
## "gens" mailing list configuration settings
owner = ['boss@a.example', 'First@lists.example']
description = "D\xe9veloppeurs"
subject_prefix = '[Gens] '
msg_footer = \"\"\"_______
%(real_name)s mailing list\"\"\"
# legal values are:
#    0 = "Open"
subscribe_policy = 1
private_roster = 2
max_message_size = 512
preferred_language = 'fr'
generic_nonmember_action = 0
ban_list = ['bad@x.example', '^.*@evil[.]example']
""")
    pickle = t.write("m2/config.txt", """[----- start pickle file -----]
<----- start object 1 ----->
{   'bounce_info': {   'b@x.example': <Mailman.Bouncer._BounceInfo instance at 0x7f>},
    'delivery_status': {   'c@x.example': (3, 1500000000.0)},
    'digest_members': {   'd@x.example': 0},
    'members': {   'a@x.example': 0, 'b@x.example': 'B@x.example', 'c@x.example': 0},
    'user_options': {   'a@x.example': 2, 'b@x.example': 256, 'gone@x.example': 1}}
<----- end ----->
""")
    name = t.new()
    code, out, err = t.on("import", *DOMAIN, name, "--from", "mailman2", config, pickle)
    equal("mailman2: what is said", (code, err, out.split("\n")), (0, "", [
        "4 added, 0 already there", "moderators added: 1", "subscription: confirm", "posting: open",
        "subject-prefix: [Gens]", "who: moderators", "max-message: 512K", "description: Développeurs", "language: fr",
        "banned: bad@x.example", "left out: msg_footer: has placeholders",
        "left out: ban_list ^.*@evil[.]example: only addresses can be banned, no patterns",
        "left out: digests: who got them gets every post by itself", ""]))
    equal("mailman2: members", t.members(name),
          {"a@x.example": ["no own posts"], "B@x.example": [], "c@x.example": ["nomail"], "d@x.example": []})
    equal("mailman2: settings", t.changed(name),
          {"subscription": "confirm", "posting": "open", "subject-prefix": "[Gens]", "who": "moderators",
           "max-message": "512K", "description": "Développeurs", "language": "fr"})
    equal("mailman2: moderators and bans",
          (t.show(name)["moderators"], [b["address"] for b in t.show(name)["bans"]]),
          (["boss@a.example", "first@lists.example"], ["bad@x.example"]))
    equal("mailman2: once more changes nothing",
          t.on("import", *DOMAIN, name, "--from", "mailman2", config, pickle)[1].split("\n")[0],
          "0 added, 4 already there")


def mailman3(t):
    config = t.write("m3/config.json", json.dumps({
        "subscription_policy": "moderate", "default_member_action": "hold", "default_nonmember_action": "reject",
        "subject_prefix": "[Ant] ", "reply_goes_to_list": "point_to_list", "max_message_size": 0,
        "archive_policy": "private", "description": "Les Été 😀", "preferred_language": "pt_BR",
        "acceptable_aliases": [], "advertised": True, "http_etag": "\"x\""}))
    roster = t.write("m3/roster.json", json.dumps({"start": 0, "total_size": 3, "entries": [
        {"email": "a@x.example", "role": "member", "delivery_mode": "regular", "display_name": "Ann \"A\""},
        {"email": "b@x.example", "role": "member", "delivery_status": "by_bounces"},
        {"email": "boss@a.example", "role": "owner"}, {"email": "no@x.example", "role": "nonmember"}]}, indent=1))
    table = t.write("m3/members.csv", "email,display_name,role,delivery_status,receive_own_postings\n"
                    'c@x.example,"Doe, ""C"" C",1,1,f\nmod@a.example,,3,,\nn@x.example,,4,,\n')
    name = t.new()
    code, out, err = t.on("import", *DOMAIN, name, "--from", "mailman3", config, roster, table)
    equal("mailman3: what is said", (code, err, out.split("\n")[0], out.split("\n")[-2]),
          (0, "", "3 added, 0 already there", "left out: max_message_size: every list here has a limit"))
    equal("mailman3: members", t.members(name), {"a@x.example": [], "b@x.example": ["nomail"], "c@x.example": ["no own posts"]})
    equal("mailman3: moderators", t.show(name)["moderators"], ["boss@a.example", "first@lists.example", "mod@a.example"])
    equal("mailman3: settings", t.changed(name),
          {"posting": "moderated", "reply-to": "list", "subject-prefix": "[Ant]", "archive": "on",
           "description": "Les Été 😀", "language": "pt"})


def mlmmj(t):
    for path, text in {
            "control/listaddress": "l@lists.example\n", "control/owner": "boss@a.example\n", "control/moderators": "mod@a.example\n",
            "control/prefix": "[l]\n", "control/footer": "-- \nl@lists.example\n", "control/maxmailsize": "65536\n",
            "control/subonlypost": "", "control/closedlistsub": "", "control/nosubconfirm": "", "control/noarchive": "",
            "control/access": "allow\n", "subscribers.d/a": "a@x.example\nab@x.example\n", "subscribers.d/.lock": "x\n",
            "subscribers.d/b": "b@x.example\n", "nomailsubs.d/c": "c@x.example\n", "digesters.d/d": "d@x.example\n",
            "subscribers.d/old/a": "nobody@x.example\n", "archive/1": "From: x\n\n", "queue/x": "nothing@x.example\n"}.items():
        t.write("mlmmj/" + path, text)
    name = t.new()
    code, out, err = t.on("import", *DOMAIN, name, "--from", "mlmmj", os.path.join(t.folder, "mlmmj"))
    equal("mlmmj: what is said", (code, err, out.split("\n")), (0, "", [
        "5 added, 0 already there", "moderators added: 2", "subscription: closed", "posting: subscribers",
        "subject-prefix: [l]", "max-message: 65536", "archive: off",
        "left out: footer: has more than one line", "left out: access: who may post is told by the setting posting",
        "left out: digests: who got them gets every post by itself", ""]))
    equal("mlmmj: members", t.members(name),
          {"a@x.example": [], "ab@x.example": [], "b@x.example": [], "c@x.example": ["nomail"], "d@x.example": []})
    equal("mlmmj: settings", t.changed(name), {"subscription": "closed", "subject-prefix": "[l]", "max-message": "65536"})
    os.makedirs(os.path.join(t.folder, "empty"))
    code, _, err = t.on("import", *DOMAIN, name, "--from", "mlmmj", os.path.join(t.folder, "empty"))
    equal("mlmmj: a folder of something else", (code, "no list of that format" in err), (1, True))


def sympa(t):
    t.write("sympa/config", "subject Les gens\n\nlang en_US\n\nowner\nemail boss@a.example\nprofile privileged\n\n"
            "send editorkeyonly\n\nsubscribe auth_notify\n\nreview owner\n\nreply_to_header\nvalue all\napply respect\n\n"
            "custom_subject gens [% list.sequence %]\n\nmax_size 5242880\n\ncreation\ndate_epoch 1\nemail maker@a.example\n")
    t.write("sympa/member.dump", "date 1500000000\nemail a@x.example\ngecos Ann\nreception nomail\n\n"
            "date 1400000000\nemail b@x.example\nreception not_me\n\n")
    t.write("sympa/editor.dump", "date 1\nemail ed@a.example\n\n")
    t.write("sympa/message_footer", "gens@lists.example\n")
    name = t.new()
    code, out, err = t.on("import", *DOMAIN, name, "--from", "sympa", os.path.join(t.folder, "sympa"))
    equal("sympa: what is said", (code, err, out.split("\n")), (0, "", [
        "2 added, 0 already there", "moderators added: 2", "subscription: confirm", "posting: moderated", "reply-to: both",
        "footer: gens@lists.example", "who: moderators", "max-message: 5242880", "description: Les gens", "language: en",
        "left out: custom_subject: has placeholders", ""]))
    equal("sympa: members", t.members(name), {"a@x.example": ["nomail"], "b@x.example": ["no own posts"]})
    equal("sympa: since when", {m["address"]: m["joined"] for m in t.show(name)["subscribers"]},
          {"a@x.example": "2017-07-14T02:40:00.000Z", "b@x.example": "2014-05-13T16:53:20.000Z"})
    return name


def export(t, name):
    """What is exported as CSV is the same list again."""
    code, out, err = t.on("export", *DOMAIN, name, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    equal("export: CSV", (code, err, {r["address"]: (r["options"], r["joined"]) for r in rows}),
          (0, "", {"a@x.example": ("nomail", "2017-07-14T02:40:00.000Z"),
                   "b@x.example": ("no-own-posts", "2014-05-13T16:53:20.000Z")}))
    t.on("add-subscriber", *DOMAIN, name, '"odd, \\"one;"@x.example')
    text = t.on("export", *DOMAIN, name, "--csv")[1]
    again = t.new()
    equal("export: read again", t.on("import", *DOMAIN, again, "-", text=text.encode()),
          (0, "3 added, 0 already there\n", ""))
    equal("export: the same", sorted(t.on("export", *DOMAIN, again, "--csv")[1].split("\n")), sorted(text.split("\n")))
    path = os.path.join(t.folder, "out.json")
    code, out, err = t.on("export", *DOMAIN, name, path, "--json")
    with open(path, encoding="utf-8") as f:
        equal("export: JSON into a file", (code, out, err, json.load(f)), (0, "", "", t.show(name)))
    equal("export: one form", t.on("export", *DOMAIN, name, "--csv", "--json")[0], 64)


def wrong(t):
    """One wrong line, and nothing is changed; it is named in one line without its control characters."""
    name = t.new()
    before = t.show(name)
    for case, form, text, says in (
            ("no address", "mailman2", "{'owner': ['boss@a.example'],\n 'members': {'a@x.example': 0,\n 'b x': 0}}", "line 3 of"),
            ("cut off", "mailman2", "owner = ['boss@a.example']\nsubject_prefix = 'x", "line 2 of"),
            ("a program", "mailman2", "owner = []\nimport os; os.system('x')\n", "line 2 of"),
            ("an escape", "mailman3", '{"email": "\\u001b[31m@x", "role": "member"}', "line 1 of"),
            ("a mine", "mailman3", '{"a": ' + "[" * 100000, "nested too deeply"),
            ("two lists", "mailman3", '[{"email": "a@x", "role": "member", "list_id": "a.x"},\n{"email": "b@x", "role": "member", "list_id": "b.x"}]',
             "line 2 of - is of another list"),
            ("not closed", "mailman3", '{"entries": [{"email": "a@x.example", "role": "member"}', "line 1 of"),
            ("no address", "sympa", "date 1\nemail a b\n", "line 1 of"),
            ("an option", None, "address,options\na@x.example,loud\n", "line 2 of"),
            ("no address", None, "a@x.example\n\x1b[31m\n", "line 2 of")):
        code, out, err = t.on("import", *DOMAIN, name, *(("--from", form) if form else ()), text=text.encode())
        equal(f"wrong: {case}, {form or 'plain'}", (code, out, says in err, err.count("\n"), "\x1b" in err), (1, "", True, 1, False))
    equal("wrong: nothing was changed", t.show(name), before)
    code, _, err = t.on("import", *DOMAIN, name, "--from", "mailman2", t.folder)
    equal("wrong: a folder", (code, "folder" in err), (1, True))


def large(t):
    """A hundred thousand members, some with options and dates, within seconds; killed at any moment: all or nothing."""
    rows = ["address,options,joined"] + [f"m{i}@d{i % 97}.example,{'nomail' if i % 10 == 0 else ''},"
                                         f"{'2020-01-02' if i % 3 == 0 else ''}" for i in range(100000)]
    path = t.write("large.csv", "\n".join(rows) + "\n")
    whole, name, took, broken = 0, t.new(), 0.0, []
    for delay in (0.05, 0.3, 0.6, 1.0, None):
        start = time.monotonic()
        with subprocess.Popen([t.program, "import", t.image, *DOMAIN, name, path], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as running:
            try:
                running.wait(delay)
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGKILL)
            running.wait()
        took = time.monotonic() - start
        whole = len(t.on("export", *DOMAIN, name)[1].split("\n")) - 1
        if whole not in (0, 100000):
            broken.append((delay, whole))
    equal("large: all or nothing, and all in the end", (broken, whole), ([], 100000))
    equal("large: within 30 seconds", took < 30 or took, True)
    equal("large: options are kept", sum(v == ["nomail"] for v in t.members(name).values()), 10000)
    equal("large: the image is whole", t.on("check")[0], 0)


def main():
    program = os.path.join(sys.argv[1], "app", "ptt") if len(sys.argv) > 1 else ""
    if not os.access(program, os.X_OK):
        print("skip ptt_import: not built")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        t = Tool(os.path.abspath(program), folder)
        mailman2(t)
        mailman3(t)
        mlmmj(t)
        export(t, sympa(t))
        wrong(t)
        large(t)
    return 1 if failed else 0


sys.exit(main())
