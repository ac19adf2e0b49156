#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The damages of the suite fat-dosfstools, most of which are on FAT12 and FAT16, done again to FAT32 volumes: `ptt check`
finds each, --repair leaves nothing that it or fsck.fat finds, and the files that were sound are as they were. The same
damage on a volume of mkfs.fat is found too, and repairing it is refused.

  fat_dosfstools_fat32.py BUILD-DIR
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
sys.dont_write_bytecode = True
from fat32 import CLEAN, END, Fat32
from fat_driver import Fat

SUITE = os.path.join(os.environ.get("PTT_SUITES") or os.path.join(TOP, "..", "shared", "suites"), "fat-dosfstools")
TOOLS = ["fsck.fat", "mkfs.fat", "mcopy", "mmd"]
ENVIRONMENT = dict(os.environ, LC_ALL="C.UTF-8", MTOOLS_SKIP_CHECK="1", TZ="UTC",
                   PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
FILES = {"ONE.TXT": b"seven\r\n", "TWO.TXT": b"second\n", "LARGE1.BIN": bytes(range(256)) * 64,
         "LARGE2.BIN": bytes(range(255, -1, -1)) * 64, "DIR/TEST1.TXT": b"test 1\n", "DIR/TEST2.TXT": b"test 2\n",
         "a long name.txt": b"long\n", "another long name.txt": b"another\n", "SOUND.TXT": b"as it was\n"}


# ---- The damages. Each gets the editor and gives the names whose content it may have cost. ----

def bad_names(v):
    v.rename(v.slot(v.root, "ONE     TXT"), " NE     TXT")
    v.rename(v.slot(v.root, "TWO     TXT"), "           ")
    v.rename(v.slot(v.root, "LARGE1  BIN"), "L>RGE1  BIN")
    return {"ONE.TXT", "TWO.TXT", "LARGE1.BIN"}


def bad_name_of_a_long_one(v):
    slot = v.slot(v.root, "ALONGN~1TXT")
    name = b"ALO*GN~1TXT"
    total = 0
    for byte in name:
        total = ((total & 1) << 7) + (total >> 1) + byte & 0xff
    for piece in v.pieces(v.root, slot):
        v.write(piece + 13, bytes([total]))
    v.rename(slot, name)
    return set()


def chain_to_free_cluster(v):
    v.link(v.first(v.slot(v.root, "ONE     TXT")), v.free())
    return set()


def chain_to_root(v):
    v.link(v.chain(v.first(v.slot(v.root, "LARGE1  BIN")))[2], v.root)
    return {"LARGE1.BIN"}


def chain_to_other_file(v):
    one, two = (v.chain(v.first(v.slot(v.root, name))) for name in ("LARGE1  BIN", "LARGE2  BIN"))
    v.link(two[1], one[2])
    return {"LARGE2.BIN"}


def chain_to_sound_file(v):
    """The damaged one is met first: the other must keep its bytes all the same."""
    v.link(v.chain(v.first(v.slot(v.root, "LARGE1  BIN")))[3], v.first(v.slot(v.root, "LARGE2  BIN")))
    return {"LARGE1.BIN"}


def chain_to_directory(v):
    v.link(v.chain(v.first(v.slot(v.root, "LARGE1  BIN")))[3], v.first(v.slot(v.root, "DIR")))
    return {"LARGE1.BIN"}


def two_names_of_one_chain(v):
    v.set_first(v.slot(v.root, "LARGE2  BIN"), v.first(v.slot(v.root, "LARGE1  BIN")))
    return {"LARGE2.BIN"}


def chain_too_long(v):
    more = v.free(2)
    v.link(v.first(v.slot(v.root, "ONE     TXT")), more)
    v.link(more, more + 1)
    v.link(more + 1, END)
    return set()


def circular_chain(v):
    chain = v.chain(v.first(v.slot(v.root, "LARGE1  BIN")))
    v.link(chain[-2], chain[-3])
    return {"LARGE1.BIN"}


def circle_of_a_directory(v):
    first = v.first(v.slot(v.root, "DIR"))
    v.link(first, first)
    return set()


def dot_entries(v):
    """Two files first, the dot entries behind them, the wrong way round."""
    at = v.at(v.first(v.slot(v.root, "DIR")))
    dots, files = v.read(at, 64), b"".join(v.read(v.slot(v.first(v.slot(v.root, "DIR")), name), 32)
                                           for name in ("TEST1   TXT", "TEST2   TXT"))
    v.write(at, files + dots[32:] + b"\xe5" + b"\0" * 31 + dots[:32] + b"\0" * 32)
    return set()


def dot_missing(v):
    v.write(v.at(v.first(v.slot(v.root, "DIR"))), b"\xe5")
    return set()


def duplicate_names(v):
    v.rename(v.slot(v.root, "TWO     TXT"), "ONE     TXT")
    return {"TWO.TXT"}


def duplicate_long_names(v):
    """The pieces of the second long name are made the first's, with the sum of its own short name."""
    one, two = (v.pieces(v.root, v.slot(v.root, name)) for name in ("ALONGN~1TXT", "ANOTHE~1TXT"))
    for source, target in zip(one, two):
        raw = bytearray(v.read(source, 32))
        raw[13] = v.read(target, 14)[13]
        v.write(target, raw)
    return {"another long name.txt"}


def first_entry_of_another_kind(v):
    v.link(0, 0x0ffff000)
    return set()


def first_entry_half_gone(v):
    v.link(0, 0x0fff0000)
    return set()


def first_entry_gone(v):
    v.link(0, 0)
    return set()


def not_unmounted(v):
    v.link(1, END & ~CLEAN)
    return set()


def label(in_boot, in_root):
    def damage(v):
        for boot in (0, 6 * v.sector):
            v.write(boot + 71, in_boot.ljust(11).encode())
        if in_root:
            free = list(v.slots(v.root))[-1] + 32
            v.write(free, in_root.ljust(11).encode() + b"\x08" + b"\0" * 20)
        return set()
    return damage


DAMAGES = {  # of a case of the suite: what is done on FAT32 in its place
    "check-bad_names": [bad_names, bad_name_of_a_long_one],
    "check-chain_to_free_cluster": [chain_to_free_cluster],
    "check-chain_to_other_file": [chain_to_root, chain_to_other_file, chain_to_sound_file, chain_to_directory,
                                  two_names_of_one_chain],
    "check-chain_too_long": [chain_too_long],
    "check-circular_chain": [circular_chain, circle_of_a_directory],
    "check-dot_entries": [dot_entries, dot_missing],
    "check-duplicate_names": [duplicate_names, duplicate_long_names],
    "check-fat12_first_cluster": [first_entry_of_another_kind],
    "check-fat16_first_cluster": [first_entry_half_gone],
    "check-fat32_first_cluster": [first_entry_gone],
    "check-fat32_dos_cln_shut": [not_unmounted],
}
NO_DAMAGE = {  # the label in the boot sector is a copy that nobody reads; the one in the root directory counts
    "check-label-different": ("label1", "LABEL2"),
    "check-label-only-boot": ("label1", ""),
    "check-label-only-root": ("NO NAME", "LABEL1"),
}
WITHOUT_MEANING = {
    "check-fat16_dos_cln_shut": "the mark of FAT16; the one of FAT32 is check-fat32_dos_cln_shut",
    "check-huge": "no damage but a size, which fat_dosfstools.py reads",
}


# ---- Tools ----

def run(*arguments):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=ENVIRONMENT, timeout=60, check=False, text=True, errors="replace")


