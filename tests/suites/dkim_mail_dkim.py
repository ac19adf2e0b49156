#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The corpus of Mail::DKIM. By RFC 6376 with RFC 8301 one message passes, goodkey_ed25519.txt; every other must not, and
where the corpus says what is wrong, we must say the same. Usage: dkim_mail_dkim.py BUILD_DIR"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import dkim_cases as lib

PASSES = "goodkey_ed25519.txt"
OLD_VERSION = "the version of the signature (v=) is not 1"
SHA1 = "the signature's algorithm is rsa-sha1"
# file -> (what is wrong with its first signature; what is wrong with the key record by itself). None: not looked at.
# Many are wrong in several ways, and the signature's faults come before the key's, which are then looked at apart.
REASONS = {
    "bad_1878954.txt": (SHA1, None),
    "badkey1_ed25519.txt": ("the key record holds no key", "the key record holds no key"),
    "badkey2_ed25519.txt": ("a covered header field was changed", "the signature is right"),
    "badkey3_ed25519.txt": ("the body was changed", "the signature is right"),
    "badkey4_ed25519.txt": ("there is no key record", "there is no key record"),
    "badkey5_ed25519.txt": ("the key record is malformed", "the key record is malformed"),
    "badkey_1.txt": (OLD_VERSION, "there is no key record"),
    "badkey_2.txt": (OLD_VERSION, "the key was revoked"),
    "badkey_3.txt": (OLD_VERSION, "the version of the key record"),
    "badkey_4.txt": (OLD_VERSION, "the key record is malformed"),
    "badkey_5.txt": (OLD_VERSION, "the type of the key"),
    "badkey_6.txt": (OLD_VERSION, "the key record is not for e-mail"),
    "badkey_7.txt": (OLD_VERSION, "the key record does not allow sha256"),
    "badkey_10.txt": (SHA1, "the RSA key has less than 1024 bits"),
    "badkey_11.txt": ("the key record does not allow sha256", "the key record does not allow sha256"),
    "badkey_14.txt": (SHA1, "DNS gave no answer"),
    "badkey_15.txt": (SHA1, "DNS gave no answer"),
    "good_1878523.txt": (SHA1, "the RSA key has less than 1024 bits"),
    "goodkey_1.txt": (SHA1, "the RSA key has less than 1024 bits"),
    "goodkey_2.txt": (SHA1, "the key record does not allow sha256"),
    "ignore_1.txt": (OLD_VERSION, None),
    "ignore_2.txt": (OLD_VERSION, None),
    "ignore_3.txt": (OLD_VERSION, None),
    "ignore_4.txt": (OLD_VERSION, None),
    "ignore_5.txt": ("the signature's query methods", None),
    "ignore_6.txt": ("the signature's query methods", None),
    "ignore_7.txt": (SHA1, None),
    "ignore_8.txt": ("the identity (i=) is not within", None),
}
# several signatures: the fault of each
EACH = {
    "multiple_2.txt": ["the signature's canonicalization", SHA1, SHA1, "the signature field is not a list"],
    "multiple_1.txt": ["the signature lacks a required tag"] * 4,
}


def read_zone(path):
    records, trouble = {}, []
    for line in open(path, encoding="utf-8"):
        match = re.match(r"(\S+)\s+(.*)$", line.rstrip("\n"))
        if line.startswith("#") or not match:
            continue
        name, text = match.groups()
        if text.startswith("~~"):
            trouble.append(name)
        elif text != "NXDOMAIN":
            records.setdefault(name, []).append("" if text == '""' else text)
    return records, trouble


def check(build, suite, name, zone, trouble):
    message = lib.crlf(open(os.path.join(suite, "corpus", name), "rb").read())
    got = lib.driver(build, message, zone, trouble)
    if (PASSES == name) != any(one.result == "pass" for one in got):
        return "verdicts: " + ", ".join(f"{one.result} ({one.fault})" for one in got)
    if name in REASONS:
        fault, key = REASONS[name]
        if not got or not got[0].fault.startswith(fault):
            return f"{got and got[0].fault}, expected: {fault}"
        if key and not got[0].key.startswith(key):
            return f"key: {got[0].key}, expected: {key}"
    if name in EACH:
        faults = [one.fault for one in got]
        if len(faults) != len(EACH[name]) or not all(f.startswith(w) for f, w in zip(faults, EACH[name])):
            return f"faults: {faults}"
    flat = {owner: texts[0] for owner, texts in zone.items()}
    return lib.blaze_agrees(build, message, flat, got)


def main():
    suite = lib.suite("dkim-mail-dkim")
    if not suite:
        return 77
    zone, trouble = read_zone(os.path.join(suite, "FAKE_DNS.dat"))
    report = lib.Report()
    names = [name for name in sorted(os.listdir(os.path.join(suite, "corpus"))) if name.endswith(".txt")]
    for name in names:
        report.case("dkim-mail-dkim: " + name, lambda: check(sys.argv[1], suite, name, zone, trouble))
    print(f"dkim-mail-dkim {len(names) - report.failed}/{len(names)}")
    return report.status()


sys.exit(main())
