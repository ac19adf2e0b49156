#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Authentication-Results by auth/authres_driver: each case of the suite is read as it says, and what was read is written
and read again. Where the suite refuses a result word that the registry does not know, we read it (RFC 8601 2.7.7), but it
must never count as a pass. Usage: authres_8601.py BUILD_DIR"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import dkim_cases as lib


def read(build, header):
    """A map from the paths of the suite to values, or None for what cannot be read."""
    data = header.encode()
    done = subprocess.run([os.path.join(build, "auth-authres_driver")], input=b"%d\n%s" % (len(data), data),
                          stdout=subprocess.PIPE, check=True, timeout=60)
    lines = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert lines.pop() == ["end"]
    if lines[0][0] == "error":
        return None
    found = {"authserv_id": lines[0][1], "authres_version": int(lines[0][2])}
    at = -1
    for kind, *parts in lines[1:]:
        if kind == "result":
            at += 1
            method, version, result, verdict, reason = parts
            found.update({f"resinfo[{at}].method": method, f"resinfo[{at}].method_version": int(version),
                          f"resinfo[{at}].result": result.lower(), f"resinfo[{at}].is_pass": verdict == "pass"})
            if reason:
                found[f"resinfo[{at}].reason"] = reason
        else:
            ptype, name, value = parts
            found.setdefault(f"resinfo[{at}].properties.{ptype}.{name}", value)
    found["resinfo.length"] = at + 1
    return found


def judge(build, case):
    """None, or what is wrong."""
    found, expect = read(build, case["header"]), case["expect"]
    if expect == "parse error":
        if "note" not in case:
            return "was read" if found else None
        return "an unknown word counts as a pass" if not found or found["resinfo[0].is_pass"] else None
    if not found:
        return "could not be read"
    wrong = [f"{path} is {found.get(path)!r}, expected {value!r}" for path, value in expect.items()
             if found.get(path) != value]
    return "; ".join(wrong) or None


def main():
    suite = lib.suite("authres-8601")
    if not suite:
        return 77
    cases = json.load(open(os.path.join(suite, "cases.json"), encoding="utf-8"))
    report = lib.Report()
    for number, case in enumerate(cases, 1):
        report.case(f"authres-8601: {number} {case['name']}", lambda: judge(sys.argv[1], case))
    print(f"authres-8601 {len(cases) - report.failed}/{len(cases)}")
    return report.status()


sys.exit(main())
