# SPDX-License-Identifier: ISC
"""Test scripts. Each gets the build folder as its argument and prints a line a case:

  ok NAME · not ok NAME: reason · skip NAME: reason

and exits 0, or 1 when a case failed, or 77 when it could not run at all. Lines of another shape are its own notes.
A script that ends otherwise, or that tried nothing, has failed. So has a script of tests/suites that skips while the
suites are there, or whose last word on a suite, `NAME GOOD/TOTAL`, is not what tests/suites/counts.txt asks. Modules that several scripts share live one folder deeper.
"""
import functools
import glob
import os
import re
import time

from check_report import TOP, command, read

LINE = re.compile(r"^(ok|not ok|skip) (.*)$", re.M)
COUNT = re.compile(r"^([a-z][a-z0-9-]*(?: [a-z0-9]+)?) (\d+)/(\d+)$", re.M)
FOLDERS = ["tests/system", "tests", "tests/interop", "tests/suites"]
SECONDS = 600


def suites_folder():
    """The vectors of others: beside the tree, or where $PTT_SUITES says; None when they are not here."""
    folder = os.environ.get("PTT_SUITES") or os.path.join(os.path.dirname(TOP), "shared", "suites")
    return folder if os.path.isdir(folder) else None


def counts_of(name):
    """What a script must reach: suite -> cases."""
    script = os.path.basename(name).removesuffix(".py")
    lines = (line.split() for line in read("tests/suites/counts.txt").splitlines() if not line.startswith("#"))
    return {" ".join(words[1:-1]): int(words[-1]) for words in lines if words and words[0] == script}


def judge_counts(report, label, wanted, out):
    """Each suite that the script has must be there and whole; what it reached is shown at the end of the run."""
    reached = {suite: (int(good), int(total)) for suite, good, total in COUNT.findall(out)}
    for suite, cases in wanted.items():
        good, total = reached.pop(suite, (0, 0))
        report.count(f"{suite} {good}/{total}")
        report.result(f"{label} {suite} {good}/{total}", [] if good == total == cases else [f"{cases}/{cases} must be reached"])
    for suite in reached:
        report.fail(f"{label} {suite}", "tests/suites/counts.txt does not know it")


class Scripts:
    def __init__(self, only):
        self.only = only

    def names(self):
        found = [os.path.relpath(p, TOP) for f in FOLDERS for p in sorted(glob.glob(os.path.join(TOP, f, "*.py")))]
        found.insert(0, "demo/run")
        return [n for n in found if not self.only or any(word in n for word in self.only)]

    def jobs(self, report, build):
        return [(name, functools.partial(self.one, report, build, name)) for name in self.names()]

    def one(self, report, build, name):
        long = bool(os.environ.get("PTT_LONG"))
        label = name if build.name == "gcc" else f"{name} ({build.name})"
        start = time.monotonic()
        status, out, err = command([os.path.join(TOP, name), build.folder], timeout=SECONDS * (20 if long else 1))
        print(f"   {label}: {time.monotonic() - start:.1f} s", flush=True)
        if name == "demo/run" and status != 77:  # it has one case: its exit status
            report.result(label, [] if status == 0 else [f"exit status {status}\n{out}\n{err}"])
            return
        tally(report, name, label, status, out, err)
        if name.startswith("tests/suites/") and status != 77:
            judge_counts(report, label, counts_of(name), out)


def tally(report, name, label, status, out, err):
    """Counts a script's cases, and takes its word for nothing that its exit status contradicts."""
    required = name.startswith("tests/suites/") and suites_folder() is not None
    cases = LINE.findall(out)
    kinds = [kind for kind, _ in cases]
    for kind, rest in cases:
        case, _, reason = rest.partition(": ")
        if kind == "ok":
            report.ok(rest)
        elif kind == "not ok":
            report.fail(f"{label} {case}", reason)
        elif required and "ok" not in kinds:
            report.fail(f"{label} {case}", f"a suite that is here did not run: {reason}")
        else:
            report.skip(f"{label} {case}", reason)
    failed = "not ok" in kinds
    if status == 77 and kinds and set(kinds) == {"skip"}:
        return
    if status != (1 if failed else 0):
        report.fail(label, f"exit status {status}", out[-2000:] + err)
    elif not cases:
        report.fail(label, "it tried no case", err)
    elif failed and err:
        print("    " + err.rstrip()[-8000:].replace("\n", "\n    "), flush=True)
