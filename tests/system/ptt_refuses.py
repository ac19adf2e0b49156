#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""ptt given what is no image, or half of one: exit status 1, one line that says what it is and what helps, and nothing written.

usage: ptt_refuses.py BUILD_DIR"""
import os
import random
import shutil
import subprocess
import sys
import tempfile

HELPS = "run ptt check"  # no use where not even a check can begin
COMMANDS = ("show", "queue", "bounces", "why IMAGE <a@b>", "check", "check --repair", "check --repair --not-running", "grow IMAGE 1G",
            "add IMAGE --domain d.test new --moderator a@b.test", "add-subscriber IMAGE --domain d.test list a@b.test",
            "export IMAGE --domain d.test list", "ls", "cat IMAGE ptt.db", "rm IMAGE ptt.db", "put IMAGE x --from /dev/null", "create")
FOREIGN_READS = ("ls", "cat")  # they look at any FAT32 volume


def words(command, image):
    found = [image if w == "IMAGE" else w for w in command.split()]
    return found if image in found else [found[0], image, *found[1:]]


def state(path):
    """Changes with each write."""
    found = os.stat(path)
    return found.st_size, found.st_blocks, found.st_mtime_ns, found.st_ctime_ns, os.path.isdir(path) and os.listdir(path)


def wrong(program, command, image, says):
    """What is not as it should be, or None."""
    before = state(image)
    done = subprocess.run([program, *words(command, image)], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                          cwd=os.path.dirname(image))
    err = done.stderr.decode()
    if state(image) != before:
        return "it was written to"
    if done.returncode != 1 or done.stdout:
        return f"exit status {done.returncode}, {done.stdout[:80]!r} {err!r}"
    if not err.startswith("ptt: ") or err.count("\n") != 1 or not err.endswith(f": {image}\n"):
        return f"not one line that ends with its name: {err!r}"
    if HELPS in err:
        return f"advice that does not help: {err!r}"
    wanted = "there already" if command == "create" else says
    return None if wanted in err else f"{wanted!r} is not in {err!r}"


def things(program, folder):
    """(name, path, what must be said of it)"""
    def make(name, fill):
        path = os.path.join(folder, name)
        fill(path)
        return path

    def write(data):
        def fill(path):
            with open(path, "wb") as f:
                f.write(data)
        return fill

    whole = os.path.join(folder, "whole")
    subprocess.run([program, "create", whole, "--size", "64M"], check=True)
    subprocess.run([program, "add", whole, "--domain", "d.test", "list", "--moderator", "a@b.test"], check=True)
    with open(whole, "rb") as f:
        image = f.read(1 << 20)
    yield "an empty file", make("empty", write(b"")), "not a FAT volume"
    yield "a sector of zeros", make("zeros", write(bytes(512))), "not a FAT volume"
    yield "a megabyte of chance", make("chance", write(random.Random(1).randbytes(1 << 20))), "not a FAT volume"
    yield "an image cut in its first sector", make("cut-sector", write(image[:500])), "not a FAT volume"
    for size in (4096, 70000, 1 << 20):
        yield f"an image cut at {size}", make(f"cut-{size}", write(image[:size])), "smaller than it declares"
    yield "a folder", make("folder", os.mkdir), "not a file"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    for tool, argv, says in (("mkfs.ext4", ["-q", "-F"], "not a FAT volume"), ("mkfs.fat", ["-F", "16"], "FAT16"),
                             ("mkfs.fat", ["-F", "32"], "only be read")):
        name = " ".join([tool, *argv])
        if not (found := shutil.which(tool, path=path)):
            print(f"skip {name}: it is not installed", flush=True)
            continue
        volume = make(name.replace(" ", ""), write(b""))
        os.truncate(volume, 64 << 20 if says != "FAT16" else 32 << 20)
        subprocess.run([found, *argv, volume], check=True, capture_output=True)
        yield f"a volume of {name}", volume, says


def main():
    program = os.path.join(os.path.abspath(sys.argv[1]), "app", "ptt") if len(sys.argv) > 1 else ""
    if not os.access(program, os.X_OK):
        print("skip ptt_refuses: ptt is not built")
        return 77
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name, path, says in things(program, folder):
            for command in COMMANDS:
                if says == "only be read" and command.split()[0] in FOREIGN_READS:
                    continue
                problem = wrong(program, command, path, says)
                failed = failed or problem is not None
                print(f"not ok ptt {command}: {name}: {problem}" if problem else f"ok ptt {command}: {name}", flush=True)
    return 1 if failed else 0


sys.exit(main())
