#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Project Wycheproof against crypto/: argv[1] is the build folder. One result a group of equal flags in a file."""
import collections
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUITES = os.environ.get("PTT_SUITES", os.path.join(ROOT, "..", "shared", "suites"))
FOLDER = os.path.join(SUITES, "crypto-wycheproof")
FILES = [
    "rsa_signature_2048_sha256_test.json",
    "rsa_signature_3072_sha256_test.json",
    "rsa_signature_4096_sha256_test.json",
    "ed25519_test.json",
    "hmac_sha256_test.json",
]


def line_of(group, test):
    """The case as the driver reads it."""
    message = test["msg"] or "-"
    if group["type"] == "MacTest":
        return f"hmac {test['key'] or '-'} {message}"
    signature = test["sig"] or "-"
    if group["type"] == "EddsaVerify":
        return f"ed25519 {group['publicKey']['pk']} {message} {signature}"
    # every other case through the bare RSAPublicKey: both forms must parse
    der = group["publicKeyDer"] if test["tcId"] % 2 else group["publicKeyAsn"]
    return f"rsa {der} {message} {signature}"


def fault_of(group, test, answer):
    """None, or what is wrong about the answer."""
    if group["type"] == "MacTest":
        got = "valid" if answer[: group["tagSize"] // 4] == test["tag"] else "invalid"
        if len(answer) != 64:
            return f"tcId {test['tcId']}: {answer}"
    else:
        got = answer
    wanted = {"valid": ["valid"], "invalid": ["invalid"], "acceptable": ["valid", "invalid"]}[test["result"]]
    if got in wanted:
        return None
    return f"tcId {test['tcId']} ({test['comment']}): {got}, not {' or '.join(wanted)}"


def run_file(driver, name):
    """How many of its cases are right, of how many; all are wrong when the driver fails."""
    with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
        suite = json.load(f)
    cases = [(group, test) for group in suite["testGroups"] for test in group["tests"]]
    if len(cases) != suite["numberOfTests"] or not cases:
        print(f"not ok {name}: {len(cases)} cases read, {suite['numberOfTests']} announced")
        return 0, suite["numberOfTests"]
    text = "".join(line_of(*case) + "\n" for case in cases)
    out = subprocess.run([driver], input=text, capture_output=True, text=True, timeout=300)
    answers = out.stdout.splitlines()
    if out.returncode != 0 or len(answers) != len(cases):
        print(f"not ok {name}: driver ended with {out.returncode} after {len(answers)} answers")
        return 0, len(cases)
    groups = collections.defaultdict(list)
    for (group, test), answer in zip(cases, answers):
        flags = "+".join(test["flags"]) or "NoFlag"
        groups[f"{name.removesuffix('_test.json')} {flags}"].append(fault_of(group, test, answer))
    good = 0
    for title, faults in sorted(groups.items()):
        found = [fault for fault in faults if fault]
        good += len(faults) - len(found)
        print(f"not ok {title}: {found[0]}" if found else f"ok {title} ({len(faults)} vectors)")
    return good, len(cases)


def main():
    if not os.path.isdir(FOLDER):
        print("skip crypto_wycheproof: the suite folder crypto-wycheproof is missing")
        return 77
    driver = os.path.join(sys.argv[1], "crypto-wycheproof_driver")
    results = [run_file(driver, name) for name in FILES]
    good, total = (sum(counts) for counts in zip(*results))
    print(f"crypto-wycheproof {good}/{total}")
    return 0 if good == total else 1


sys.exit(main())
