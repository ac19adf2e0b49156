#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The simulator: every scenario of tests/sim, a month of mail, random seeds, and the same trace in two builds.

The build folder of the other compiler is looked for beside the one given (build-gcc and build-asan). PTT_LONG takes
more seeds, and a year of keys.
"""
import glob
import os
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from sim_month import month  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LONG = bool(os.environ.get("PTT_LONG"))
TWINS = {"build-gcc": "build-asan", "build-asan": "build-gcc"}


# What befalls signers and name servers in a year, by chance.
TROUBLE = ["kill nec1 process back=1m", "kill nec2 process back=3s", "kill nec3 process back=20m", "stop nec1 back=30h",
           "stop nec2 back=9d", "stop nec3 back=2h", "down mx nec1 for=1h", "fault ns0 servfail chance=60 for=2h",
           "fault ns0 lost-answer chance=100 for=1h", "fault ns0 deaf chance=100 for=90m", "fault ns0 drop chance=70 for=3h",
           "fault ns0 refused chance=100 for=2d", "fault ns0 clock chance=100 for=5h by=900s", "fault ns1 drop chance=50 for=1d",
           "fault dns servfail chance=40 for=1h", "fault ns0 no-tcp chance=80 for=2h", "lag ns1 least=2m most=8m",
           "lag ns1 least=1s most=3m"]


def year(days):
    """A scenario: three signers with keys of the usual length of life, a post each six hours, one host that is often away."""
    draw = random.Random(2026)
    lines = ["seed 12", f"end {days + 2}d", "primary ns0", "secondary ns1 least=20s most=3m", "resolver dns",
             "domain mailingl.st", "signer nec1", "signer nec2", "signer nec3", "lipap mx retry=20m", "mailhost h1 sub1.test",
             "mailhost h2 sub2.test", "list ptt@mailingl.st moderator=boss@sub1.test", "member ptt@mailingl.st ann@sub1.test",
             "member ptt@mailingl.st bob@sub2.test", "author ann ann@sub1.test", "TIME +5m"]
    for hour in range(0, 24 * days, 6):
        lines.append(f"post ann ptt@mailingl.st size=2K name=p{hour}")
        if hour % 72 == 0:
            lines.append("down mx h2 for=30h")
        if draw.random() < 0.2:
            lines.append(draw.choice(TROUBLE))
        lines.append("TIME +6h")
    return "\n".join(lines + ["expect delivered within=2d", ""])


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

    def written(self, name, text):
        """A scenario that no file has."""
        with tempfile.NamedTemporaryFile("w", suffix=".sim", encoding="ascii") as f:
            f.write(text)
            f.flush()
            status, out = self.sim("run", f.name)
        self.say(name, None if status == 0 else out.strip()[-500:])

    def months(self):
        days = 10 if self.is_asan else 30
        for seed in range(1, 4 if LONG else 2):
            self.written(f"{days} days of four hundred members, seed {seed}", month(days, seed))

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
    checks.months()
    if LONG and not checks.is_asan:
        checks.written("a year of changing keys", year(365))
    checks.determinism()
    checks.seeds()
    return 1 if checks.failed else 0


sys.exit(main())
