# SPDX-License-Identifier: ISC
"""Ways to change a message that somebody on its way has found. Each gives the fields and the body anew, or None where the
message has no place for it. Whether a canonicalization forgives one is for dkim_canon to say."""
import re

from dkim_canon import join, name_of, split

SIGNATURE = b"dkim-signature"


def pick(rng, items):
    return rng.choice(items) if items else None


def change_field(rng, fields, change, skip=()):
    """One of the fields through change(name part, value part); None when no field has a place for it."""
    order = [i for i in range(len(fields)) if name_of(fields[i]) not in skip]
    rng.shuffle(order)
    for i in order:
        name, _, value = fields[i].partition(b":")
        new = change(name, value.removesuffix(b"\r\n"))
        if new is not None and new != fields[i]:
            return fields[:i] + [new] + fields[i + 1:]
    return None


def at(rng, text, pattern):
    """A random match of the pattern, or None."""
    return pick(rng, list(re.finditer(pattern, text)))


def put(text, match, new):
    return text[:match.start()] + new + text[match.end():]


def in_value(pattern, new, skip=()):
    """A damage that puts new(the match) where the pattern matches in a field's value."""
    def damage(rng, fields, body):
        def change(name, value):
            match = at(rng, value, pattern)
            return match and name + b":" + put(value, match, new(match.group())) + b"\r\n"
        fields = change_field(rng, fields, change, skip)
        return fields and (fields, body)
    return damage


def in_name(new):
    def damage(rng, fields, body):
        fields = change_field(rng, fields, lambda name, value: new(name) + b":" + value + b"\r\n")
        return fields and (fields, body)
    return damage


def in_body(pattern, new):
    def damage(rng, fields, body):
        match = at(rng, body, pattern)
        return match and (fields, put(body, match, new(match.group())))
    return damage


def to_body(change):
    return lambda rng, fields, body: (fields, change(body)) if change(body) != body else None


def no_signatures(fields):
    return [i for i in range(len(fields)) if name_of(fields[i]) != SIGNATURE]


def double(where):
    """A copy of a field, on top or at the end."""
    def damage(rng, fields, body):
        i = pick(rng, no_signatures(fields))
        copy = [fields[i]]
        return (copy + fields if where == "top" else fields + copy), body
    return damage


def second(where):
    """Another field of a name that is there."""
    def damage(rng, fields, body):
        i = pick(rng, no_signatures(fields))
        new = [fields[i].split(b":", 1)[0] + b": other\r\n"]
        return (new + fields if where == "top" else fields + new), body
    return damage


def remove(rng, fields, body):
    i = pick(rng, no_signatures(fields))
    return fields[:i] + fields[i + 1:], body


def swap(rng, fields, body):
    i = rng.randrange(len(fields) - 1)
    if name_of(fields[i]) == name_of(fields[i + 1]) == SIGNATURE:
        return None  # verdicts are told by place
    return fields[:i] + [fields[i + 1], fields[i]] + fields[i + 2:], body


def other_letter(byte):
    return b"z" if byte != b"z" else b"y"


HEADER = {
    "a space doubled": in_value(rb"(?<!\n)[ \t]", lambda c: c + b" "),
    "a space made a tab": in_value(rb"(?<!\n) ", lambda c: b"\t"),
    "a fold made": in_value(rb"(?<=[^\s])[ \t]+(?=[^\s])", lambda c: b"\r\n" + c),
    "a fold undone": in_value(rb"\r\n", lambda c: b""),
    "a fold's space changed": in_value(rb"\r\n[ \t]", lambda c: b"\r\n \t "),
    "the case of a name": in_name(bytes.swapcase),
    "a space before the colon": in_name(lambda name: name + b" "),
    "a space behind the colon": in_value(rb"\A", lambda c: b" "),
    "a space at a field's end": in_value(rb"\Z", lambda c: b" \t"),
    "the case of a value": in_value(rb"[A-Za-z]", bytes.swapcase, [SIGNATURE]),
    "a letter of a value": in_value(rb"[A-Za-z]", other_letter, [SIGNATURE]),
    "a field twice, on top": double("top"),
    "a field twice, below": double("below"),
    "a second field on top": second("top"),
    "a second field below": second("below"),
    "a field removed": remove,
    "two fields swapped": swap,
    "a field of nobody's": lambda rng, fields, body: ([b"X-Passed-By: a relay\r\n"] + fields, body),
}
BODY = {
    "a letter of the body": in_body(rb"[A-Za-z]", other_letter),
    "the case of a letter of the body": in_body(rb"[A-Za-z]", bytes.swapcase),
    "a space at a line's end": in_body(rb"\r\n", lambda c: b" \t\r\n"),
    "spaces cut from a line's end": in_body(rb"[ \t]+\r\n", lambda c: b"\r\n"),
    "a space of the body doubled": in_body(rb"[ \t]", lambda c: c + b"\t"),
    "a space of the body made a tab": in_body(rb" ", lambda c: b"\t"),
    "a space of the body cut": in_body(rb"[ \t]+", lambda c: b""),
    "a space put between letters": in_body(rb"(?<=[a-z])(?=[a-z])", lambda c: b" "),
    "an empty line inside": in_body(rb"\r\n(?=[^\r])", lambda c: b"\r\n\r\n"),
    "empty lines at the end": to_body(lambda body: body + b"\r\n\r\n"),
    "a line of spaces at the end": to_body(lambda body: body + b" \t\r\n"),
    "empty lines cut from the end": to_body(lambda body: re.sub(rb"(\r\n)+\Z", b"\r\n", body)),
    "no CRLF at the end": to_body(lambda body: body.removesuffix(b"\r\n")),
    "a footer": to_body(lambda body: body + b"-- \r\na list\r\n"),
    "the last line cut": to_body(lambda body: re.sub(rb"[^\n]*\n\Z", b"", body)),
    "no body": to_body(lambda body: b""),
}
LINE_ENDS = {
    "a line end of the body made LF": in_body(rb"\r\n", lambda c: b"\n"),
    "a line end of the body made CR": in_body(rb"\r\n", lambda c: b"\r"),
    "all line ends of the body made LF": to_body(lambda body: body.replace(b"\r\n", b"\n")),
    "a fold made LF": in_value(rb"\r\n", lambda c: b"\n"),
}
ALL = {**HEADER, **BODY, **LINE_ENDS}


def damaged(rng, message, name):
    """The message with that damage, or None."""
    found = ALL[name](rng, *split(message))
    return join(*found) if found else None
