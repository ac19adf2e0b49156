#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""All mail that a list writes, as Python's email package reads it.

Each kind in each language, to a member and to the moderators, with short and with the longest names, rows as decisions write
them and rows that are damaged: no defect in header or body, one of each field, addresses that parse, every line within
its limit, all words of the template filled, and the attached post octet for octet. The words that docs/lists.md says a
template of one's own may use, and must, are those.
Usage: notices.py BUILD-DIR
"""
import email
import email.errors
import email.policy
import email.utils
import os
import re
import subprocess
import sys

TOKEN = "abcdefghijklmnopqrstuv23"
POST = b"From: eve@example.org\r\nSubject: held\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" \
       b"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n.\r\nFrom here\r\n--x--\r\n"
KINDS = ("confirm-join confirm-change welcome goodbye already-member not-member join-refused join-waits post-waits "
         "post-rejected post-expired post-accepted settings settings-changed options help members outcome why "
         "farewell-removed request-decided").split()
TO_MODERATORS = {"join-waits", "post-waits", "settings-changed"}
CONFIRM = {"confirm-join", "confirm-change"}
STREAMED = {"members", "why"}
TEXTS = {
    "confirm-change": "remove carol@example.org\nset posting open\n",
    "settings": "done\tposting: open\nwrong\tfrom: me\n",
    "settings-changed": "posting\tsubscribers\topen\nfooter\tnone\tÀ bientôt = au revoir\n",
    "options": "done\tnomail: on\n",
    "outcome": "done\tjoin\nno-address\tremove nobody\nunknown\tdance é\n",
    "why": "posted@example.org",
    "post-rejected": "posted@example.org",
    "post-expired": "posted@example.org",
    "post-accepted": "posted@example.org",
}
ONCE = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Id", "List-Post", "List-Help",
        "List-Subscribe", "List-Unsubscribe", "List-Owner", "MIME-Version", "Content-Type"]
NAMES = {
    "short": {"list": "ptt", "domain": "mailingl.st", "address": "alice@example.org", "about": "bob@example.net"},
    "long": {"list": "a-list.of.thirty.octets-exact", "domain": ".".join(["d" * 60] * 3 + ["example"]),
             "address": "x" * 64 + "@" + ".".join(["e" * 60] * 3), "about": "\"a b\"@example.org"},
    "utf8": {"list": "jardins", "domain": "exemple.fr", "address": "dénis@exämple.org", "about": "ünal@example.org"},
}
DAMAGED = ["\r\nBcc: victim@example.org\r\n\r\n.\r\n", "\x00\x01\x7f\t\x1b[2J\n", "{list}\t{confirm}\t{lines}\n", "\t\t\n\t\n"]
failures = total = 0


def say(name, faults):
    global failures, total
    total += 1
    failures += bool(faults)
    print(f"not ok {name}: {'; '.join(faults)}" if faults else f"ok {name}")


def make(cases):
    """Messages, or None for a fault, of a list of cases; a case is a list of (name, octets)."""
    words = "".join("".join(f"{name} {value.hex() or '-'}\n" for name, value in case) + "\n" for case in cases)
    out = subprocess.run([os.path.join(sys.argv[1], "list-notice_driver")], input=words.encode(), capture_output=True,
                         check=True, timeout=60).stdout
    made = []
    while out:
        head, out = out.split(b"\n", 1)
        if head == b"fault":
            made.append(None)
            continue
        _, size, message_id, is_8bit, is_smtputf8 = head.decode().split(" ")
        made.append((out[:int(size)], message_id, is_8bit == "1", is_smtputf8 == "1"))
        out = out[int(size):]
    assert len(made) == len(cases), (len(made), len(cases))
    return made


def case(kind, language, names, text=None):
    fields = {"kind": kind, "list": names["list"], "domain": names["domain"], "language": language, "token": TOKEN,
              "to": "" if kind in TO_MODERATORS else names["address"], "about": names["about"],
              "text": TEXTS.get(kind, "") if text is None else text, "answers": "<asked@example.org>"}
    row = [(name, value.encode()) for name, value in fields.items()]
    if kind == "post-waits":
        row.append(("post", POST))
    if kind in STREAMED:
        row += [("line", line.encode()) for line in ("carol=x@example.org", "dénis@example.org", "tab\tand\r\nbreak", "." * 300)]
    return row


def lines_of(octets, is_8bit):
    faults = []
    if re.search(rb"(?<!\r)\n|\r(?!\n)", octets):
        faults.append("a lone CR or LF")
    if any(len(line) > 998 for line in octets.split(b"\r\n")):
        faults.append("a line over 998 octets")
    if not is_8bit and any(octet > 127 for octet in octets):
        faults.append("8-bit octets that are not announced")
    if not octets.endswith(b"\r\n"):
        faults.append("no line end at the end")
    return faults


def header_of(message, kind, names, message_id):
    faults = [f"{name} stands {len(message.get_all(name, []))} times" for name in ONCE if len(message.get_all(name, [])) != 1]
    faults += [f"{name}: {d!r}" for name, value in message.items() for d in getattr(value, "defects", [])
               if not isinstance(d, email.errors.NonASCIILocalPartDefect)]  # RFC 6532 allows it
    faults += [f"{name} is there" for name in ("Bcc", "Cc", "Return-Path", "Precedence") if name in message]
    own = f"@{names['domain']}"
    if [a.addr_spec for a in message["From"].addresses][0].split("@")[0].rsplit("-", 1)[0] != names["list"]:
        faults.append(f"From is {message['From']}")
    reply_to = message["Reply-To"].addresses[0].addr_spec if "Reply-To" in message else ""
    if kind in CONFIRM and reply_to != f"{names['list']}-confirm-{TOKEN}{own}":
        faults.append(f"Reply-To is {reply_to}")
    to = message["To"].addresses
    wanted = f"{names['list']}-owner{own}" if kind in TO_MODERATORS else names["address"]
    if len(to) != 1 or to[0].addr_spec != wanted:
        faults.append(f"To is {message['To']}")
    if email.utils.parsedate_to_datetime(message["Date"]).timestamp() != 1795400000:
        faults.append(f"Date is {message['Date']}")
    if message["Message-ID"].strip() != message_id or not re.fullmatch(r"<[a-z2-7]{26}\.\d{13}@[^<>@ ]+>", message_id):
        faults.append(f"Message-ID is {message['Message-ID']}, {message_id} was told")
    if message["Auto-Submitted"] not in ("auto-replied", "auto-generated"):
        faults.append("Auto-Submitted")
    if re.sub(r"\s", "", message["List-Id"]) != f"<{names['list']}.{names['domain']}>":
        faults.append(f"List-Id is {message['List-Id']}")
    if "{" in message["Subject"] or not message["Subject"].strip():
        faults.append(f"Subject is {message['Subject']}")
    return faults


def body_of(message, octets, kind, language):
    faults = [repr(d) for part in message.walk() for d in part.defects]
    texts = [part for part in message.walk() if part.get_content_type() == "text/plain"]
    text = texts[0].get_content().replace("\r\n", "\n")
    if texts[0].get_content_charset() != "utf-8" or texts[0]["Content-Language"] != language:
        faults.append("charset or language")
    if re.search(r"\{\w+\}", text) or "\ufffd" in text or not text.endswith("\n"):
        faults.append(f"text is {text!r}")
    if kind in TO_MODERATORS - {"settings-changed"} and not all(f"-{w}-{TOKEN}@" in text for w in ("accept", "reject")):
        faults.append("no link to accept or reject")
    if kind in CONFIRM and "mailto:" not in text:
        faults.append("no link to confirm")
    if kind in STREAMED and not all(line in text for line in ("carol=x@example.org\n", "dénis@example.org\n", "tab and  break\n")):
        faults.append(f"lines are missing: {text!r}")
    if kind == "post-waits":
        start = octets.index(b"message/rfc822")
        attached = octets[octets.index(b"\r\n\r\n", start) + 4:octets.rindex(b"\r\n--")]
        inner = [part for part in message.walk() if part.get_content_type() == "message/rfc822"]
        if attached != POST or len(inner) != 1 or inner[0].get_payload(0)["Subject"] != "held":
            faults.append("the attached post is another")
    return faults


def read(octets, is_smtputf8):
    """Python takes header octets beyond ASCII as broken, but reads them in a string."""
    if is_smtputf8:
        return email.message_from_string(octets.decode(), policy=email.policy.SMTPUTF8)
    return email.message_from_bytes(octets, policy=email.policy.SMTP)


def judge(row, made, names, damaged):
    given = dict(row)
    kind, language = given["kind"].decode(), given["language"].decode()
    if made is None:
        return [] if damaged else ["it could not be written"]
    octets, message_id, is_8bit, is_smtputf8 = made
    message = read(octets, is_smtputf8)
    faults = lines_of(octets, is_8bit) + header_of(message, kind, names, message_id)
    if damaged:
        return faults + [repr(d) for part in message.walk() for d in part.defects]
    if is_smtputf8 != any(ord(c) > 127 for c in given["to"].decode() + names["list"]):
        faults.append(f"SMTPUTF8 is {is_smtputf8}")
    return faults + body_of(message, octets, kind, "fr" if language == "fr" else "en")


def templates():
    names = NAMES["short"]
    good = "Subject: Hallo {address} — {description}\n\nWillkommen bei {list}!\n\n{owner}\n"
    cases = [case("welcome", "de", names) + [("template", good.encode()), ("description", "Gärten {list}".encode())],
             case("welcome", "de", names) + [("template", b"no subject")],
             case("confirm-join", "de", names) + [("template", b"Subject: a\n\nno link\n")]]
    fine, *wrong = make(cases)
    message = read(fine[0], False)
    say("an owner's template", [] if message["Subject"] == "Hallo bob@example.net — Gärten {list}" and
        message.get_content().replace("\r\n", "\n") == "Willkommen bei ptt@mailingl.st!\n\nptt-owner@mailingl.st\n" else [str(message)])
    for name, made in zip(("no subject", "no link"), wrong):
        say(f"a template with {name} is refused", ["it was used"] if made else [])


def documented():
    """The words of templates that docs/lists.md names: kind -> (all, those that must be there)."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(top, "docs", "lists.md"), encoding="utf-8") as f:
        rows = re.findall(r"^\| ([a-z, -]+) \| [^|]+ \|([^|]*)\|$", f.read(), re.M)
    return {kind: (re.findall(r"`\{(\w+)\}`", words), re.findall(r"\*\*`\{(\w+)\}`\*\*", words))
            for kinds, words in rows for kind in kinds.split(", ") if kind in KINDS}


