# SPDX-License-Identifier: ISC
"""Runs a program under the system call filter of a systemd unit, as systemd would build it, but for one thing: a call
that the unit does not list kills the program instead of failing, so that no test overlooks it.

  seccomp.py UNIT-FILE PROGRAM ARGUMENT...
"""
import ctypes
import os
import re
import subprocess
import sys

KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000


def calls(unit):
    """The names that a unit's SystemCallFilter lines allow, its groups resolved; @default is always among them."""
    names = ["@default"]
    with open(unit, encoding="utf-8") as f:
        for line in f:
            found = re.fullmatch(r"SystemCallFilter=(.*)\n", line)
            if found:
                names += found[1].split()
    assert len(names) > 1 and not any(n.startswith("~") for n in names), "not a list of what is allowed"
    single, at = set(), 0
    while at < len(names):
        name, at = names[at], at + 1
        if name.startswith("@"):
            text = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True)
            names += [w for line in text.stdout.split("\n")[1:] for w in line.split("#")[0].split()]
        else:
            single.add(name)
    return single


def load(names):
    lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    lib.seccomp_init.restype = ctypes.c_void_p
    context = lib.seccomp_init(ctypes.c_uint32(KILL_PROCESS))
    assert context, "seccomp_init"
    for name in sorted(names):
        number = lib.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # else it is none of this machine's
            done = lib.seccomp_rule_add(ctypes.c_void_p(context), ctypes.c_uint32(ALLOW), ctypes.c_int(number),
                                        ctypes.c_uint(0))
            assert done == 0, f"{name}: {done}"
    done = lib.seccomp_load(ctypes.c_void_p(context))
    assert done == 0, f"seccomp_load: {done}"


if __name__ == "__main__":
    load(calls(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
