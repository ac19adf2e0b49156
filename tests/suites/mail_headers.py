#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The header index against the MIME test messages and against messages with UTF-8 headers.

mime-testmsgs: the fields of each NAME.msg are those of NAME.xml, octet for octet but for line ends, which become CRLF
before as blaze has it. What is no field, and where mime4j and we differ on purpose, stands below with the reason.
eai-messages: every field splits, From, To and Cc give these mailboxes, Date gives its time.
Usage: mail_headers.py BUILD-DIR
"""
import glob
import os
import re
import subprocess
import sys

# Items of the header section that are no fields; mime4j passes over them too.
STRAYS = {
    "hdr-fakeout": (2, "a line with a space is no empty line, so text stands in the header section"),
    "jt-0498": (1, "the From line of a mailbox file"),
    "mp-msg-rfc822": (1, "the From line of a mailbox file"),
    "twopart": (1, "the From line of a mailbox file"),
    "uu-junk": (1, "the From line of a mailbox file"),
    "basic-plain-with-bad-header-separator": (3, "a line with a space is no empty line"),
    "malformedHeader-nocrlfcrlf": (1, "a line without a colon"),
    "malformedHeader-noheader": (2, "text only"),
    "malformedHeaderStartsBody-nocrlfcrlf": (1, "a line without a colon"),
    "malformedHeaderStartsBody-noheader": (2, "text only"),
    "obsolete": (1, "a name beyond ASCII"),
}
# Fields that we have beyond those of mime4j.
MORE = {
    "malformedHeaderStartsBody-nocrlfcrlf": (1, "it was told to begin the body at the first malformed line; here only the "
                                                "empty line ends the header section, as SMTP and DKIM have it"),
}

JORAN = ("Jøran Øygårdvær", "jøran", "example.com")
ARNT = ("Arnt Gulbrandsen", "arnt", "example.com")
EAI = {
    "addresses": [JORAN, JORAN, ARNT],
    "attachment": [ARNT, ARNT],
    "from": [JORAN, ARNT],
    "mimefield": [ARNT, ARNT],
    "not-emoji": [("", "xn--ls8ha", "outlook.com"), ARNT],
    "punycode": [("Dømi", "info", "xn--dmi-0na.fo"), JORAN, ("Dømi", "dømi", "xn--dmi-0na.fo")],
}


def suites():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.environ.get("PTT_SUITES") or os.path.join(root, "..", "shared", "suites")


def crlf(octets):
    return re.sub(rb"\r?\n", b"\r\n", octets)


def unhex(word):
    return b"" if word == "-" else bytes.fromhex(word)


def index(message):
    out = subprocess.run([os.path.join(sys.argv[1], "mail-header_driver")], input=message, capture_output=True,
                         check=True).stdout.decode().splitlines()
    return [line.split(" ") for line in out]


def fields_of_xml(path):
    """The fields of the outermost header, without their line ends. The text is not escaped reliably: no XML parser."""
    with open(path, "rb") as f:
        header = crlf(f.read()).split(b"<header>", 1)[1].split(b"</header>", 1)[0]
    texts = re.findall(rb"<field>\r\n(.*?)</field>", header, re.S)
    return [t.replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&quot;", b'"').replace(b"&amp;", b"&")
            for t in texts]


def check_mime(path):
    name = os.path.basename(path)[:-4]
    with open(path, "rb") as f:
        message = crlf(f.read())
    lines = index(message)
    got = [unhex(words[2]).removesuffix(b"\r\n") for words in lines if words[0] == "field"]
    strays = sum(words[0] == "stray" for words in lines)
    want = fields_of_xml(path[:-4] + ".xml")
    want += got[len(want):][:MORE.get(name, (0,))[0]]
    if got != want:
        differ = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
        return f"{len(got)} fields, {len(want)} wanted, {strays} strays; first difference at {differ}: " \
               f"{got[differ:differ + 1]!r} for {want[differ:differ + 1]!r}"
    if strays != STRAYS.get(name, (0,))[0]:
        return f"{strays} strays"
    return ""


def check_eai(path):
    name = os.path.basename(path)[:-4]
    with open(path, "rb") as f:
        message = crlf(f.read())
    lines = index(message)
    wrong = [words for words in lines if words[0] in ("stray", "wrong", "eof")]
    if wrong:
        return f"{wrong}"
    body_at = int(lines[-1][1])
    if message[:body_at].count(b"\r\n\r\n") != 1 or not message[:body_at].endswith(b"\r\n\r\n"):
        return f"the body begins at {body_at}"
    if b"".join(unhex(words[2]) for words in lines if words[0] == "field") + b"\r\n" != message[:body_at]:
        return "the fields are not the header section"
    if ["date", "1085056131"] not in lines:
        return "no Date"
    got = [tuple(unhex(word).decode() for word in words[1:]) for words in lines if words[0] == "mailbox"]
    return "" if EAI.get(name) == got else f"mailboxes {got}"


def main():
    failed = skipped = 0
    groups = (("mime-testmsgs/*/*.msg", check_mime), ("eai-messages/*.eml", check_eai))
    for pattern, check in groups:
        paths = sorted(glob.glob(os.path.join(suites(), pattern)))
        if not paths:
            print(f"skip {pattern.split('/')[0]}: the suite is not there")
            skipped += 1
            continue
        good = 0
        for path in paths:
            reason = check(path)
            name = os.path.relpath(path, suites())
            print(f"not ok {name}: {reason}" if reason else f"ok {name}")
            good += not reason
        print(f"{pattern.split('/')[0]} {good}/{len(paths)}")
        failed += len(paths) - good
    return 77 if skipped == len(groups) else int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
