#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What a fault or an attack inside a guest does: it ends with a message and a status of its own, or, on spt, by the
signal that the host's processor raises; never does it go on. tests/guest/attack.c is the guest."""
import os
import re
import subprocess

os.environ["PTT_RIG_NET"] = "10.77.0"

from lib import rig  # noqa: E402
from lib.machines import Guests  # noqa: E402
from lib.rig import check, equal  # noqa: E402

SEGV, ABORT = -11, 134
TRAP = r"\Aguest: trap (\d+), .*\nguest: rip=[0-9a-f]{16} address=([0-9a-f]{16}) error=([0-9a-f]{16}) "
WRITE, RUN, GONE = 0x7, 0x15, 0x6  # the error code of a page fault: a page that is there, of ring 3, and so on

# What the processor can do, and QEMU's of its own: a guest must have it too.
with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
    HAS_AVX2 = " avx2 " in f.read()
SCANS = (0, r"\Ascans by AVX2\nsurvived\n\Z")
HOST_SCANS = SCANS if HAS_AVX2 else (0, r"\Ascans by words\nsurvived\n\Z")

# What each machine does: a trap with that error code, else (status, what is printed); at last, what spt does.
ATTACKS = [
    ("write-text", WRITE, (SEGV, "")),
    ("write-constant", WRITE, (SEGV, "")),
    ("run-constant", RUN, (SEGV, "")),
    ("run-heap", RUN, (SEGV, "")),
    ("run-stack", RUN, (SEGV, "")),
    ("call-null", 0x14, (SEGV, "")),
    ("read-null", 0x4, (SEGV, "")),
    ("overflow", GONE, (ABORT, r"\Afiber/stack\.c:\d+: failed: .*canary")),
    ("failed-check", (ABORT, r"\Atests/guest/attack\.c:\d+: failed: "), (ABORT, r"\Atests/guest/attack\.c:\d+: failed: ")),
    ("out-of-memory", (0, r"\Aout of memory twice, the same\nsurvived\n\Z"),
     (0, r"\Aout of memory twice, the same\nsurvived\n\Z")),
    ("write-input", {"hvt": WRITE}, None),  # on spt the tender leaves that page open to its guest
    ("scan", {"hvt": HOST_SCANS, "virtio": SCANS, "virtio-q35": SCANS}, HOST_SCANS),
    ("nothing", (0, r"\Asurvived\n\Z"), (0, r"\Asurvived\n\Z")),
]


def attack(world, name, expected):
    done = subprocess.run(world.guest("attack", "10.77.0.9", [name], memory=32), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)
    said, status = done.stdout.replace("\r\n", "\n"), done.returncode
    if world.machine.tool.startswith("qemu"):  # isa-debug-exit has room for seven bits
        equal(status & 1, 1, "the lowest bit of QEMU's status")
        expected = (expected[0] * 2 + 1 & 0xff, expected[1]) if isinstance(expected, tuple) else expected
    if isinstance(expected, int):
        trap = re.search(TRAP, said)
        check(trap, f"no trap told: {said!r}, status {status}")
        trapped = 139 * 2 + 1 & 0xff if world.machine.tool.startswith("qemu") else 139
        equal((status, int(trap[1]), int(trap[3], 16)), (trapped, 14, expected), "status, trap, error code")
    else:
        equal(status, expected[0], f"status, after {said!r} {done.stderr!r}")
        check(re.search(expected[1], said) and (expected[1] or not said), f"said {said!r}")


def run(world):
    for machine in world.machines("attack"):
        for name, trapped, otherwise in ATTACKS:
            expected = otherwise if machine.name == "spt" else trapped
            if isinstance(expected, dict):
                expected = expected.get(machine.name, GONE)
            if expected is not None:
                with world.case(f"{machine.name}: {name}"):
                    attack(world, name, expected)


rig.main(run, [], Guests)
