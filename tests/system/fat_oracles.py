#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The file system of fat/ against those of others: what random sequences of calls leave is what a model says, is read
alike by mtools, 7z and GRUB, and fsck.fat finds nothing; what mkfs.fat and mtools made is read here.

  fat_oracles.py BUILD-DIR [SEED]        PTT_LONG=1: 100,000 calls instead of 3,000
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
sys.dont_write_bytecode = True
from fat_driver import Fat

LONG = bool(os.environ.get("PTT_LONG"))
TOOLS = ["mkfs.fat", "fsck.fat", "mcopy", "mmd", "mdel", "grub-fstest", "7z"]
ENVIRONMENT = dict(os.environ, LC_ALL="C.UTF-8", MTOOLS_SKIP_CHECK="1", TZ="UTC",
                   PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
MB = 1 << 20


def tool(*arguments, accepts=(0,)):
    run = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         env=ENVIRONMENT, timeout=120)
    if run.returncode not in accepts:
        raise AssertionError(f"{arguments[:2]} ended with {run.returncode}: {run.stdout[-600:]}")
    return run.stdout


def require(condition, reason):
    if not condition:
        raise AssertionError(reason)


def compare(left, right, what):
    """Two {path: bytes, or None for a directory}."""
    require(left.keys() == right.keys(), f"{what}: names differ: {sorted(left.keys() ^ right.keys())[:6]}")
    different = [p for p in left if left[p] != right[p]]
    require(not different, f"{what}: contents differ: {different[:6]}")


def folder_tree(folder):
    found = {}
    for where, directories, files in os.walk(folder):
        inside = os.path.relpath(where, folder)
        for name in directories:
            found[os.path.normpath(os.path.join(inside, name))] = None
        for name in files:
            with open(os.path.join(where, name), "rb") as f:
                found[os.path.normpath(os.path.join(inside, name))] = f.read()
    return found


def our_tree(fat, scratch):
    return {p: None if size is None else fat.bytes_of(p, scratch) for p, size in fat.walk().items()}


# ---- What we wrote, read by others ----

def fsck_finds_nothing(image):
    said = tool("fsck.fat", "-n", image).decode().splitlines()
    known = ("fsck.fat ", "Free cluster summary uninitialized", image)
    rest = [line for line in said if not line.startswith(known)]
    require(not rest, f"fsck.fat: {rest[:5]}")


def mtools_reads(image, tree, folder):
    out = os.path.join(folder, "mtools")
    shutil.rmtree(out, ignore_errors=True)
    os.mkdir(out)
    if tree:
        tool("mcopy", "-s", "-Q", "-n", "-i", image, "::*", out)
    # mtools knows no characters outside the basic plane
    plain = {p: b for p, b in tree.items() if all(ord(c) < 0x10000 for c in p)}
    compare({p: b for p, b in folder_tree(out).items() if p in plain}, plain, "mtools")


def seven_zip_reads(image, tree, folder):
    out = os.path.join(folder, "7z")
    shutil.rmtree(out, ignore_errors=True)
    tool("7z", "x", "-y", "-tfat", f"-o{out}", image)
    compare(folder_tree(out), tree, "7z")