def words_of_templates():
    told = documented()
    say("docs/lists.md names every kind", sorted(set(KINDS) - set(told)))
    for kind, (words, needed) in told.items():
        left_out = [[w for w in words if w != missing] for missing in needed]
        beyond = next(w for w in ("outcomes", "lines") if w not in words)
        rows = [case(kind, "en", NAMES["short"]) + [("template", template(some))]
                for some in [words] + left_out + [words + [beyond]]]
        fine, *wrong = make(rows)
        say(f"words of {kind}", ([] if fine else [f"{words} are not enough"]) +
            [f"{some} was let through" for some, made in zip(left_out + [words + [beyond]], wrong) if made])


def template(words):
    return ("Subject: {list}\n\n" + "".join("{%s}\n" % word for word in words) + "{name} {days}\n").encode()


def main():
    for language in ("en", "fr", "de"):
        for size, names in NAMES.items():
            rows = [case(kind, language, names) for kind in KINDS]
            for kind, row, made in zip(KINDS, rows, make(rows)):
                say(f"{kind} {language} {size}", judge(row, made, names, False))
    names = dict(NAMES["short"], about="bob@example.net\r\nBcc: victim@example.org")
    for number, text in enumerate(DAMAGED):
        rows = [case(kind, "en", names, text) for kind in KINDS]
        for kind, row, made in zip(KINDS, rows, make(rows)):
            say(f"{kind} damaged {number}", judge(row, made, names, True))
    templates()
    words_of_templates()
    print(f"{total - failures} of {total} notices are right")
    return 1 if failures else 0


sys.exit(main())
