# SPDX-License-Identifier: ISC
"""A conversation with the driver of fat/ over an image file."""
import os
import subprocess


class Fat:
    def __init__(self, build, image, sector=512):
        self.run = subprocess.Popen([os.path.join(build, "fat-fat_driver"), image, str(sector)],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *fields):
        """(error phrase or "ok", lines of data)"""
        self.run.stdin.write("\t".join(str(f) for f in fields).encode() + b"\n")
        self.run.stdin.flush()
        lines = []
        while True:
            line = self.run.stdout.readline()
            if not line:
                raise AssertionError(f"the driver ended with {self.run.wait()} at {fields[:3]}")
            line = line.decode().rstrip("\n")
            if line.startswith("= "):
                return line[2:], lines
            lines.append(line)

    def must(self, *fields):
        said, lines = self.ask(*fields)
        if said != "ok":
            raise AssertionError(f"{said}: {fields[:3]}")
        return lines

    def walk(self, path=""):
        """{path: size, or None for a directory} of all below."""
        found = {}
        for line in self.must("ls", path):
            kind, size, _, _, name = line.split(" ", 4)
            below = f"{path}/{name}" if path else name
            found[below] = None if kind == "d" else int(size)
            if kind == "d":
                found.update(self.walk(below))
        return found

    def bytes_of(self, path, scratch):
        self.must("get", path, scratch)
        with open(scratch, "rb") as f:
            return f.read()

    def end(self):
        self.run.stdin.close()
        self.run.stdout.read()
        return self.run.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.run.kill()
            self.run.wait()
        elif self.end() != 0:
            raise AssertionError("the driver ended badly")
        self.run.stdout.close()
