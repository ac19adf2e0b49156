#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The vectors of the DKIM Verifier add-on: each signature's verdict and its reason by auth/dkim_driver, and what
`blaze dkim verify` prints of the message. Usage: dkim_vectors.py BUILD_DIR"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import dkim_cases as lib

# What upstream calls the fault -> the beginning of our sentence for it
REASONS = {
    "MISSING_V": "the signature lacks a required tag",
    "KEY_REVOKED": "the key was revoked",
    "KEY_HASHNOTINCLUDED": "the key record does not allow sha256",
    "KEY_MISMATCHED_K": "the key is of another type",
    "KEY_NOTEMAILKEY": "the key record is not for e-mail",
    "DOMAIN_I": "the key (t=s) is not for a subdomain",
    "CORRUPT_BH": "the body was changed",
    "BADSIG": "a covered header field was changed",
}


def check(build, suite, case, zone):
    zone = dict(zone, **case.get("zone_override", {}))
    message = lib.crlf(open(os.path.join(suite, case["file"]), "rb").read())
    wanted = case["signatures"]
    got = lib.driver(build, message, {name: [text] for name, text in zone.items()})
    if len(got) < len(wanted):  # of the further ones upstream does not speak
        return f"{len(got)} signatures, {len(wanted)} expected"
    for number, (one, want) in enumerate(zip(got, wanted)):
        if want["result"] == "unstated":
            continue
        if (one.result == "pass") != (want["result"] == "pass"):
            return f"signature {number}: {one.result} ({one.fault}), expected {want['result']}"
        reason = want.get("reason")
        if reason and not one.fault.startswith(REASONS[reason]):
            return f"signature {number}: {one.fault}, expected {reason}"
    return lib.blaze_agrees(build, message, zone, got)


def main():
    suite = lib.suite("dkim-vectors")
    if not suite:
        return 77
    data = json.load(open(os.path.join(suite, "cases.json"), encoding="utf-8"))
    report = lib.Report()
    for case in data["cases"]:
        report.case("dkim-vectors: " + case["name"], lambda: check(sys.argv[1], suite, case, data["zone"]))
    print(f"dkim-vectors {len(data['cases']) - report.failed}/{len(data['cases'])}")
    return report.status()


sys.exit(main())
