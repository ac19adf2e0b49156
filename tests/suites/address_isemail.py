#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The is_email address tests against both address parsers of mail/address.h.

mail_mailbox_parse (SMTP) takes the categories VALID_CATEGORY, DNSWARN and RFC5321, and refuses all others.
mail_address_parse (header fields) takes CFWS and DEPREC too; RFC5322, which is about lengths and literals, and ERR it refuses.
Every case where we differ on purpose stands in SMTP or FIELD below, with its reason.
Usage: address_isemail.py BUILD-DIR
"""
import os
import subprocess
import sys
import xml.etree.ElementTree

TAKEN = {"smtp": {"ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN", "ISEMAIL_RFC5321"}}
TAKEN["field"] = TAKEN["smtp"] | {"ISEMAIL_CFWS", "ISEMAIL_DEPREC"}

# id: (is it taken, why)
SMTP = {
    "71": (True, "'::' for one group: RFC 4291 2.2 allows it, RFC 5321 4.1.3 only says to prefer the longer form"),
}
CONTROLS = (False, "a control character inside the local part: no address that anybody could write to")
INNER = (False, "comment or white space inside the local part or the domain: the address would be no slice of the message")
FIELD = {
    "58": CONTROLS, "124": CONTROLS, "125": CONTROLS, "134": CONTROLS, "138": CONTROLS, "139": CONTROLS,
    "86": INNER, "87": INNER, "165": INNER,
}


def suites():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.environ.get("PTT_SUITES") or os.path.join(root, "..", "shared", "suites")


def cases(path):
    for test in xml.etree.ElementTree.parse(path).getroot().iter("test"):
        address = test.findtext("address") or ""
        # U+2400 and on stand for control characters
        plain = "".join(chr(ord(c) - 0x2400) if 0x2400 <= ord(c) <= 0x241F else c for c in address)
        yield test.get("id"), plain.encode(), test.findtext("category"), test.findtext("diagnosis")


def main():
    path = os.path.join(suites(), "address-isemail", "tests.xml")
    if not os.path.exists(path):
        print("skip address-isemail: the suite is not there")
        return 77
    all_cases = list(cases(path))
    asked = "".join(address.hex() + "\n" for _, address, _, _ in all_cases)
    answers = subprocess.run([os.path.join(sys.argv[1], "mail-address_driver")], input=asked, capture_output=True,
                             text=True, check=True).stdout.splitlines()
    failed, total = len(answers) != len(all_cases), 0
    for (number, address, category, diagnosis), answer in zip(all_cases, answers):
        words = answer.split()
        outcomes = {words[0]: words[1], words[2]: words[3]}
        for which, reasons in (("smtp", SMTP), ("field", FIELD)):
            taken = outcomes[which].startswith("ok:")
            want = reasons[number][0] if number in reasons else category in TAKEN[which]
            name = f"{number} {which} {diagnosis}"
            total += 1
            if taken != want:
                failed += 1
                print(f"not ok {name}: {address!r} gives {outcomes[which]}, wanted it {'taken' if want else 'refused'}")
            else:
                print(f"ok {name}")
    print(f"address-isemail {total - failed}/{total}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
