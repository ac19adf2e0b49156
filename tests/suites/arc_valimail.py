#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""ValiMail's ARC suite: the status of each chain, and the set that sealing adds, byte for byte but for white space and
the order of tags, by auth/arc_driver; and what `blaze arc verify` says of the chain. Usage: arc_valimail.py BUILD_DIR"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import dkim_cases as lib

FIELDS = ("ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results")


def drive(build, scenario, commands):
    """What the driver answers; `commands` are bytes. A line break in a record of the suite is none of DNS."""
    records = "".join(f"key {name} {text}\n" for name, text in
                      ((name, "".join(text.split("\n"))) for name, text in scenario["txt-records"].items()))
    done = subprocess.run([os.path.join(build, "auth-arc_driver")], input=records.encode() + commands, check=True,
                          stdout=subprocess.PIPE, timeout=60)
    return done.stdout


def validate(build, scenario, case):
    message = lib.crlf(case["message"].encode())
    answer = drive(build, scenario, b"now 1480000000\nverify %d\n" % len(message) + message).decode().split("\t")
    wanted = (case["cv"] or "Fail").lower()
    if answer[0] != wanted:
        return f"{answer}, expected {wanted}"
    zone = {name: "".join(text.split("\n")) for name, text in scenario["txt-records"].items()}
    done = lib.blaze(build, ["arc", "verify", "--newline=crlf"], message, zone)
    failed = "\U0001f7a9" in done.stdout.decode()
    return None if (failed, done.returncode) == (wanted == "fail", 124 if wanted == "fail" else 0) else str(done)


def parts(text):
    return sorted("".join(part.split()) for part in text.split(";"))


def seal(build, scenario, case):
    message = lib.crlf(case["message"].encode())
    pem = scenario["privatekey"].encode()
    who = f"as {scenario['domain']} {scenario['sel']} {case['srv-id']} {case['sig-headers']}\nnow {case['t']}\n"
    answer = drive(build, scenario, b"sign %d\n" % len(pem) + pem + who.encode() + b"seal %d\n" % len(message) + message)
    if not any(case[name] for name in ("AS", "AMS", "AAR")):
        return None if answer.startswith(b"- ") else f"sealed: {answer}"
    if answer.startswith(b"- "):
        return answer.decode()
    size, fields = answer.split(b"\n", 1)
    if int(size) != len(fields):
        return f"{len(fields)} bytes, told {size}"
    fields = fields.decode().replace("\r\n ", " ").split("\r\n")
    for field, name, wanted in zip(fields, FIELDS, (case["AS"], case["AMS"], case["AAR"])):
        found, value = field.split(":", 1)
        if found != name or parts(value) != parts(wanted):
            return f"{field}, expected {wanted}"
    return None


def run(report, build, path, what, check):
    count = good = 0
    with open(path, encoding="utf-8") as data:
        for scenario in json.load(data):
            for case in scenario["tests"]:
                before = report.failed
                report.case(f"arc-valimail {what}: {case['name']}", lambda: check(build, scenario, case))
                count += 1
                good += report.failed == before
    print(f"arc-valimail {what} {good}/{count}", flush=True)


def main():
    suite = lib.suite("arc-valimail")
    if not suite:
        return 77
    report = lib.Report()
    run(report, sys.argv[1], os.path.join(suite, "arc-draft-validation-tests.json"), "validation", validate)
    run(report, sys.argv[1], os.path.join(suite, "arc-draft-sign-tests.json"), "signing", seal)
    return report.status()


sys.exit(main())