def require(condition, reason):
    if not condition:
        raise AssertionError(reason)


def fsck(image):
    """What fsck.fat finds."""
    known = ("fsck.fat ", "Free cluster summary", "  Auto-correcting", image)
    said = run("fsck.fat", "-n", image)
    require(said.returncode in (0, 1), f"fsck.fat ended with {said.returncode}")
    return [line for line in said.stdout.splitlines() if line.strip() and not line.startswith(known)]


def ptt(build, image, *options):
    done = run(os.path.join(build, "app", "ptt"), "check", image, *options)
    require(done.returncode in (0, 1), f"ptt check ended with {done.returncode}: {done.stdout[-300:]}")
    return done


def make(build, folder):
    """A volume of ours with a database, and one of mkfs.fat, with the same files."""
    ours, theirs, source = (os.path.join(folder, name) for name in ("ours", "theirs", "source"))
    require(run(os.path.join(build, "app", "ptt"), "create", ours, "--size", "34M").returncode == 0, "ptt create")
    with open(theirs, "wb") as f:
        f.truncate(36 << 20)
    require(run("mkfs.fat", "-F", "32", "-s", "1", theirs).returncode == 0, "mkfs.fat")
    for image in ours, theirs:
        require(run("mmd", "-i", image, "::DIR").returncode == 0, "mmd")
        for path, content in FILES.items():
            with open(source, "wb") as f:
                f.write(content)
            require(run("mcopy", "-i", image, source, "::" + path).returncode == 0, f"mcopy {path}")
        require(not fsck(image), f"fsck.fat on what mtools wrote: {fsck(image)}")
    return ours, theirs


