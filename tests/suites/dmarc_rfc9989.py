#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""DMARC by auth/dmarc_driver: each expectation of the suite. CONTESTED has those that contradict RFC 9989, with what the
RFC says in their place. Usage: dmarc_rfc9989.py BUILD_DIR"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import dkim_cases as lib

# 4.10 steps 2 to 7: several records at one name are discarded and the walk goes on, so that the record above applies.
CONTESTED = {
    ("does not inherit the org policy when the author domain publishes multiple records (§4.10 step 2)", "status.result"):
        ("equals", "fail"),
    ("does not inherit the org policy when the author domain publishes multiple records (§4.10 step 2)", "(result)"):
        ("policy-is", "none"),
}
FIELDS = ("result", "policy", "author", "organization", "spf", "dkim", "adkim", "record", "reason", "queries")


def records(zone):
    """Lines for the driver."""
    for name, types in zone.items():
        for kind, values in types.items():
            for value in values:
                if kind == "TXT":
                    value = "".join(value)
                elif kind == "MX":
                    value = value["exchange"]
                yield f"record\t{name}\t{kind}\t{value}"


def evaluate(build, call):
    lines = ["forget", *records(call["zone"])]
    lines += [f"dkim\t{domain}" for domain in call["dkim_pass_domains"]]
    lines += [f"spf\t{domain}" for domain in call["spf_pass_domains"]]
    lines.append(f"from\t{call['header_from']}\n")
    done = subprocess.run([os.path.join(build, "auth-dmarc_driver")], input="\n".join(lines).encode(),
                          stdout=subprocess.PIPE, check=True, timeout=60)
    return dict(zip(FIELDS, done.stdout.decode().rstrip("\n").split("\t")))


def has(got, field, value):
    """Does the outcome have this value in the suite's field?"""
    return value == {
        "status.result": got["result"],
        "policy": got["policy"],
        "domain": got["organization"],
        "dmarcQueries": got["queries"].split(" "),
    }[field]


def holds(got, field, op, value):
    if field == "(result)":
        if op == "policy-is":
            return got["policy"] == value
        assert op == "lacks-property"
        return value not in got and "pct" not in got["reason"] if value == "pct" else got[value] == "-"
    if field.startswith("alignment."):  # how a library names what is aligned is its own affair
        assert field in ("alignment.spf.result", "alignment.dkim.result", "alignment.dkim.strict"), field
        if field == "alignment.dkim.strict":
            return op == "is-true" and got["adkim"] == "s"
        return (got[field.split(".")[1]] == "-") == (op == "is-falsy")
    if field == "rr":
        return op == "contains" and value in got["record"]
    assert op == "equals", op
    return has(got, field, value)


def main():
    suite = lib.suite("dmarc-rfc9989")
    if not suite:
        return 77
    cases = json.load(open(os.path.join(suite, "cases.json"), encoding="utf-8"))
    report, total = lib.Report(), 0
    for case in cases:
        outcomes = [evaluate(sys.argv[1], call) for call in case["calls"]]
        for one in case["expect"]:
            got, field, total = outcomes[one["call"]], one["field"], total + 1
            op, value = CONTESTED.get((case["name"], field), (one["op"], one.get("value")))
            report.case(f"dmarc-rfc9989: {case['name']}: {field}",
                        lambda: None if holds(got, field, op, value) else f"not {op} {value!r}: {got}")
    print(f"dmarc-rfc9989 {total - report.failed}/{total}")
    return report.status()


sys.exit(main())
