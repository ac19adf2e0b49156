# SPDX-License-Identifier: ISC
"""Random messages for the interop scripts: folds, white space at every place, empty and long lines, all kinds of bytes."""
import re

DOMAIN = "example.com"


def words(rng, count):
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789.,-_=;:()<>"
    return ["".join(rng.choice(alphabet) for _ in range(rng.randint(1, 12))) for _ in range(count)]


def blank(rng):
    return rng.choice([" ", " ", " ", "  ", "\t", " \t "])


def field_text(rng):
    """Words with white space and folds between them, never a line of white space alone."""
    text = rng.choice(["", " ", "  ", "\t"])
    for word in words(rng, rng.randint(1, 14)):
        text += word + (rng.choice(["\r\n ", "\r\n\t", "\r\n  "]) if rng.random() < 0.15 else blank(rng))
    return re.sub(r"(\r\n)?[ \t]+$", "", text) + rng.choice(["", "", " ", "\t"])


def body_line(rng):
    kind = rng.random()
    if kind < 0.2:
        return ""
    if kind < 0.3:
        return rng.choice([" ", "\t", " \t "])
    if kind < 0.4:
        return "x" * rng.randint(60, 998)
    if kind < 0.5:
        return "".join(chr(rng.randint(128, 255)) for _ in range(rng.randint(1, 70)))
    return blank(rng).join(words(rng, rng.randint(1, 12))) + rng.choice(["", "", " ", "\t  "])


def make_message(rng):
    name = rng.choice(["Joe", "Zo\xeb", "=?utf-8?q?Zo=C3=AB?="])
    fields = [("From", f" {name} <joe@{DOMAIN}>"),
              ("To", " a@example.org,\r\n b@example.org"), ("Subject", field_text(rng)),
              ("Date", " Fri, 11 Jul 2003 21:00:37 -0700"), ("Message-ID", f" <{rng.getrandbits(60):x}@{DOMAIN}>")]
    for _ in range(rng.randint(0, 6)):
        name = rng.choice(["X-Thing", "Received", "Cc", "References", "Comments", "MIME-Version", "Content-Type", "SUBJECT-2"])
        fields.append((name, field_text(rng)))
    rng.shuffle(fields)
    header = "".join(f"{name}:{text}\r\n" for name, text in fields)
    lines = [body_line(rng) for _ in range(rng.choice([0, 1, 2, 5, 30, 200]))]
    lines += [""] * rng.choice([0, 0, 1, 3])
    body = "".join(line + "\r\n" for line in lines)
    return (header + "\r\n" + body).encode("latin-1")


def spoil(message):
    """The message with a covered byte changed: the first letter of the Subject or To."""
    at = re.search(rb"^To: a", message, re.M).end() - 1
    return message[:at] + b"z" + message[at + 1:]
