#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Flushes of a guest under QEMU are real: its disk is logged write by write (blklogwrites), and the log, cut where the
last flush before a 250 had ended, holds every message answered 250 so far."""
import json
import os
import shutil
import struct

os.environ["PTT_RIG_NET"] = "10.77.0"

from lib import rig  # noqa: E402
from lib.machines import Guests, Qemu  # noqa: E402
from lib.mail import AUTHOR, LIST, message  # noqa: E402
from lib.rig import LIPAP, NEC, POSTER, check, equal  # noqa: E402
from lib.smtp import Smtp  # noqa: E402

POSTS = 6
MAGIC = 0x6a736677736872  # of Linux' dm-log-writes
FLUSH, DISCARD = 1, 4


class Logged(Qemu):
    """The disk goes through blklogwrites, which notes in its log how much of it is there at each flush."""

    def argv(self, image, tap, memory, disk, words, folder):
        plain = super().argv(image, tap, memory, None, words, folder)
        log = disk + ".log"
        return plain + ["-blockdev", f"file,node-name=image,filename={disk}", "-blockdev", f"file,node-name=log,filename={log}",
                        "-blockdev", "blklogwrites,node-name=disk,file=image,log=log,log-sector-size=512",
                        "-device", f"virtio-blk-{self.suffix},drive=disk"]


def entries(log, count):
    """The first `count` entries: (sector, flags, data)."""
    with open(log, "rb") as f:
        sector = struct.unpack("<QQQI", f.read(28))[3]
        f.seek(sector)
        for _ in range(count):
            at, sectors, flags, _ = struct.unpack("<QQQQ", f.read(32))
            f.seek(-32 % sector, os.SEEK_CUR)
            yield at, flags, b"" if flags & DISCARD else f.read(sectors * sector)


def noted(log):
    with open(log, "rb") as f:
        magic, _, count, _ = struct.unpack("<QQQI", f.read(28))
    equal(magic, MAGIC, "the log's magic")
    return count


def waiting(world, image):
    """What is in the queue of an image whose guest died."""
    world.run("ptt", "check", image, "--repair", "--not-running")
    return len(json.loads(world.run("ptt", "queue", image, "--json"))["queue"])


def run(world):
    for machine in world.machines("lipap", ("spt", "hvt", "virtio-q35")):
        world.machine = Logged(machine.name, machine.board, machine.suffix)
        world.start_knot()
        world.create([AUTHOR], size="64M")
        before, log = world.image + ".before", world.image + ".log"
        shutil.copy(world.image, before)
        with open(log, "wb"):
            pass
        lipap = world.start("lipap", world.guest("lipap", LIPAP, [
            "--domain", "mailingl.st", "--hostname", "mx.mailingl.st", "--signer", NEC, "--signer-network", f"{NEC}/32",
            "--nameserver", "udp:" + rig.DNS, "--password", world.list_password], world.image))
        lipap.wait_log(r"event=ready\b", machine.patience)
        lipap.wait_listens(LIPAP)
        cuts = []
        for number in range(POSTS):
            with Smtp(LIPAP, source=POSTER, timeout=60) as s:
                s.command("EHLO poster.author.test")
                equal(s.post(AUTHOR, [LIST], message(b"x" * 70 + b"\r\n" * (1 + 300 * number), number=number))[:3], "250",
                      "the answer")
            cuts.append(noted(log))
        lipap.kill()
        flushes = sum(flags & FLUSH != 0 for _, flags, _ in entries(log, cuts[-1]))
        print(f"{cuts[-1]} entries, {flushes} of them flushes", flush=True)
        check(cuts == sorted(set(cuts)), f"the log did not grow with each post: {cuts}")
        for number, cut in enumerate(cuts):
            with world.case(f"{machine.name}: cut before the 250 of post {number + 1}, the disk holds {number + 1}"):
                image = world.image + ".cut"
                shutil.copy(before, image)
                with open(image, "r+b") as f:
                    for at, _, data in entries(log, cut):
                        f.seek(at * 512)
                        f.write(data)
                equal(waiting(world, image), number + 1, "messages in the queue")


rig.main(run, ["ptt"], Guests)
