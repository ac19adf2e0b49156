#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The openspf test suite for RFC 7208, by auth/spf_driver: each result, and the explanation where the suite has one.
Usage: spf_rfc7208.py BUILD_DIR"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import dkim_cases as lib

TYPES = ("A", "AAAA", "MX", "PTR", "TXT")


def text(value):
    """TXT strings joined, in hex; code points are octets."""
    joined = value if isinstance(value, str) else "".join(value)
    return joined.encode("latin-1").hex()


def records(name, items):
    """Lines for the driver. An old SPF record stands for a TXT record, unless there is one."""
    has_txt = any(isinstance(i, dict) and "TXT" in i for i in items)
    seen = set()
    for item in items:
        if item == "TIMEOUT":
            for kind in TYPES:
                if kind not in seen:
                    yield f"record\t{name}\tTROUBLE\t{kind}"
            continue
        (kind, value), = item.items()
        if value == "TIMEOUT":
            yield f"record\t{name}\tTROUBLE\t{kind}"
        elif kind in ("TXT", "SPF"):
            if value != "NONE" and (kind == "TXT" or not has_txt):
                seen.add("TXT")
                yield f"record\t{name}\tHEX\t{text(value)}"
        else:
            seen.add(kind)
            yield f"record\t{name}\t{kind}\t{value[1] if kind == 'MX' else value}"


def script(scenario):
    yield "forget"
    for name, items in scenario["zonedata"].items():
        yield from records(name, items)
    for test in scenario["tests"]:
        yield f"check\t{test['host']}\t{test['mailfrom'] or ''}\t{test['helo']}"


def judge(test, line):
    """None, or what is wrong."""
    result, explanation, reason, *_ = line.split("\t")
    wanted = test["result"] if isinstance(test["result"], list) else [test["result"]]
    if result not in wanted:
        return f"{result} ({reason}), expected {' or '.join(wanted)}"
    if result == "fail" and "explanation" in test:
        expected = "" if test["explanation"] == "DEFAULT" else test["explanation"]
        if explanation != expected:
            return f"explanation {explanation!r}, expected {expected!r}"
    return None


def main():
    suite = lib.suite("spf-rfc7208")
    if not suite:
        return 77
    data = json.load(open(os.path.join(suite, "rfc7208-tests.json"), encoding="utf-8"))
    report, total, passed = lib.Report(), 0, 0
    for scenario in data:
        lines = "\n".join(script(scenario)) + "\n"
        done = subprocess.run([os.path.join(sys.argv[1], "auth-spf_driver")], input=lines.encode("latin-1"),
                              stdout=subprocess.PIPE, timeout=60)
        answers = done.stdout.decode("latin-1").splitlines()
        for test in scenario["tests"]:
            wrong = judge(test, answers.pop(0)) if answers else "the driver ended before it"
            total, passed = total + 1, passed + (wrong is None)
            report.case(f"spf-rfc7208: {scenario['description']}: {test['name']}", lambda: wrong)
    report.case("spf-rfc7208", lambda: None if passed == total else f"{passed}/{total}")
    print(f"spf-rfc7208 {passed}/{total}")
    return report.status()


sys.exit(main())
