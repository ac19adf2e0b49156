#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The whole life of lists by mail, as life.py has it, with lipap and nec as unikernels: on the first of Solo5's tenders that is
here."""
import shutil

from guest import Servers
from lib import rig
from lib.life import Life, create, members
from lib.people import ZONE, Notices
from lib.rig import check, equal


def run(world):
    for tool in ("swaks", "mutt", "msmtp"):
        if not shutil.which(tool):
            raise rig.Skip(f"needs {tool}")
    world.machine = next(world.machines("lipap", ("virtio", "virtio, q35")))
    world.start_knot(test_zone=ZONE)
    sink = world.start_sink()
    create(world)
    programs = [world.start_nec(), world.start_lipap()]
    Life(world, sink).whole()
    with world.case("every mail of the lists parses, says what it is, and is signed by them"):
        count = Notices(world, sink, None).check_all()
        check(count >= 25, f"only {count} mails")
        equal(sink.faults, [], "faults")
    for program in programs:
        program.kill()
    with world.case("the guest is cut off: its image is sound, and has the members that are left"):
        world.run("ptt", "check", world.image, "--repair", "--not-running")
        equal(members(world, "ptt"), ["old@signed.test"], "members of ptt")
        equal(members(world, "club.fr"), ["bob+lists@signed.test", "old@signed.test"], "members of club.fr")


if __name__ == "__main__":
    rig.main(run, ["ptt", "blaze"], Servers)
