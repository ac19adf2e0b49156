# SPDX-License-Identifier: ISC
"""The database of an image, read and written without our programs."""
import os
import sqlite3
import struct


def sums(page_number, page):
    """What the last bytes of a database page are: CRC-32C of its number and its other bytes."""
    crc = 0xffffffff
    for byte in page_number.to_bytes(4, "little") + page[:-4]:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return (crc ^ 0xffffffff).to_bytes(4, "little")


def make_table():
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
        table.append(crc)
    return table


TABLE = make_table()


class Opened:
    """The database of an image, outside of it, by SQLite alone; put back when it is closed.

    Only a test may do that: the pages are given their checksums anew, and the log is emptied."""

    def __init__(self, tool):
        self.tool, self.path = tool, os.path.join(tool.folder, "outside.db")

    def __enter__(self):
        code, _, err = self.tool.on("get", "ptt.db", "--to", self.path)
        if code != 0:
            raise AssertionError(err)
        with open(self.path, "rb") as f:
            self.before = f.read()
        self.db = sqlite3.connect(self.path)
        self.db.execute("PRAGMA journal_mode = DELETE")
        return self.db

    def __exit__(self, *trouble):
        self.db.commit()
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.close()
        with open(self.path, "rb") as f:
            after = f.read()
        with open(self.tool.image, "r+b") as image:
            places = clusters(image.read())
            for at in range(0, len(after), 4096):
                page = bytearray(after[at:at + 4096])
                if page != self.before[at:at + 4096]:
                    page[-4:] = sums(at // 4096 + 1, page)
                    self.put(image, places["DB "], at, page)
            self.put(image, places["DB-"], 0, bytes(4096))
        os.unlink(self.path)

    @staticmethod
    def put(image, places, at, page):
        size, starts = places
        for i in range(0, 4096, size):
            image.seek(starts[(at + i) // size])
            image.write(page[i:i + size])


def clusters(volume):
    """Of the files in the root of a FAT32 volume, by extension: the cluster size (up to 4096), and where each begins."""
    sector, per, reserved, fats = struct.unpack_from("<HBHB", volume, 11)
    (table,), (root,) = struct.unpack_from("<I", volume, 36), struct.unpack_from("<I", volume, 44)
    first, size = (reserved + fats * table) * sector, per * sector

    def chain(cluster):
        found = []
        while 2 <= cluster < 0x0ffffff8:
            found.append(first + (cluster - 2) * size)
            cluster = struct.unpack_from("<I", volume, reserved * sector + cluster * 4)[0] & 0x0fffffff
        return found

    found = {}
    for start in chain(root):
        for at in range(start, start + size, 32):
            entry = volume[at:at + 32]
            if entry[0] not in (0, 0xe5) and not entry[11] & 0x18:
                high, low = struct.unpack_from("<H", entry, 20)[0], struct.unpack_from("<H", entry, 26)[0]
                found[entry[8:11].decode("ascii", "replace")] = size, chain(high << 16 | low)
    return found
