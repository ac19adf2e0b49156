# SPDX-License-Identifier: ISC
"""What a DKIM signature covers, by the words of RFC 6376 3.4, 3.5 and 3.7 and nobody's code: a judge of whether a change
of a message is one that a canonicalization forgives."""
import collections
import re

Covered = collections.namedtuple("Covered", "field tags header body whole")


def split(message):
    """(fields, body): each field with its folds and its final CRLF."""
    header, _, body = (b"\r\n" + message).partition(b"\r\n\r\n")
    header = (header + b"\r\n")[2:]
    return [field for field in re.split(rb"(?<=\r\n)(?![ \t])", header) if field], body


def join(fields, body):
    return b"".join(fields) + b"\r\n" + body


def name_of(field):
    return field.split(b":", 1)[0].rstrip(b" \t").lower()


def tags_of(field):
    found = {}
    for part in field.split(b":", 1)[1].split(b";"):
        name, _, value = part.partition(b"=")
        found[name.strip().decode()] = b"".join(value.split()).decode()
    return found


def without_b(field):
    """3.7: the value of b= with all white space around it is deleted, and the CRLF at the end. It holds no lone CR or LF."""
    return re.sub(rb"((?:^[^:]*:|;)\s*b\s*=)(?:[^;\r\n]|\r\n)*", rb"\1", field, count=1).removesuffix(b"\r\n")


def header_form(field, form):
    if form == "simple":
        return field
    name, _, value = field.partition(b":")
    value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + value + (b"\r\n" if field.endswith(b"\r\n") else b"")


def body_form(body, form):
    if form == "relaxed":
        body = re.sub(rb"[ \t]+", b" ", body)
        body = re.sub(rb" (?=\r\n|\Z)", b"", body)
    body = re.sub(rb"(\r\n)+\Z", b"", body)
    return body + b"\r\n" if body or form == "simple" else b""


def covered(fields, body, signature):
    """What `signature`, one of the fields, covers of the message."""
    tags = tags_of(signature)
    header, _, form = tags.get("c", "simple/simple").partition("/")
    left, taken = list(fields), []
    for name in tags["h"].lower().split(":"):
        at = [i for i, field in enumerate(left) if name_of(field) == name.encode()]
        if at:  # 5.4.2: the lowest that is left
            taken.append(header_form(left.pop(at[-1]), header))
    taken.append(header_form(without_b(signature), header))
    body = body_form(body, form or "simple")
    limit = int(tags["l"]) if "l" in tags else len(body)
    return Covered(signature, tags, b"".join(taken), body[:limit], body)


def signatures(message):
    """One Covered a signature, from the top."""
    fields, body = split(message)
    return [covered(fields, body, field) for field in fields if name_of(field) == b"dkim-signature"]


def forgives(before, after):
    """Is what the signature covers the same? A body that became shorter than l= is not."""
    short = "l" in after.tags and len(after.whole) < int(after.tags["l"])
    return before.header == after.header and before.body == after.body and not short
