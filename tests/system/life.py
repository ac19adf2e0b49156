#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The whole life of lists by mail, with lipap and nec as processes: mutt, msmtp and swaks write; every mail that the lists write
is parsed by Python's email package, and its signatures are verified by dkimpy and, where npm gives it, mailauth."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import mailauth
from lib import rig
from lib.life import Life, create, members
from lib.people import ZONE, Notices
from lib.rig import check, equal


def signer_zone(world):
    """The records that nec has published, for mailauth."""
    epoch = world.query("_ptt._domainkey.mailingl.st", "TXT")[0].split("e=")[1].split(";")[0]
    names = [f"{head}-{epoch}._domainkey.mailingl.st" for head in ("dkim", "dkim-ed25519", "arc")]
    return world.file("zone", "".join(f"{name}\t{world.query(name, 'TXT')[0]}\n" for name in names))


def run(world):
    for tool in ("swaks", "mutt", "msmtp"):
        if not shutil.which(tool):
            raise rig.Skip(f"needs {tool}")
    world.start_knot(test_zone=ZONE)
    sink = world.start_sink()
    create(world)
    nec, lipap = world.start_nec(ready=False), world.start_lipap(more=("--authserv-id", "mailingl.st"))
    world.wait_ready(nec)
    for kind in ("ed25519", "arc"):
        nec.wait_log(rf"event=ready\b.*{kind}", 60)
    folder = os.environ.get("PTT_MAILAUTH")
    judge = mailauth.Mailauth(folder, signer_zone(world)) if folder else None
    if not judge:
        print(f"skip {mailauth.MISSING}")
    life = Life(world, sink)
    life.whole()
    with world.case("every mail of the lists parses, says what it is, and is signed by them"):
        count = Notices(world, sink, judge).check_all()
        check(count >= 25, f"only {count} mails")
        print(f"{count} mails of lists", flush=True)
        equal(sink.faults, [], "faults")
    if judge:
        judge.close()
    with world.case("lipap stops in order, and the image has the members that are left"):
        equal(lipap.stop(), 0, "status")
        world.run("ptt", "check", world.image)
        equal(members(world, "ptt"), ["old@signed.test"], "members of ptt")
        equal(members(world, "club.fr"), ["bob+lists@signed.test", "old@signed.test"], "members of club.fr")


if __name__ == "__main__":
    if os.environ.get("PTT_OWN_NETWORK") != "1" and len(sys.argv) == 2:
        os.environ["PTT_MAILAUTH"] = mailauth.fetch(os.path.abspath(sys.argv[1])) or ""
    rig.main(run, ["nec", "lipap", "ptt", "blaze"])
