# SPDX-License-Identifier: ISC
"""Messages for the tests."""
import random

AUTHOR = "author@author.test"
LIST = "ptt@mailingl.st"


def message(text=b"Hello list.\r\n", subject="A test", sender=AUTHOR, to=LIST, more="", number=None):
    """A plain message with CRLF line ends; `more` are further header lines, each with its CRLF."""
    number = random.getrandbits(64) if number is None else number
    head = (f"From: Author <{sender}>\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
            f"Message-ID: <{number}@author.test>\r\n{more}")
    return head.encode() + b"\r\n" + text


def fields(raw):
    """[(lower-case name, unfolded value)] of a message's header section, top down."""
    head = raw.split(b"\r\n\r\n", 1)[0].decode("utf-8", "surrogateescape")
    lines = head.replace("\r\n\t", " ").replace("\r\n ", " ").split("\r\n")
    return [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def tags(value):
    """{tag: value} of a DKIM tag list, white space removed."""
    return {k.strip(): "".join(v.split()) for k, _, v in (t.partition("=") for t in value.split(";")) if k.strip()}
