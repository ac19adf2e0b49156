#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What guest.py does, on QEMU without KVM."""
import guest
from lib import rig
from lib.machines import LONG_ONLY


def run(world):
    guest.run(world, ("spt", "hvt") if rig.LONG else ("spt", "hvt", LONG_ONLY))


rig.main(run, ["ptt", "blaze"], guest.Servers)
