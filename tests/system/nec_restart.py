#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""nec started fifty times: the same key, and a zone that nobody touched."""
import re

from lib import rig
from lib.mail import fields, message, tags
from lib.rig import NEC, SINK, check, equal
from lib.smtp import post

TIMES = 50


def signature(sink):
    """Selector and domain of the signature on one message sent through nec now."""
    before = len(sink.taken())
    said = post(NEC, "a@mailingl.st", ["reader@sub1.test"], message(sender="a@mailingl.st"))
    check(said[:3] == "250", f"answered {said!r}")
    found = tags(dict(fields(sink.taken()[before].bytes()))["dkim-signature"])
    return found["s"], found["d"]


def run(world):
    world.start_knot()
    sink = world.start_sink()
    nec = world.start_nec(destination=SINK)
    selector = signature(sink)
    record = world.query(f"{selector[0]}._domainkey.mailingl.st", "TXT")
    serial = world.serial()
    with world.case("one key record, named by the pointer"):
        equal(len(record), 1, "records")
        check(record[0].startswith("v=DKIM1;"), f"record {record[0]!r}")
        pointer = world.query("_ptt._domainkey.mailingl.st", "TXT")
        equal(len(pointer), 1, "pointers")
        equal("dkim-" + re.search(r"\be=(\d+)", pointer[0]).group(1), selector[0], "selector")
    for number in range(TIMES):
        nec.stop() if number % 2 else nec.kill()
        nec = world.start_nec(destination=SINK)
        if number % 10 == 9:
            with world.case(f"after {number + 1} restarts: same selector, same record, same serial"):
                equal(signature(sink), selector, "selector and domain")
                equal(world.query(f"{selector[0]}._domainkey.mailingl.st", "TXT"), record, "record")
                equal(world.serial(), serial, "serial")


rig.main(run, ["nec"])
