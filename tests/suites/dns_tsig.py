#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""TSIG vectors of the suite dns-tsig: the MAC of a message, and what a verifier says of one.

  dns_tsig.py BUILD-DIR
"""
import json, os, subprocess, sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUITE = os.path.join(os.environ.get("PTT_SUITES") or os.path.join(TOP, "..", "shared", "suites"), "dns-tsig")
ALGORITHMS = {"hmac-sha256": "SHA256", "hmac-sha384": "SHA384", "hmac-sha512": "SHA512"}


def key_of(case):
    algorithm = case.get("algorithm", "hmac-sha256")
    return "%s:%s:%s" % (case["keyname"], ALGORITHMS.get(algorithm, algorithm), case["key_b64"])


def mac_line(case):
    return "mac %s %s %s %d %d %d %s" % (
        key_of(case), case["request_mac"] or "-", case["message_without_tsig"], case["time_signed"],
        case["fudge"], case["error"], case["other"] or "-")


def verify_line(case):
    return "verify %s - %s %d" % (key_of(case), case["wire"], case["now"])


def main():
    if not os.path.isdir(SUITE):
        print("skip dns-tsig: no suite at %s" % SUITE)
        return 77
    vectors = json.load(open(os.path.join(SUITE, "vectors.json"), encoding="utf-8"))
    cases = [("mac-%d" % i, mac_line(c), c["mac"], c) for i, c in enumerate(vectors["mac"])]
    cases += [("verify-%d" % i, verify_line(c), c["expect"].split()[0], c) for i, c in enumerate(vectors["verify"])]
    driver = os.path.join(sys.argv[1], "dns-tsig_driver")
    run = subprocess.run([driver], input="".join(c[1] + "\n" for c in cases), stdout=subprocess.PIPE,
                         encoding="ascii", timeout=60)
    said = run.stdout.splitlines()
    bad = good = 0
    if run.returncode != 0 or len(said) != len(cases):
        print("not ok driver: exit %d after %d of %d cases" % (run.returncode, len(said), len(cases)))
        return 1
    for (name, _, right, case), got in zip(cases, said):
        if case.get("algorithm", "hmac-sha256") not in ALGORITHMS:
            # Refusing is the whole of what we do with it, and is tested here too.
            if got == "key: not supported":
                print("skip %s: %s is none of our algorithms (the key is refused)" % (name, case["algorithm"]))
                continue
        if got == right:
            good += 1
            print("ok %s" % name)
        else:
            bad += 1
            print("not ok %s: %s instead of %s (%s)" % (name, got, right, case["src"]))
    print("dns-tsig %d/%d" % (good, good + bad))
    return 1 if bad else 0


sys.exit(main())
