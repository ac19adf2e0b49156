#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""SMTP smuggling: the end-of-data sequences of the suite smtp-eod, into the server engine and out of the client's.

  smtp_eod.py BUILD_DIR
"""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUITES = os.environ.get("PTT_SUITES", os.path.join(TOP, "..", "shared", "suites"))
SEQUENCES = os.path.join(SUITES, "smtp-eod", "sequences.tsv")
ENVELOPE = r"EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\nDATA\r\n"
SECOND = r"MAIL FROM:<evil@b.test>\r\nRCPT TO:<x@y.test>\r\nDATA\r\n"
CUTS = ["0", "1", "7", "99"]
failures = total = 0


def say(name, fault):
    global failures, total
    total += 1
    if fault:
        failures += 1
        print(f"not ok {name}: {fault}")
    else:
        print(f"ok {name}")


def read_sequences():
    with open(SEQUENCES, encoding="ascii") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    assert rows[0][:2] == ["sequence", "ends_data"] and len(rows) > 10
    return [(row[0], row[1] == "yes") for row in rows[1:]]


def run(program, cut, text):
    result = subprocess.run([program, cut], input=text, capture_output=True, text=True, check=True, timeout=60)
    return result.stdout


def unescape(text):
    def one(match):
        code = match.group(1)
        return {"r": "\r", "n": "\n", "\\": "\\"}.get(code) or chr(int(code[1:], 16))

    return re.sub(r"\\(r|n|\\|x[0-9a-f]{2})", one, text)


def judge_server(session, ends_data):
    """What is wrong with how the server took: text, the sequence, a second envelope and message, the true end."""
    taken = session.count("\nend ")
    smuggled = "mail <evil@b.test>" in session
    if ends_data:
        return None if taken == 2 and smuggled else f"{taken} messages taken of 2"
    if smuggled:
        return "commands inside the message were obeyed"
    if taken > 1:
        return f"{taken} messages taken"
    if taken == 0 and "\nclosed protocol broken\n" not in session:
        return "neither taken nor refused"
    if taken == 0 and "\n> 554 5.5.2 " not in session:
        return "refused without saying so"
    return None


def server_cases(program, sequences):
    for sequence, ends_data in sequences:
        fault = None
        for cut in CUTS:
            # for a true end the second DATA ends a group, as it must; else all of it comes at once
            second = SECOND + ("\n" if ends_data else "") + r"second\r\n.\r\nQUIT\r\n"
            session = run(program, cut, f"{ENVELOPE}\nfirst{sequence}{second}\n\n")
            fault = fault or judge_server(session, ends_data)
        say(f"server {sequence}", fault)


def is_dangerous(wire):
    """Is there a bare CR, bare LF or NUL on the wire, or an end of data before the last?"""
    if "\0" in wire or re.search(r"\r(?!\n)|(?<!\r)\n", wire):
        return "a bare CR, bare LF or NUL was sent"
    if "\r\n.\r\n" in wire[:-2] and wire.index("\r\n.\r\n") != len(wire) - 5:
        return "an end of data was sent inside the message"
    return None


def client_cases(program, sequences):
    for sequence, ends_data in sequences:
        fault = None
        for cut in CUTS:
            verdict, _, wire = run(program, cut, f"first{sequence}second\\r\\n\n").rstrip("\n").partition(" ")
            fault = fault or is_dangerous(unescape(wire))
            if not fault and verdict != ("sent" if ends_data else "refused"):
                fault = f"the message was {verdict}"
        say(f"client {sequence}", fault)


def main():
    if not os.path.exists(SEQUENCES):
        print("skip smtp_eod: the suite smtp-eod is not here")
        return 77
    sequences = read_sequences()
    server_cases(os.path.join(sys.argv[1], "smtp-server_driver"), sequences)
    client_cases(os.path.join(sys.argv[1], "smtp-client_driver"), sequences)
    print(f"smtp-eod {total - failures}/{total}")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main())
