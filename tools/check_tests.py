# SPDX-License-Identifier: ISC
"""Runs unit tests and scripts at once, since scripts mostly wait and unit tests mostly compute."""
import contextlib
import os
import tempfile

from check_report import WORKERS, in_parallel, read

MEMORY = "/dev/shm"
ROOM = 4 << 30  # far more than all tests that run at once write


def memory_available():
    with contextlib.suppress(OSError), open("/proc/meminfo", encoding="ascii") as f:
        for name, amount, *_ in map(str.split, f):
            if name == "MemAvailable:":
                return int(amount) * 1024
    return 0


def has_room():
    """Whether files may lie in memory: there is enough of it, and programs and set-group-id may stand there."""
    with contextlib.suppress(OSError):
        there = os.statvfs(MEMORY)
        free = min(there.f_bavail * there.f_frsize, memory_available() // 2)
        return free >= ROOM and not there.f_flag & (os.ST_NOEXEC | os.ST_NOSUID | os.ST_RDONLY)
    return False


@contextlib.contextmanager
def scratch():
    """While this lasts tests write into memory where there is room. They flush all the time, and what they look at is what
    was kept, not how a disk keeps it; tests of the disk itself (host/linux/disk_test.c) do not ask where."""
    if "TMPDIR" in os.environ or not has_room():
        yield
        return
    with tempfile.TemporaryDirectory(prefix="ptt-", dir=MEMORY) as folder:
        os.chmod(folder, 0o755)  # mail servers are other users
        os.environ["TMPDIR"] = folder
        try:
            yield
        finally:
            del os.environ["TMPDIR"]


def slowest():
    """What takes longest, the longest first: it begins first, so that nothing waits for it alone at the end."""
    return [line for line in read("tools/slowest.txt").splitlines() if line and not line.startswith("#")]


def run(jobs, workers=WORKERS + 1):
    """`jobs`: (name, function without arguments)."""
    order = {name: i for i, name in enumerate(slowest())}
    with scratch():
        in_parallel(lambda job: job[1](), sorted(jobs, key=lambda job: order.get(job[0], len(order))), workers)
