#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What the files of the unikernels must be, where `ninja guests` has made them: small, stripped, without a segment that
is both writable and executable, without a `syscall` instruction where there is no system to call; and, with PTT_LONG,
the same bytes from another folder."""
import filecmp
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIMITS = {"nec": 4 * 1024 * 1024, "lipap": 5 * 1024 * 1024}
MACHINES = ["spt", "hvt", "virtio"]
CALLS_A_SYSTEM = {"spt"}  # the tender's filter decides there
TABLES = {"ecp_nistz256_precomputed"}  # numbers that OpenSSL keeps among its code
failed = False


def case(name, reason):
    """`reason` is what is wrong, or empty."""
    global failed
    failed = failed or bool(reason)
    print(f"not ok {name}: {reason}" if reason else f"ok {name}", flush=True)


def printed(*argv, cwd=None):
    return subprocess.run(argv, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, cwd=cwd).stdout


def look(path, program, machine):
    name = os.path.basename(path)
    size = os.path.getsize(path)
    case(f"{name}: size", size > LIMITS[program] and f"{size} bytes, at most {LIMITS[program]} wanted")
    case(f"{name}: stripped", " .symtab " in printed("readelf", "-SW", path) and "it has a symbol table")
    segments = re.findall(r"^ +LOAD .* ([R ][W ][E ]) 0x", printed("readelf", "-lW", path), re.M)
    case(f"{name}: segments", "".join(f"{s!r} " for s in segments if "W" in s and "E" in s) if segments else "none found")
    if machine not in CALLS_A_SYSTEM:
        case(f"{name}: no system calls", ", ".join(calls_of(path + ".debug")))


def calls_of(path):
    """The functions of an image that still has its symbols in which a system is called."""
    found, function = [], None
    for line in printed("objdump", "-d", path).splitlines():
        head = re.match(r"[0-9a-f]+ <(.*)>:$", line)
        function = head[1] if head else function
        if re.search(r"\t(syscall|sysenter|int +\$0x80)\b", line) and function not in TABLES:
            found.append(f"syscall in {function}")
    return found


def same_again(build, images):
    """A copy of the sources elsewhere, built elsewhere, by a compiler that remembers nothing."""
    with tempfile.TemporaryDirectory(prefix="ptt-again-") as folder:
        source, other = os.path.join(folder, "a", "source"), os.path.join(folder, "b")
        os.makedirs(source)
        for file in printed("git", "ls-files", "-z", cwd=TOP).split("\0")[:-1]:
            to = os.path.join(source, file)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            with open(os.path.join(TOP, file), "rb") as f, open(to, "wb") as out:
                out.write(f.read())
            os.chmod(to, os.stat(os.path.join(TOP, file)).st_mode)
        env = dict(os.environ, CCACHE_DISABLE="1")
        for argv in (["meson", "setup", other, source], ["ninja", "-C", other, "guests"]):
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=env)
        for path in images:
            again = os.path.join(other, "host", "guest", os.path.basename(path))
            case(f"{os.path.basename(path)}: the same bytes from another folder",
                 not filecmp.cmp(path, again, shallow=False) and "they differ")


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD-FOLDER")
    images = []
    for machine in MACHINES:
        for program in LIMITS:
            path = os.path.join(sys.argv[1], "host", "guest", f"{program}.{machine}")
            if os.path.exists(path):
                images.append(path)
                look(path, program, machine)
            else:
                print(f"skip {program}.{machine}: not built (ninja guests)", flush=True)
    if images and os.environ.get("PTT_LONG"):
        same_again(sys.argv[1], images)
    sys.exit(1 if failed else 0 if images else 77)


main()
