#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The simulator: every scenario of tests/sim, random seeds, and the same trace in two builds.

The build folder of the other compiler is looked for beside the one given (build-gcc and build-asan). PTT_LONG takes
more seeds.
"""
import glob
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LONG = bool(os.environ.get("PTT_LONG"))
TWINS = {"build-gcc": "build-asan", "build-asan": "build-gcc"}


class Checks:
    def __init__(self, build):
        self.build, self.failed = os.path.abspath(build), False
        self.is_asan = "asan" in os.path.basename(self.build)

    def say(self, name, trouble=None):
        self.failed = self.failed or trouble is not None
        print(f"ok {name}" if trouble is None else f"not ok {name}: {trouble}", flush=True)

    def sim(self, *args, build=None):
        done = subprocess.run([os.path.join(build or self.build, "tests", "sim", "sim"), *args], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def scenarios(self):
        for path in sorted(glob.glob(os.path.join(TOP, "tests", "sim", "*.sim"))):
            if self.is_asan and not LONG and os.path.basename(path) in ("day.sim", "rotation.sim"):
                continue
            status, out = self.sim("run", path)
            self.say(f"scenario {os.path.basename(path)}", None if status == 0 else out.strip()[-500:])

    def seeds(self):
        last = (200, 3000, 40, 300)[2 * self.is_asan + LONG]
        status, out = self.sim("run", "--seeds", f"1-{last}", "--jobs", str(min(2, os.cpu_count() or 1)))
        broken = dict(re.findall(r"^seed (\d+): (INVARIANT .*)$", out, re.M))
        for seed in range(1, last + 1):
            self.say(f"seed {seed}", broken.get(str(seed)))
        summary = re.search(r"^\d+ runs, .*$", out, re.M)
        print(summary.group() if summary else out[-1000:], flush=True)
        if not summary or (status != 0) != bool(broken):
            self.say("seeds", f"exit status {status}: {out[-1000:]}")

    def hashes(self, build):
        _, out = self.sim("run", "--seeds", "1-8", "--jobs", "2", "--hashes", build=build)
        return re.findall(r"^\d+ [0-9a-f]{64}$", out, re.M)

    def determinism(self):
        first, second = self.hashes(self.build), self.hashes(self.build)
        self.say("two runs have one trace", None if len(first) == 8 and first == second else f"{first} {second}")
        twin = os.path.join(os.path.dirname(self.build), TWINS.get(os.path.basename(self.build), "?"))
        if not os.path.exists(os.path.join(twin, "tests", "sim", "sim")):
            print("skip two builds have one trace: there is only one build")
            return
        other = self.hashes(twin)
        self.say("two builds have one trace", None if first == other else f"{first} {other}")


def main():
    checks = Checks(sys.argv[1])
    checks.scenarios()
    checks.determinism()
    checks.seeds()
    return 1 if checks.failed else 0


sys.exit(main())
