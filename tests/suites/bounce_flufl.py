#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What bounces say, on 115 real ones of many mail systems (bounce-flufl): who failed, and whether for good.

expected.tsv has what each must give, by the one detector upstream that was written for it; where a message is there for
several detectors, what any of them finds counts. Domains compare without case, local parts as written.
Usage: bounce_flufl.py BUILD-DIR
"""
import csv
import os
import re
import subprocess
import sys


def suites():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.environ.get("PTT_SUITES") or os.path.join(root, "..", "shared", "suites")


def folded(address):
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def wanted(path):
    """By file: the kind and addresses that must be found."""
    found = {}
    with open(path, newline="") as f:
        for row in csv.DictReader(f, delimiter="\t"):
            addresses = row["upstream_expected"]
            some = set() if addresses == "-" else {(row["kind"], folded(a)) for a in addresses.split(",")}
            found.setdefault(row["file"], set()).update(some)
    return found


def read(message):
    out = subprocess.run([os.path.join(sys.argv[1], "mail-bounce_driver")], input=message, capture_output=True,
                         check=True).stdout.decode().splitlines()
    return {(kind, folded(address)) for kind, address, _ in (line.rsplit(" ", 2) for line in out[:-1])}


def main():
    folder = os.path.join(suites(), "bounce-flufl")
    if not os.path.isdir(folder):
        print("skip bounce-flufl: the suite is not there")
        return 77
    want = wanted(os.path.join(folder, "expected.tsv"))
    good = 0
    for name in sorted(want):
        with open(os.path.join(folder, "data", name), "rb") as f:
            got = read(re.sub(rb"\r?\n", b"\r\n", f.read()))
        if got == want[name]:
            good += 1
            print(f"ok {name}")
        else:
            print(f"not ok {name}: {sorted(got)}, not {sorted(want[name])}")
    print(f"bounce-flufl {good}/{len(want)}")
    return int(good < len(want))


if __name__ == "__main__":
    sys.exit(main())
