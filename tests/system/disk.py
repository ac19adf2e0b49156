#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A disk that is full: 452, nothing accepted is lost, and service resumes once there is space."""
import os
import subprocess

from lib import rig
from lib.mail import AUTHOR, LIST, message
from lib.rig import LIPAP, POSTER, check, equal, until
from lib.smtp import Lost, post

MEMBERS = [AUTHOR, "reader@sub1.test"]
BODY = b"0123456789abcdef" * 4 + b"\r\n"


def fill(megabytes):
    """Posts of a megabyte until one is refused; the accepted ones, and that answer."""
    accepted = []
    for number in range(megabytes * 4):
        raw = message(b"%d\r\n" % number + BODY * 15887)
        try:
            said = post(LIPAP, AUTHOR, [LIST], raw, POSTER)
        except Lost as e:
            said = f"lost: {e}"
        if said[:3] != "250":
            return accepted, said
        accepted.append(raw)
    raise AssertionError(f"{len(accepted)} MB fit into {megabytes} MB")


def all_arrive(sink, accepted):
    """Every accepted post at every member, byte for byte, once."""
    sink.wait(len(accepted) * len(MEMBERS), 60)
    copies = sink.taken()
    for member in MEMBERS:
        for raw in accepted:
            count = sum(1 for c in copies if c.recipients == [member] and c.size > len(raw) and c.bytes().endswith(raw))
            equal(count, 1, f"copies of a post at {member}")


def full(world, sink, name, megabytes, what):
    """The signer is away, so posts pile up until nothing more fits; then it comes."""
    lipap = world.start_lipap()
    accepted = []
    with world.case(f"{name}: {what} full is 452 4.3.1, before or after the data"):
        accepted, said = fill(megabytes)
        equal(said[:9], "452 4.3.1", f"answer after {len(accepted)} MB")
        check(len(accepted) >= megabytes // 4, f"only {len(accepted)} of {megabytes} MB were usable")
    with world.case(f"{name}: a restart while full loses nothing"):
        lipap.kill()
        lipap = world.start_lipap()
    with world.case(f"{name}: every accepted post arrives once the signer is back"):
        before = len(sink.taken())
        nec = world.start_nec()
        sink.wait(before + len(accepted) * len(MEMBERS), 60)
        all_arrive(sink, accepted)
    with world.case(f"{name}: then there is space again"):
        raw = message(BODY * 15887)
        until(20, "a large post is taken", lambda: post(LIPAP, AUTHOR, [LIST], raw, POSTER)[:3] == "250")
        until(20, "it arrives", lambda: any(c.bytes().endswith(raw) for c in sink.taken(MEMBERS[1])))
        equal((lipap.stop(), nec.stop()), (0, 0), "exit statuses")
    sink.close()
    world.sinks.remove(sink)


def run(world):
    world.start_knot()
    world.create(MEMBERS, size="34M")
    full(world, world.start_sink(name="sink-share.test"), "a small image", 34, "its share")

    mount = os.path.join(world.folder, "tmpfs")
    os.mkdir(mount)
    if os.environ.get("PTT_OWN_MOUNTS") != "1":
        print("skip a small file system: no mount namespace can be made here", flush=True)
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24M", "none", mount], check=True, stdin=subprocess.DEVNULL)
    try:
        world.image = os.path.join(mount, "lipap.img")
        world.create(MEMBERS, size="512M")
        full(world, world.start_sink(name="sink-tmpfs.test"), "a small file system", 24, "the disk")
    finally:
        subprocess.run(["umount", "-l", mount], check=True, stdin=subprocess.DEVNULL)


rig.main(run, ["nec", "lipap", "ptt"])
