# SPDX-License-Identifier: ISC
"""Posts for tests/interop/deliverability.py: the messages of the suites mime-testmsgs and eai-messages with authors of
domains that we know, and mutations of them. What comes out is what an author's server would send: CRLF, whole fields, each
field once that may be there once."""
import glob
import os
import re

from dkim_canon import join, name_of, split

ONCE = [b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc", b"message-id", b"in-reply-to", b"references", b"subject",
        b"date", b"mime-version", b"content-type", b"content-transfer-encoding", b"content-disposition", b"content-id",
        b"content-description", b"list-id", b"list-post", b"list-unsubscribe"]
GONE = [b"from", b"sender", b"bcc", b"dkim-signature", b"domainkey-signature", b"return-path", b"authentication-results"]
FIELD = re.compile(rb"[!-9;-~]+:[^\r\n]*(\r\n[ \t]+[^ \t\r\n][^\r\n]*)*\r\n\Z")
NAMES = [b"Joe", b"Joe Doe", b'"Doe, Joe"', b'"Joe \\"J\\" Doe"', b"=?utf-8?q?Jo=C3=A9?=", b"=?iso-8859-1?q?Jo=E9?= Doe", b"",
         "Joé".encode(), b'"joe@elsewhere.test"', b"Joe (at work) Doe", b"J" * 90, b'"Joe via other"']
SUBJECTS = [b" Hello", b"Hello", b" Re: Hello", b" RE: Re: [other] Hello", b"", b" =?utf-8?q?=C3=A9t=C3=A9?=", " été".encode(),
            b" =?utf-8?b?w6l0w6k=?=\r\n =?utf-8?q?_encore?=", b" folded\r\n\tonce\r\n  and twice", b" " + b"long " * 40, b" Fwd: [ptt] Hello",
            b" [ptt] Hello", b" =?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", b" ends with blanks  \t"]
MORE = [b"Reply-To: Other <other@elsewhere.test>\r\n", b"Cc: a@elsewhere.test,\r\n\tb@elsewhere.test\r\n",
        b"In-Reply-To: <1@elsewhere.test>\r\n", b"X-Mailer:  a  program\t\r\n", b"X-Long: " + b"x" * 900 + b"\r\n",
        b"Received: from a by b; Mon, 23 Nov 2026 00:00:00 +0000\r\n", b"Keywords: one, two\r\n", b"Comments: (a (b) c\r\n",
        b"Precedence: bulk\r\n", b"Author: Somebody <else@elsewhere.test>\r\n", b"Autocrypt: addr=joe@elsewhere.test; keydata=AAAA\r\n"]
BODIES = [b"", b"\r\n", b"text\r\n", b"text \t \r\n\r\n\r\n", b".\r\n..\r\nFrom here\r\n", b"\xe9t\xe9 \xff\r\n", "été\r\n".encode(),
          b"x" * 998 + b"\r\n", b"-- \r\nJoe\r\n", b"--=_aebagaaaaaaaaaaaaaaaaaaaaa--\r\n", b" \r\n \r\n"]


def read(path):
    """A suite's message as SMTP can carry it, without what GONE names; None when that leaves no field."""
    with open(path, "rb") as file:
        raw = re.sub(rb"\r\n|\r|\n", b"\r\n", file.read().replace(b"\0", b""))
    fields, body = split(raw)
    kept, seen = [], set()
    for field in fields:
        name = name_of(field)
        if FIELD.match(field) and name not in GONE and name not in seen:
            kept.append(field)
            seen |= {name} & set(ONCE)
    lines = [line[at:at + 990] for line in body.split(b"\r\n") for at in range(0, max(1, len(line)), 990)]
    body = b"\r\n".join(lines)
    return (kept, body if body.endswith(b"\r\n") or not body else body + b"\r\n") if kept else None


def suite(folders):
    paths = sorted(p for f in folders for e in ("msg", "eml") for p in glob.glob(os.path.join(f, "**", f"*.{e}"), recursive=True))
    return [message for message in map(read, paths) if message]


def put(fields, name, field):
    """The fields with this one in place of those of its name."""
    return [f for f in fields if name_of(f) != name] + [field]


def mutate(rng, fields, body):
    fields = list(fields)
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        kind = rng.randrange(5)
        if kind == 0:
            fields = put(fields, b"subject", b"Subject:" + rng.choice(SUBJECTS) + b"\r\n")
        elif kind == 1:
            field = rng.choice(MORE)
            fields = put(fields, name_of(field), field)
        elif kind == 2:
            rng.shuffle(fields)
        elif kind == 3:
            body = rng.choice([rng.choice(BODIES), body + rng.choice(BODIES)])
        elif fields:
            fields.pop(rng.randrange(len(fields)))
    return fields, body


def make(rng, message, domain):
    """A post by somebody of that domain, not signed."""
    fields, body = mutate(rng, *message)
    name, address = rng.choice(NAMES), rng.choice([b"joe", b"joe.doe", b"j+ptt", b'"joe doe"']) + b"@" + domain.encode()
    author = b"From: " + (name + b" <" + address + b">" if name else address) + b"\r\n"
    fields = put(fields, b"from", author)
    if not any(name_of(f) == b"date" for f in fields):
        fields.append(b"Date: Mon, 23 Nov 2026 00:00:00 +0000\r\n")
    return join(fields, body)
