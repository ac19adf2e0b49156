#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""nec started fifty times: the same keys, and a zone that nobody touched."""
import re

from lib import rig
from lib.mail import fields, message, tags
from lib.rig import NEC, SINK, check, equal
from lib.smtp import post

TIMES = 50


def signatures(sink):
    """Selector and domain of each signature on one message sent through nec now."""
    before = len(sink.taken())
    said = post(NEC, "a@mailingl.st", ["reader@sub1.test"], message(sender="a@mailingl.st"))
    check(said[:3] == "250", f"answered {said!r}")
    found = [tags(value) for name, value in fields(sink.taken()[before].bytes()) if name == "dkim-signature"]
    return [(one["s"], one["d"]) for one in found]


def run(world):
    world.start_knot()
    sink = world.start_sink()
    nec = world.start_nec(destination=SINK)
    signed = signatures(sink)

    def records():
        return [world.query(f"{selector}._domainkey.mailingl.st", "TXT") for selector, _ in signed]

    before, serial = records(), world.serial()
    with world.case("one record a key, named by the pointer"):
        equal([len(record) for record in before], [1, 1], "records")
        check(all(record[0].startswith("v=DKIM1;") for record in before), f"records {before!r}")
        pointer = world.query("_ptt._domainkey.mailingl.st", "TXT")
        equal(len(pointer), 1, "pointers")
        epoch = re.search(r"\be=(\d+)", pointer[0]).group(1)
        equal(signed, [(head + epoch, "mailingl.st") for head in ("dkim-", "dkim-ed25519-")], "selectors and domains")
    for number in range(TIMES):
        nec.stop() if number % 2 else nec.kill()
        nec = world.start_nec(destination=SINK)
        if number % 10 == 9:
            with world.case(f"after {number + 1} restarts: same selectors, same records, same serial"):
                equal(signatures(sink), signed, "selectors and domains")
                equal(records(), before, "records")
                equal(world.serial(), serial, "serial")


rig.main(run, ["nec"])
