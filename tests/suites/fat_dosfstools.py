#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Images of the suite fat-dosfstools: sound ones are read, with the label they are known to have; damaged ones neither
crash nor loop nor are written to, and the check finds fault with them; FAT12 and FAT16 are named and refused.

  fat_dosfstools.py BUILD-DIR
"""
import glob
import hashlib
import os
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
sys.dont_write_bytecode = True
from fat_driver import Fat

SUITE = os.path.join(os.environ.get("PTT_SUITES") or os.path.join(TOP, "..", "shared", "suites"), "fat-dosfstools")
# Damage that fsck.fat sees and that is no fault for us: a label in one place only, the bit of an unmounted volume.
NO_FAULT = {"check-label-different", "check-label-only-boot", "check-label-only-root", "check-fat32_dos_cln_shut"}
BIG = {"check-huge"}  # 2^28 clusters: read, but the whole of its FAT is not gone through


def undump(path, image):
    """The sparse image of an xxd dump, as long as its boot sector says."""
    with open(image, "wb") as out, open(path, encoding="ascii") as dump:
        for line in dump:
            at, _, rest = line.partition(": ")
            if at.startswith("*"):  # zeros
                continue
            out.seek(int(at, 16))
            out.write(bytes.fromhex(rest[:40].split("  ")[0].replace(" ", "")))
    with open(image, "r+b") as f:
        boot = f.read(512)
        sectors = int.from_bytes(boot[19:21], "little") or int.from_bytes(boot[32:36], "little")
        size = sectors * int.from_bytes(boot[11:13], "little")
        f.seek(0, 2)
        if f.tell() < size:
            f.truncate(size)
    return kind_of(boot)


def kind_of(boot):
    """Microsoft's rule, from the boot sector alone."""
    word = lambda at, n=2: int.from_bytes(boot[at:at + n], "little")
    if word(22) == 0:
        return "FAT32"
    root = -(-word(17) * 32 // word(11))
    clusters = ((word(19) or word(32, 4)) - word(14) - boot[16] * word(22) - root) // boot[13]
    return "FAT12" if clusters < 4085 else "FAT16"


def blocks_of(image):
    """What an image holds; holes are not read."""
    digest, at = hashlib.sha256(), 0
    with open(image, "rb") as f:
        while True:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError:
                return digest.hexdigest()
            end = os.lseek(f.fileno(), at, os.SEEK_HOLE)
            f.seek(at)
            digest.update(b"%d" % at + f.read(end - at))
            at = end


def judge(build, path, folder):
    name, kind = os.path.splitext(os.path.basename(path))
    image = os.path.join(folder, "image")
    what = undump(path, image)
    before = blocks_of(image)
    with Fat(build, image) as fat:
        said, lines = fat.ask("mount", "r")
        if what != "FAT32":
            return (said, lines) == ("not supported", [f"a {what} volume"]) or f"{what}: {said} {lines}"
        if said != "ok":
            return f"{said} {lines}"
        label = fat.must("info")[0]
        found = fat.walk() if kind == ".xxd" else fat.ask("ls", "")
        if kind == ".xxd":
            for inside, size in found.items():
                if size is not None and len(fat.bytes_of(inside, image + ".out")) != size:
                    return f"{inside} has another size"
        faults = [] if name in BIG else fat.must("check")
        fat.must("unmount")
    if blocks_of(image) != before:
        return "it was written to"
    known = os.path.join(SUITE, name + ".label")
    if kind == ".xxd" and os.path.exists(known):
        wanted = open(known, encoding="utf-8").read().strip()
        if label != wanted:
            return f"label {label!r} instead of {wanted!r}"
    if name not in BIG and (len(faults) > 1) != (kind == ".fsck" and name not in NO_FAULT):
        return f"faults: {faults}"
    return True


def main():
    if not os.path.isdir(SUITE):
        print("skip fat-dosfstools: no suite at %s" % SUITE)
        return 77
    bad = total = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(glob.glob(os.path.join(SUITE, "*.xxd")) + glob.glob(os.path.join(SUITE, "*.fsck"))):
            name = os.path.basename(path)
            try:
                verdict = judge(sys.argv[1], path, folder)
            except AssertionError as e:
                verdict = str(e)
            total += 1
            bad += verdict is not True
            print("ok %s" % name if verdict is True else "not ok %s: %s" % (name, verdict), flush=True)
    print("fat-dosfstools %d/%d" % (total - bad, total))
    return 1 if bad else 0


sys.exit(main())
