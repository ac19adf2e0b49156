# SPDX-License-Identifier: ISC
"""What the parts of tools/check share: the tree, counting, running a command."""
import concurrent.futures
import os
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORKERS = max(2, os.cpu_count() or 2)


class Report:
    """Counts cases and remembers every failure and every skipped test by name. Safe to use from several threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.passed = 0
        self.failures = []
        self.skipped = []
        self.counts = []
        self.where = ""
        self.start = time.monotonic()

    def ok(self, _name):
        with self.lock:
            self.passed += 1

    def fail(self, name, reason, output=""):
        with self.lock:
            self.failures.append(f"{name}: {reason}")
            print(f"not ok {name}: {reason}", flush=True)
            if output:
                print("    " + output.rstrip()[-8000:].replace("\n", "\n    "), flush=True)

    def skip(self, name, reason):
        with self.lock:
            self.skipped.append(f"{name}: {reason}")

    def count(self, line):
        """A line such as `spf-rfc7208 203/203`, shown at the end."""
        with self.lock:
            self.counts.append(line)

    def result(self, name, problems):
        """One case: passed when `problems` is empty."""
        if problems:
            first = problems[0].splitlines()[0] if problems[0] else "failed"
            self.fail(name, first if len(problems) == 1 else f"{len(problems)} faults, {first}", "\n".join(problems))
        else:
            self.ok(name)

    def part(self, name, run):
        print(f"== {name}", flush=True)
        before = self.passed, len(self.failures), len(self.skipped)
        start = time.monotonic()
        try:
            run(self)
        except Exception as e:  # a broken checker is a failed check, and the others still run
            self.fail(name, f"the checker itself failed: {e!r}")
        cases = self.passed - before[0], len(self.failures) - before[1], len(self.skipped) - before[2]
        print(f"   {name}: %d passed, %d failed, %d skipped in {time.monotonic() - start:.1f} s" % cases, flush=True)

    def end(self):
        print(f"\nall parts: {time.monotonic() - self.start:.0f} s")
        for line in sorted(self.counts):
            print("suite: " + line)
        for line in self.failures:
            print("failed: " + line)
        for line in self.skipped:
            print("skipped: " + line)
        print(f"{len(self.skipped)} skipped")
        print(f"{self.passed} passed, {len(self.failures)} failed", flush=True)
        return 1 if self.failures or not self.passed else 0


def command(argv, timeout=600, env=None, cwd=TOP):
    """(exit status, standard output, standard error) of a command; a timeout is status 124, a missing program 127."""
    try:
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                             env={**os.environ, **(env or {})}, text=True, errors="replace", start_new_session=True)
    except OSError as e:
        return 127, "", str(e)
    try:
        out, err = p.communicate(timeout=timeout)
        return p.returncode, out, err
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, 9)
        out, err = p.communicate()
        return 124, out, err + f"\nkilled after {timeout} s"


def in_parallel(run, items, workers=WORKERS):
    """Runs run(item) for all items on several threads; the first exception comes out here."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, items))


def tracked(*suffixes):
    """Files of the tree with one of these name ends, relative to TOP, sorted: those of git, else all that are there."""
    status, out, _ = command(["git", "ls-files", "-co", "--exclude-standard"])
    if status == 0:
        names = out.splitlines()
    else:  # no git, or a tree that git does not trust
        names = []
        for folder, folders, files in os.walk(TOP):
            folders[:] = [f for f in folders if f not in (".git", "__pycache__") and not (folder == TOP and f.startswith("build"))]
            names += [os.path.relpath(os.path.join(folder, f), TOP) for f in files]
    return sorted(n for n in names if n.endswith(suffixes) and os.path.isfile(os.path.join(TOP, n)))


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8", errors="replace") as f:
        return f.read()


if __name__ == "__main__":
    sys.exit("part of tools/check")
