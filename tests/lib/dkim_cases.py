# SPDX-License-Identifier: ISC
"""What the DKIM scripts share: where suites lie, zones for blaze, the driver, and the reporting of cases."""
import collections
import os
import re
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
Verdict = collections.namedtuple("Verdict", "result fault detail domain key")


def suite(name):
    """The folder of a suite, or None after saying that it is skipped."""
    root = os.environ.get("PTT_SUITES") or os.path.join(TOP, "..", "shared", "suites")
    path = os.path.join(root, name)
    if os.path.isdir(path):
        return path
    print(f"skip {name}: its folder is missing")
    return None


class Report:
    def __init__(self):
        self.failed = 0

    def case(self, name, run):
        """`run` gives None, or what is wrong."""
        try:
            wrong = run()
        except Exception as error:  # a broken case must not hide the others
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            self.failed += 1
        print(f"not ok {name}: {wrong}" if wrong else f"ok {name}", flush=True)

    def status(self):
        return 1 if self.failed else 0


def crlf(data):
    return re.sub(rb"\r?\n", b"\r\n", data)


def driver(build, message, zone, trouble=(), now=1763800000):
    """The verdict on each signature. `zone`: name -> list of TXT texts."""
    script = [f"now {now}"]
    script += [f"key {name} {text}" for name, texts in zone.items() for text in texts]
    script += [f"trouble {name} -" for name in trouble]
    script.append(f"message {len(message)}")
    done = subprocess.run([os.path.join(build, "auth-dkim_driver")], input="\n".join(script).encode() + b"\n" + message,
                          stdout=subprocess.PIPE, check=True, timeout=60)
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    assert lines[-1] == "end", lines
    return [Verdict(*line.split("\t")) for line in lines[:-1]]


def write_zone(folder, zone):
    """Files NAME.dns for BLAZE_DNS_STATIC."""
    for name, text in zone.items():
        with open(os.path.join(folder, name + ".dns"), "w", encoding="utf-8") as out:
            out.write(f"txt:{text}\n")


def program(build):
    return os.path.join(build, "app", "blaze")


def blaze(build, arguments, message=b"", zone=None):
    with tempfile.TemporaryDirectory() as folder:
        write_zone(folder, zone or {})
        return subprocess.run([program(build), *arguments], input=message, capture_output=True, timeout=60,
                              env=dict(os.environ, BLAZE_DNS_STATIC=folder))


GROUPS = ("OK", "EX", "ER")


def blaze_agrees(build, message, zone, verdicts):
    """Does `blaze dkim verify` print what the verdicts say? None, or what is wrong."""
    done = blaze(build, ["dkim", "verify", "--newline=crlf"], message, zone)
    marks = {"pass": "OK", "expired": "EX"}
    wanted = []
    for group in GROUPS:
        wanted += [f"[{group}]: {one.domain or '(no domain)'}" for one in verdicts if marks.get(one.result, "ER") == group]
    printed = done.stdout.decode().splitlines()
    bad = any(marks.get(one.result, "ER") == "ER" for one in verdicts)
    complaint = "blaze: Invalid DKIM signature.\n" if bad else "" if verdicts else "blaze: No DKIM signature.\n"
    status = 124 if complaint else 0
    if (printed, done.stderr.decode()[-len(complaint):] if complaint else done.stderr.decode(), done.returncode) != (
            wanted, complaint, status):
        return f"blaze printed {printed} {done.stderr!r} and ended with {done.returncode}, expected {wanted} and {status}"
    return None