def grub_reads(image, tree):
    files = [p for p in sorted(tree) if tree[p] and all(c.isalnum() or c in "./-_" for c in p) and p.isascii()]
    for path in files[:: max(1, len(files) // 4)]:
        require(tool("grub-fstest", image, "cat", "(loop0)/" + path) == tree[path], f"grub-fstest: {path} differs")


def all_read(image, tree, folder):
    fsck_finds_nothing(image)
    mtools_reads(image, tree, folder)
    seven_zip_reads(image, tree, folder)
    grub_reads(image, tree)


# ---- Random calls ----

WORDS = ["a", "README", "read.me", "message", "Große Straße", "привет", "spool", "a rather long name for a file", "x.y.z",
         "日本語", "Ünïcödé", "😀", "0000", ".profile", "tar.gz", "UPPER.TXT", "lower.txt", "Mixed.Case", "w" * 60, "é" * 100]


def fold(name):
    return "".join(c.upper() if len(c.upper()) == 1 and (ord(c) < 0x80 or ord(c.upper()) >= 0x80) else c for c in name)


class Model:
    """A tree as it should be: {folded path: [path, bytes or None]}."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.nodes = {}

    def tree(self):
        return {path: content for path, content in self.nodes.values()}

    def directories(self):
        return [""] + [path for path, content in self.nodes.values() if content is None]

    def files(self):
        return [path for path, content in self.nodes.values() if content is not None]

    def new_path(self):
        parent = self.random.choice(self.directories()[:12])
        word = self.random.choice(WORDS)
        name = word if self.random.random() < 0.3 else f"{word} {self.random.randrange(40)}"
        return f"{parent}/{name}" if parent else name

    def old_path(self):
        nodes = list(self.nodes.values())
        path = self.random.choice(nodes)[0] if nodes else self.new_path()
        return self.random.choice([path, path, path.upper() if fold(path.upper()) == fold(path) else path])

    def under(self, path):
        return [key for key in self.nodes if key.startswith(fold(path) + "/")]

    # Each gives the answer that the driver must give, having changed the model.

    def new(self, path):
        if fold(path) in self.nodes:
            return "exists already"
        self.nodes[fold(path)] = [path, b""]
        return "ok"

    def mkdir(self, path):
        if fold(path) in self.nodes:
            return "exists already"
        self.nodes[fold(path)] = [path, None]
        return "ok"

    def rm(self, path):
        node = self.nodes.get(fold(path))
        if node is None:
            return "not found"
        if node[1] is None:
            return "syntax error"
        del self.nodes[fold(path)]
        return "ok"

    def rmdir(self, path):
        node = self.nodes.get(fold(path))
        if node is None:
            return "not found"
        if node[1] is not None:
            return "syntax error"
        if self.under(path):
            return "exists already"
        del self.nodes[fold(path)]
        return "ok"

    def mv(self, old, new):
        node, target = self.nodes.get(fold(old)), self.nodes.get(fold(new))
        if node is None:
            return "not found"
        if node[1] is None and fold(new).startswith(fold(old) + "/"):
            return "out of sequence"
        if fold(old) != fold(new) and target is not None and (node[1] is None or target[1] is None):
            return "exists already"
        parent = self.nodes.get(fold(new.rpartition("/")[0]))
        path = (parent[0] + "/" if parent else "") + new.rpartition("/")[2]
        moved = {key: self.nodes.pop(key) for key in self.under(old)}
        before = self.nodes.pop(fold(old))[0]
        self.nodes[fold(new)] = [path, node[1]]
        for below, content in moved.values():
            self.nodes[fold(path + below[len(before):])] = [path + below[len(before):], content]
        return "ok"

    def content(self, path, change):
        node = self.nodes.get(fold(path))
        if node is None:
            return "not found"
        if node[1] is None:
            return "syntax error"
        changed = change(node[1])
        if changed is None:
            return "out of sequence"
        node[1] = changed
        return "ok"


def step(model, fat):
    """One random call to both; the answers agree."""
    r = model.random
    what = r.choice(["new", "new", "mkdir", "write", "write", "write", "write", "truncate", "allocate", "rm", "rmdir", "mv",
                     "mv", "read", "stat"])
    if len(model.nodes) > 150:
        what = r.choice(["rm", "rm", "rmdir", what])
    path = model.new_path() if what in ("new", "mkdir") else model.old_path()
    files = model.files()
    if what in ("write", "truncate", "allocate") and files and r.random() < 0.9:
        path = r.choice(files)
    if what in ("new", "mkdir", "rm", "rmdir"):
        wanted, asked = getattr(model, what)(path), (what, path)
    elif what == "mv":
        new = model.new_path() if r.random() < 0.7 or not files else r.choice(files)
        wanted, asked = model.mv(path, new), (what, path, new)
    elif what == "write":
        size = len(model.nodes.get(fold(path), ["", b""])[1] or b"")
        at = r.choice([0, size, size, r.randrange(size + 1), min(size + r.randrange(3000), 200000)])
        data = r.randbytes(r.choice([1, 10, 512, 700, 4096, r.randrange(1, 20000)]))
        wanted = model.content(path, lambda b: b[:at] + bytes(max(0, at - len(b))) + data + b[at + len(data):])
        asked = (what, path, at, data.hex())
    elif what == "truncate":
        size = r.choice([0, r.randrange(1, 5000), 512])
        wanted = model.content(path, lambda b: b[:size] if size <= len(b) else None)
        asked = (what, path, size)
    elif what == "allocate":
        size = r.choice([r.randrange(1, 60000), 4096])
        wanted = model.content(path, lambda b: b + bytes(max(0, size - len(b))))
        asked = (what, path, size)
    elif what == "read":
        node = model.nodes.get(fold(path), [path, None])
        at, n = r.randrange(30000), r.randrange(1, 9000)
        if node[1] is not None:
            said = fat.must("read", path, at, n)
            require(said == [node[1][at:at + n].hex() or "-"], f"read {path} {at} {n} differs")
        return
    else:
        wanted, asked = "ok" if fold(path) in model.nodes else "not found", (what, path)
    said, _ = fat.ask(*asked)
    require(said == wanted, f"{asked[:3]}: {said!r} instead of {wanted!r}")


def random_calls(build, folder, seed, steps, megabytes, sector):
    image = os.path.join(folder, "image")
    with open(image, "wb") as f:
        f.truncate(megabytes * MB)
    model = Model(seed)
    with Fat(build, image, sector) as fat:
        fat.must("format", 0, seed, "LIPAP")
        for number in range(steps):
            if number % 500 == 0:
                fat.must("mount", "w")
            step(model, fat)
            if number % 500 == 499 or number == steps - 1:
                require(fat.must("check") == ["0 faults, 0 unrepaired"], f"check after {number}")
                compare(our_tree(fat, image + ".out"), model.tree(), f"the model after {number}")
                fat.must("unmount")
            if number % 1000 == 999:
                all_read(image, model.tree(), folder)
    return f"{len(model.nodes)} entries at the end"


# ---- What others wrote, read by us ----

def their_tree(r, folder):
    """Some files and directories on this machine."""
    tree = {}
    directories = [""]
    for number in range(60):
        name = f"{r.choice([w for w in WORDS if w.isascii() or ord(w[0]) < 0x10000])} {number}"
        path = os.path.join(r.choice(directories), name)
        if number % 7 == 0:
            tree[path] = None
            directories.append(path)
            os.mkdir(os.path.join(folder, path))
        else:
            tree[path] = r.randbytes(r.choice([0, 1, 511, 512, 513, 4096, 40000, 100000]))
            with open(os.path.join(folder, path), "wb") as f:
                f.write(tree[path])
    return tree


def made_by_mtools(build, folder, sector, cluster_sectors):
    r = random.Random(sector * 100 + cluster_sectors)
    image, source = os.path.join(folder, "image"), os.path.join(folder, "source")
    shutil.rmtree(source, ignore_errors=True)
    os.mkdir(source)
    with open(image, "wb") as f:
        f.truncate(67000 * sector * cluster_sectors)  # with fewer clusters mtools takes it for FAT16
    tool("mkfs.fat", "-F", "32", "-S", str(sector), "-s", str(cluster_sectors), "-n", "OTHERS", image)
    tree = their_tree(r, source)
    tool("mcopy", "-s", "-Q", "-i", image, *[os.path.join(source, n) for n in os.listdir(source)], "::/")
    for path in [p for p in sorted(tree) if tree[p] is not None][::5]:  # holes in directories
        tool("mdel", "-i", image, "::" + path)
        del tree[path]
    with Fat(build, image) as fat:
        fat.must("mount", "r")
        label, geometry = fat.must("info")
        require(label == "OTHERS" and geometry.split()[:2] == [str(sector), str(sector * cluster_sectors)],
                f"{label} {geometry}")
        require(fat.must("check") == ["0 faults, 0 unrepaired"], "check")
        compare(our_tree(fat, image + ".out"), tree, "mtools")
        fat.must("unmount")
        require(fat.ask("mount", "w") == ("denied", ["without a redo area: only for reading"]), "mounted for writing")
    return f"{len(tree)} entries"


def formats(build, folder):
    """Each size gives the cluster size that was promised, and fsck.fat and mtools agree that the volume is sound."""
    for megabytes, cluster in [(34, 512), (64, 512), (100, 1024), (256, 2048), (257, 4096), (512, 4096), (9000, 4096)]:
        image = os.path.join(folder, f"format-{megabytes}")
        with open(image, "wb") as f:
            f.truncate(megabytes * MB)
        with Fat(build, image) as fat:
            fat.must("format", 0, 7, "")
            fat.must("mount", "w")
            size, clusters = map(int, fat.must("info")[1].split()[1:3])
            require((size, clusters >= 65525) == (cluster, True), f"{megabytes}M: {size} {clusters}")
            fat.must("unmount")
        fsck_finds_nothing(image)
        require(os.stat(image).st_blocks * 512 < MB, f"{megabytes}M is not sparse")
        os.unlink(image)
    return "7 sizes"


def main():
    missing = [t for t in TOOLS if not shutil.which(t, path=ENVIRONMENT["PATH"])]
    if missing:
        print(f"skip fat_oracles: no {' '.join(missing)}")
        return 77
    build, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time()) % 1000000
    steps = 100000 if LONG else 3000
    cases = [("formats", formats, ()),
             ("random calls, 512-byte clusters", random_calls, (seed, steps, 40, 512)),
             ("random calls, 4096-byte clusters", random_calls, (seed + 1, steps // 3, 260, 512)),
             ("random calls, 4096-byte sectors", random_calls, (seed + 2, steps // 3, 300, 4096))]
    for sector, clusters in [(512, 1), (512, 2), (512, 8), (512, 64), (1024, 4), (2048, 1), (4096, 1), (4096, 8)]:
        cases.append((f"made by mtools, {clusters} sectors of {sector}", made_by_mtools, (sector, clusters)))
    bad = 0
    for name, play, arguments in cases:
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(f"# {play(build, folder, *arguments)}")
                print(f"ok {name}", flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as e:
                bad += 1
                print(f"not ok {name}: seed {seed}: {e}".replace("\n", " "), flush=True)
    return 1 if bad else 0


sys.exit(main())
