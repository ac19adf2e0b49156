# SPDX-License-Identifier: ISC
"""An editor for FAT32 images that knows the format and no rules: what it is told it writes, into both FATs."""

END, BAD = 0x0fffffff, 0x0ffffff7
CLEAN = 0x08000000  # of the second entry of the FAT


class Fat32:
    def __init__(self, path):
        self.file = open(path, "r+b", buffering=0)
        boot = self.read(0, 512)
        word = lambda at, n=2: int.from_bytes(boot[at:at + n], "little")
        self.sector, self.fats, self.root = word(11), boot[16], word(44, 4)
        self.cluster = boot[13] * self.sector
        self.fat_size = word(36, 4) * self.sector
        self.fat = word(14) * self.sector
        self.data = self.fat + self.fats * self.fat_size
        self.clusters = (word(32, 4) * self.sector - self.data) // self.cluster

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def read(self, at, n):
        self.file.seek(at)
        return self.file.read(n)

    def write(self, at, raw):
        self.file.seek(at)
        self.file.write(raw)

    def at(self, cluster):
        return self.data + (cluster - 2) * self.cluster

    def next(self, cluster):
        return int.from_bytes(self.read(self.fat + cluster * 4, 4), "little") & END

    def link(self, cluster, value):
        for copy in range(self.fats):
            self.write(self.fat + copy * self.fat_size + cluster * 4, value.to_bytes(4, "little"))

    def chain(self, cluster):
        """Its clusters; of a sound one."""
        found = []
        while cluster < BAD:
            found.append(cluster)
            cluster = self.next(cluster)
        return found

    def free(self, count=1):
        """A free cluster with free ones behind it, from the volume's end."""
        for cluster in range(self.clusters, 2, -1):
            if all(self.next(cluster + i) == 0 for i in range(count)):
                return cluster
        raise AssertionError("no free cluster")

    def slots(self, directory):
        """The place of each slot in use, up to the end mark."""
        for cluster in self.chain(directory):
            for at in range(self.at(cluster), self.at(cluster) + self.cluster, 32):
                if self.read(at, 1) == b"\0":
                    return
                yield at

    def slot(self, directory, name):
        """The place of a short entry, by its 11 characters."""
        for at in self.slots(directory):
            if self.read(at, 11) == name.ljust(11).encode() and self.read(at + 11, 1) != b"\x0f":
                return at
        raise AssertionError(f"no entry {name!r}")

    def pieces(self, directory, slot):
        """The places of a short entry's long name, its beginning first."""
        places = list(self.slots(directory))
        index, found = places.index(slot), []
        while index > 0 and self.read(places[index - 1] + 11, 1) == b"\x0f":
            index -= 1
            found.append(places[index])
            if self.read(places[index], 1)[0] & 0x40:
                break
        return found

    def first(self, slot):
        raw = self.read(slot, 32)
        return int.from_bytes(raw[20:22], "little") << 16 | int.from_bytes(raw[26:28], "little")

    def set_first(self, slot, cluster):
        self.write(slot + 20, (cluster >> 16).to_bytes(2, "little"))
        self.write(slot + 26, (cluster & 0xffff).to_bytes(2, "little"))

    def size(self, slot):
        return int.from_bytes(self.read(slot + 28, 4), "little")

    def set_size(self, slot, size):
        self.write(slot + 28, size.to_bytes(4, "little"))

    def rename(self, slot, name):
        self.write(slot, name if isinstance(name, bytes) else name.ljust(11).encode())
