#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The text of the MIME test messages, as a list reads its commands: that of the first text/plain part.

mime-testmsgs: NAME_decoded.xml names the file with the decoded octets of each part. Those of the first text/plain part that is
no attachment are what we must find, made UTF-8 by Python's codec; the first text/html part when there is none or it is
blank. Of HTML only that it was found is compared. Where mime4j and we differ on purpose stands below with the reason.
Usage: mime_text.py BUILD-DIR
"""
import codecs
import glob
import os
import re
import subprocess
import sys

TOKEN = re.compile(rb'<(/?)(message|multipart|body-part)>|<header>(.*?)</header>|<(?:text|binary)-body name="([^"]+)"', re.S)
CHARSETS = {"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"}
# Messages that mime4j reads otherwise.
OTHERWISE = {
    "ending-boundaries": "text stands behind the boundary; we demand the whole line, so that one boundary may begin like another",
    "malformedHeaderStartsBody-nocrlfcrlf": "it was told to begin the body at the first malformed line",
    "malformedHeaderStartsBody-noheader": "likewise",
    "very-very-long-boundary": "a boundary of 7,000 octets, where RFC 2046 allows 70 and no line has more than 998",
}


def suites():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.environ.get("PTT_SUITES") or os.path.join(root, "..", "shared", "suites")


def crlf(octets):
    return re.sub(rb"\r?\n", b"\r\n", octets)


def field(header, name):
    found = re.findall(rb"<field>\s*%s[ \t]*:(.*?)</field>" % name.encode(), header, re.S | re.I)
    return found[0].decode("latin-1") if found else ""


def parts(path):
    """(type, charset, file) of each part of text, in order, that does not lie in a message inside."""
    with open(path, "rb") as f:
        xml = f.read()
    depth, header = 0, b""
    for end, name, fields, body in TOKEN.findall(xml):
        if name == b"message":
            depth += -1 if end else 1
        elif name == b"body-part":
            header = b""
        elif fields:
            header = fields
        elif body and depth == 1:
            kind = field(header, "Content-Type")
            form = re.match(r"\s*([\w-]+/[\w.+-]+)", kind)
            charset = re.search(r"charset\s*=\s*\"?([^\s\";]+)", kind, re.I)
            if not field(header, "Content-Disposition").strip().lower().startswith("attachment"):
                yield (form.group(1).lower() if form else "text/plain", charset.group(1).lower() if charset else "us-ascii",
                       os.path.join(os.path.dirname(path), body.decode()))


def plain(text):
    """Line ends, blanks and what no charset has, as the reader makes them."""
    text = re.sub("\r\n|\r", "\n", text)
    text = re.sub("[\x00-\x08\x0b-\x1f\x7f-\xa0]", " ", text)
    return re.sub("[\ufffd\ufeff\u200b]", "", text).rstrip("\n")


def text_of(charset, file):
    with open(file, "rb") as f:
        octets = f.read()
    return plain(codecs.decode(octets, charset if charset in CHARSETS - {"us-ascii"} else "utf-8", "replace"))


def expected(path):
    first = {}
    for kind, charset, file in parts(path):
        first.setdefault(kind, text_of(charset, file))
    text, html = first.get("text/plain"), first.get("text/html")
    if html is not None and not (text or "").strip():
        return "html", html
    return ("none", "") if text is None else ("plain", text)


def judge(path):
    with open(path, "rb") as f:
        message = crlf(f.read())
    out = subprocess.run([os.path.join(sys.argv[1], "mail-mime_driver")], input=message, capture_output=True, check=True).stdout
    word, text = out.decode().split("\n", 1)
    wanted, octets = expected(path[:-4] + "_decoded.xml")
    if word != wanted:
        return f"{word} was found, not {wanted}"
    if word == "plain" and plain(text) != octets:
        return f"{plain(text)[:60]!r} is not {octets[:60]!r}"
    return None


def main():
    messages = sorted(glob.glob(os.path.join(suites(), "mime-testmsgs", "*", "*.msg")))
    if not messages:
        print("skip mime-testmsgs: the suite is not here")
        return 77
    good = 0
    for path in messages:
        name = os.path.basename(path)[:-4]
        reason = judge(path)
        if name in OTHERWISE:
            reason = None if reason else "it is read as mime4j does: take it off the table"
        print(f"not ok {name}: {reason}" if reason else f"ok {name}")
        good += reason is None
    print(f"mime-testmsgs text {good}/{len(messages)}")
    return 0 if good == len(messages) else 1


sys.exit(main())