def contents(build, image, scratch):
    with Fat(build, image) as fat:
        fat.must("mount", "r")
        found = [fat.bytes_of(path, scratch) for path, size in fat.walk().items() if size is not None]
        named = {path: fat.bytes_of(path, scratch) for path in FILES if fat.ask("stat", path)[0] == "ok"}
        return named, found, fat.must("info")[0]


# ---- Judging ----

def judge_ours(build, image, damage, scratch):
    with Fat32(image) as volume:
        lost = damage(volume)
    require(fsck(image) or damage is duplicate_long_names, "fsck.fat finds nothing: no damage was done")
    found = ptt(build, image)
    require("\n0 found" not in "\n" + found.stdout, f"not found: {found.stdout}")
    repaired = ptt(build, image, "--repair", "--not-running")
    require(repaired.returncode == 0 and repaired.stdout.rstrip().endswith(" 0 left"), f"not repaired: {repaired.stdout}")
    require(not fsck(image), f"after the repair: {fsck(image)}; {repaired.stdout}")
    again = ptt(build, image)
    require(again.returncode == 0 and again.stdout == "0 found, 0 left\n", f"a second check: {again.stdout}")
    named, everything, _ = contents(build, image, scratch)
    changed = [p for p, content in FILES.items() if p not in lost and named.get(p) != content]
    require(not changed, f"cost {changed}: {repaired.stdout}")
    if damage in (bad_names, duplicate_names, duplicate_long_names):
        require(all(everything.count(content) == 1 for content in FILES.values()), "a renamed file is gone")


def judge_theirs(build, image, damage):
    with Fat32(image) as volume:
        damage(volume)
    with Fat(build, image) as fat:
        said, state = fat.ask("mount", "r")
        require(said == "ok", f"{said} {state}")
        faults = fat.must("check")
        require(len(faults) > 1 or state == ["not unmounted"], "not found on a volume of mkfs.fat")
        fat.must("unmount")
        require(fat.ask("mount", "w") == ("denied", ["without a redo area: only for reading"]),
                "a volume of mkfs.fat is mounted for writing")


def judge_label(build, image, in_boot, in_root, scratch):
    with Fat32(image) as volume:
        label(in_boot, in_root)(volume)
    require(fsck(image), "fsck.fat finds nothing: no damage was done")
    done = ptt(build, image)
    require(done.returncode == 0, f"found fault with: {done.stdout}")
    named, _, name = contents(build, image, scratch)
    require(named == FILES and name == in_root, f"read {sorted(named)} of {name!r}")


def cases(build, folder):
    """(name, what judges it)"""
    ours, theirs = make(build, folder)
    scratch, image = os.path.join(folder, "scratch"), os.path.join(folder, "image")

    def fresh(of):
        run("cp", "--sparse=always", of, image)
        return image

    for name, damages in DAMAGES.items():
        for damage in damages:
            about = f"{name}: {damage.__name__.replace('_', ' ')}"
            yield about, lambda: judge_ours(build, fresh(ours), damage, scratch)
            yield about + ", mkfs.fat", lambda: judge_theirs(build, fresh(theirs), damage)
    for name, labels in NO_DAMAGE.items():
        yield name + ": no damage", lambda: judge_label(build, fresh(ours), *labels, scratch)


def main():
    if not os.path.isdir(SUITE):
        print(f"skip fat-dosfstools on FAT32: no suite at {SUITE}")
        return 77
    missing = [t for t in TOOLS if not shutil.which(t, path=ENVIRONMENT["PATH"])]
    if missing:
        print(f"skip fat-dosfstools on FAT32: {' '.join(missing)} not installed")
        return 77
    done = bad = 0
    suite = {os.path.splitext(os.path.basename(p))[0] for p in glob.glob(os.path.join(SUITE, "*.fsck"))}
    unknown = suite - DAMAGES.keys() - NO_DAMAGE.keys() - WITHOUT_MEANING.keys()
    print(f"not ok every case is known: {sorted(unknown)}" if unknown else f"ok every case of {len(suite)} is known")
    for name, reason in WITHOUT_MEANING.items():
        print(f"note: {name} is not done on FAT32: {reason}")
    with tempfile.TemporaryDirectory() as folder:
        for name, judge in cases(sys.argv[1], folder):
            done += 1
            try:
                judge()
                print(f"ok {name}", flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as e:
                bad += 1
                print(f"not ok {name}: {e}", flush=True)
    print(f"fat-dosfstools fat32 {done - bad}/{done}")
    return 1 if bad or unknown else 0


sys.exit(main())
