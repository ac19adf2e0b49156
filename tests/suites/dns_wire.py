#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Fuzzing seeds of the suite dns-wire: no crash, no endless loop; what we take is what dnspython reads, record by record,
and reads the same after we wrote it again; what one of both refuses and the other takes must be one of the named classes.

  dns_wire.py BUILD-DIR
"""
import os, subprocess, sys

import dns.exception, dns.message, dns.name, dns.tsig, dns.wire

dns.tsig.validate = lambda *_, **__: None  # only the form matters here: signatures have a suite of their own

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUITE = os.path.join(os.environ.get("PTT_SUITES") or os.path.join(TOP, "..", "shared", "suites"), "dns-wire")

# Types whose RDATA we check, or whose names we write out: dns/rdata.c. Of other types we take any octets, where dnspython
# checks them.
CHECKED = {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 16, 17, 18, 21, 26, 28, 33, 36, 39, 41}
OPT, TSIG = 41, 250


def skip_name(wire, at):
    while wire[at] != 0:
        if wire[at] >= 0xC0:
            return at + 2
        at += 1 + wire[at]
    return at + 1


def frames(wire):
    """(section, type, class, ttl, rdata octets) of each record, as the lengths alone lay them out; None when they do not."""
    try:
        counts = [int.from_bytes(wire[i:i + 2], "big") for i in (4, 6, 8, 10)]
        at, out = 12, []
        for _ in range(counts[0]):
            at = skip_name(wire, at) + 4
        for section in (1, 2, 3):
            for _ in range(counts[section]):
                at = skip_name(wire, at)
                kind, klass = (int.from_bytes(wire[at + i:at + i + 2], "big") for i in (0, 2))
                ttl, n = int.from_bytes(wire[at + 4:at + 8], "big"), int.from_bytes(wire[at + 8:at + 10], "big")
                if at + 10 + n > len(wire):
                    return None
                out.append((section, kind, klass, ttl, wire[at + 10:at + 10 + n]))
                at += 10 + n
        return out if at == len(wire) else None
    except IndexError:
        return None


def second_opinion(wire):
    """(message, None) or (None, exception) of dnspython, TSIG not verified."""
    try:
        return dns.message.from_wire(wire, keyring=False, one_rr_per_rrset=True), None
    except Exception as e:  # whatever it raises is a refusal
        return None, e


def we_are_laxer(laid, error):
    """Why may we take what dnspython refuses? The class, or None."""
    if "is not a valid Opcode" in str(error):
        return "an opcode that dnspython does not know"
    if any(kind not in CHECKED for _, kind, *_ in laid or []):
        return "RDATA of a type that we do not read"
    return None


def answer_of(lines):
    """The driver's answer to one message: (verdict, records, again)."""
    verdict, records = next(lines), []
    if verdict != "ok":
        return verdict, records, None
    for line in lines:
        words = line.split()
        if words[0] == "again":
            return verdict, records, words[1]
        records.append((int(words[1]), words[2], int(words[3]), int(words[4]), int(words[5]), words[6]))
    return verdict, records, None


def records_of(message):
    """dnspython's records in our form; OPT and TSIG stand apart there and are left out."""
    out = []
    for number, section in enumerate(message.sections[1:], 1):
        for rrset in section:
            for rdata in rrset or [None]:
                klass = rrset.deleting if rrset.deleting is not None else rrset.rdclass
                wire = rdata.to_wire(origin=dns.name.root) if rdata is not None else b""
                out.append((number, rrset.name.to_wire().hex(), int(rrset.rdtype), int(klass), rrset.ttl,
                            wire.hex() or "-"))
    return out


def compare(ours, theirs):
    """None, or the first record that differs. TTLs above 2^31 - 1 are 0 there (RFC 2181 8), and so are those of what an
    UPDATE deletes; RDATA of types that we do not
    read is compared only by its length frame, since dnspython writes some of them anew."""
    ours = [r for r in ours if r[2] not in (OPT, TSIG)]
    if len(ours) != len(theirs):
        return "%d records, dnspython has %d" % (len(ours), len(theirs))
    for a, b in zip(ours, theirs):
        ttl = 0 if a[4] >= 2 ** 31 or (b[4] == 0 and a[3] in (254, 255)) else a[4]
        a = a[:4] + (ttl,) + a[5:]
        if a[:5] != b[:5] or (a[2] in CHECKED and a[5] != b[5]):
            return "%s, dnspython has %s" % (a, b)
    return None


def judge_message(wire, verdict, records, again):
    """(ok, text) for one message."""
    laid = frames(wire)
    theirs, error = second_opinion(wire)
    if verdict == "limit":
        return laid is None or len(laid) > 500, "limit"
    if verdict == "malformed":
        return theirs is None, "refused: both" if theirs is None else "refused, but dnspython takes it"
    if again != "same":
        return False, "written again: %s" % again
    if theirs is None:
        reason = we_are_laxer(laid, error)
        return reason is not None, "taken: %s (%s)" % (reason, type(error).__name__)
    difference = compare(records, records_of(theirs))
    return difference is None, difference or "taken: both"


def judge_name(wire, at, said):
    parser = dns.wire.Parser(wire, at)
    try:
        # The end is where the name's first part ends: dnspython gives the furthest octet that it has read, which is
        # behind that when a pointer leads to a name that runs over the pointer itself.
        name = parser.get_name()
        right = "name %s %d" % (name.to_wire().hex(), skip_name(wire, at))
    except dns.exception.DNSException:
        right = "malformed"
    return said == right, "%s instead of %s" % (said, right)


def files(folder):
    where = os.path.join(SUITE, folder)
    for name in sorted(os.listdir(where)):
        yield "%s/%s" % (folder, name), open(os.path.join(where, name), "rb").read()


def ask(driver, lines):
    run = subprocess.run([driver], input="".join(lines), stdout=subprocess.PIPE, encoding="ascii", timeout=120)
    return run.returncode, iter(run.stdout.splitlines())


def main():
    if not os.path.isdir(SUITE):
        print("skip dns-wire: no suite at %s" % SUITE)
        return 77
    driver = os.path.join(sys.argv[1], "dns-message_driver")
    bad, total, classes = 0, 0, {}
    messages = list(files("dns_message_parse.in")) + list(files("dns_message_checksig.in"))
    code, said = ask(driver, ["message %s\n" % (wire.hex() or "-") for _, wire in messages])
    for name, wire in messages:
        try:
            ok, text = judge_message(wire, *answer_of(said))
        except StopIteration:
            ok, text = False, "the driver ended with exit %d" % code
        kind = text
        classes[kind] = classes.get(kind, 0) + 1
        bad, total = bad + (not ok), total + 1
        print("ok %s" % name if ok else "not ok %s: %s" % (name, text))
    for name, wire in files("dns_name_fromwire.in"):
        places = range(min(len(wire) + 1, 512))
        code, said = ask(driver, ["name %d %s\n" % (at, wire.hex()) for at in places])
        wrong = []
        for at in places:
            ok, text = judge_name(wire, at, next(said, "the driver ended with exit %d" % code)) if at < len(wire) \
                else (next(said, None) == "malformed", "a name behind the end")
            if not ok:
                wrong.append("at %d: %s" % (at, text))
        bad, total = bad + bool(wrong), total + 1
        print("ok %s" % name if not wrong else "not ok %s: %s" % (name, wrong[0]))
    for kind, count in sorted(classes.items()):
        print("# %d %s" % (count, kind))
    print("dns-wire %d/%d" % (total - bad, total))
    return 1 if bad else 0


sys.exit(main())
