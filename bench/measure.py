# SPDX-License-Identifier: ISC
"""Numbers with their spread, and one table of them."""
import os
import re
import statistics
import subprocess
import time

ROW = re.compile(r"^row (\S+) (\S+)$", re.M)
TICKS = os.sysconf("SC_CLK_TCK")


class Broken(Exception):
    """A measurement could not be made."""


class Table:
    """Lines of the result: what, the median of all repetitions, the least and the most, the target."""

    def __init__(self, judges=True):
        self.judges, self.missed, self.skipped = judges, [], []
        print(f"{'':58} {'median':>10} {'least':>10} {'most':>10}  target", flush=True)

    def head(self, text):
        print(f"\n{text}", flush=True)

    def line(self, what, values, at_most=None, at_least=None):
        """`values`: one of each repetition; the median of them is held against the target."""
        middle = statistics.median(values)
        target, holds = "", True
        if not self.judges:
            at_most = at_least = None
        if at_most is not None:
            target, holds = f"<= {number(at_most)}", middle <= at_most
        if at_least is not None:
            target, holds = f">= {number(at_least)}", middle >= at_least
        if not holds:
            self.missed.append(what)
        print(f"{what:58} {number(middle):>10} {number(min(values)):>10} {number(max(values)):>10}  "
              f"{target}{'' if holds else '  MISSED'}", flush=True)
        return middle

    def skip(self, what, reason):
        self.skipped.append(what)
        print(f"{what:58} not measured: {reason}", flush=True)

    def pairs(self, what, runs, ratio=None, bound=None):
        """Lines of rates: ours, those of a peer, what cryptography alone would allow, and the ratios of ours to them."""
        for key, name in (("ours", "ours"), ("peer", "the peer"), ("bound", "cryptography alone")):
            if key in runs[0]:
                self.line(f"{what}: {name}, a CPU second", each(runs, key))
        if "peer" in runs[0]:
            self.line(f"{what}: ours in the peer's", [r["ours"] / r["peer"] for r in runs], at_least=ratio)
        if "bound" in runs[0]:
            self.line(f"{what}: ours in cryptography alone", [r["ours"] / r["bound"] for r in runs], at_least=bound)


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def program(world, name):
    return os.path.join(world.build, "bench", f"bench-{name}")


def rows(world, name, *arguments, before=(), timeout=600):
    """Runs one of the C programs of this folder, behind the words of `before`, and gives its rows."""
    return rows_of([*before, program(world, name), *map(str, arguments)], timeout)


def is_built(world, name):
    """The programs of peers are not where the peers are not."""
    return os.access(program(world, name), os.X_OK)


def one_core():
    """What to put before a program so that it runs on one processor, always the same one."""
    return ["taskset", "-c", str(max(os.sched_getaffinity(0)))]


def rows_of(argv, timeout=600):
    """Runs a program that prints such rows."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise Broken(f"{' '.join(argv)[:200]}: {(done.stderr or done.stdout).strip()[-400:]}")
    return {key: float(value) for key, value in ROW.findall(done.stdout)}


def names(world, count, *domains):
    """The addresses of so many members, one a line, as the C programs know them."""
    return subprocess.run([os.path.join(world.build, "bench", "bench-members"), "names", str(count), *map(str, domains)],
                          stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout


def timed(argv):
    """Runs a program to its end; seconds, CPU seconds and the peak of its memory."""
    begin = time.monotonic()
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Broken(f"{argv[0]}: exit status {process.returncode}")
    return {"seconds": time.monotonic() - begin, "cpu-seconds": used.ru_utime + used.ru_stime,
            "peak-kib": used.ru_maxrss}


def each(runs, key):
    """The values of one row in all repetitions."""
    return [run[key] for run in runs]


# What processes have used, from /proc: utime, stime and those of children that were waited for.

def _stat(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[1]), [int(n) for n in fields[11:15]]


def cpu_seconds(root):
    """CPU time of a process, of all below it that still live, and of those that it has waited for."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents[int(name)] = _stat(name)
            except (FileNotFoundError, ProcessLookupError):
                pass
    ticks, todo = 0, [root]
    while todo:
        pid = todo.pop()
        if pid in parents:
            ticks += sum(parents[pid][1])
        todo += [child for child, (parent, _) in parents.items() if parent == pid]
    return ticks / TICKS


def status_kib(pid, key):
    """VmHWM (peak of resident memory) and the like."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith(key + ":")).split()[1])
