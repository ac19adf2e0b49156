#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""nec against the primaries that people run, knot, bind9 and pdns, with nsd and another knot as secondaries that lag."""
import base64
import contextlib
import os
import re
import shutil
import subprocess
import time

from lib import primaries, rig
from lib.mail import message
from lib.primaries import SERVERS, ask, serial
from lib.rig import DNS, NEC, SINK, Skip, check, equal, until
from lib.smtp import post

POINTER = "_ptt._domainkey.mailingl.st"
OURS = "someone@mailingl.st"
FAST = ["--rotation-test"]  # looks each second, at keys of the usual length of life
# pdns refuses a wrong time as it refuses a wrong key: without a signature, without its clock, and without BADTIME.
WRONG_TIME = dict.fromkeys(("knot", "bind9"), r"event=trouble .*BADTIME, its clock says (\S+), ours (\S+?)[\" ]")
WRONG_TIME["pdns"] = r"event=trouble .*(?:NOTAUTH|REFUSED)"
SHORT = ["--rotation-test", "--validity", "24s", "--overlap", "18s", "--queue-life", "10s", "--ttl", "1s"]


def said(listen=NEC):
    return post(listen, OURS, ["reader@sub1.test"], message(sender=OURS, to="reader@sub1.test"))


def selectors(epoch):
    return [f"{prefix}{epoch}._domainkey.mailingl.st" for prefix in ("dkim-", "dkim-ed25519-", "arc-")]


def pointer():
    found = ask(DNS, POINTER)
    return dict(t.strip().split("=", 1) for t in found[0].split(";")) if found and len(found) == 1 else {}


@contextlib.contextmanager
def signer(world, **options):
    """A nec that is stopped whatever comes."""
    nec = world.start_nec(destination=SINK, **options)
    try:
        yield nec
    finally:
        nec.stop()


def published(world, kind):
    with world.case(f"{kind}: three keys, and nothing signs before both secondaries show them"):
        with signer(world, more=FAST) as nec:
            for kind_of_key in ("dkim-\\d", "dkim-ed25519-", "arc-"):
                nec.wait_log(f"event=ready .*selector={kind_of_key}")
            for selector in selectors(pointer()["e"]):
                shown = [ask(server, selector) for server in SERVERS]
                check(len(shown[0]) == 1 and shown == [shown[0]] * 3, f"{selector}: {shown}")
            equal(said()[:3], "250", "reply")
    with world.case(f"{kind}: a restart changes nothing"):
        before = serial(DNS), ask(DNS, POINTER)
        with signer(world, more=FAST):
            equal((serial(DNS), ask(DNS, POINTER)), before, "serial and pointer")


def edited(world, kind):
    selector = selectors(pointer()["e"])[2]
    right = ask(DNS, selector)
    for name, fill in (("a second record", lambda m: m.add(selector + ".", 60, "TXT", '"v=DKIM1; p=AAAA"')),
                       ("another record", lambda m: m.replace(selector + ".", 60, "TXT", '"v=DKIM1; p=AAAA"')),
                       ("no record", lambda m: m.delete(selector + ".", "TXT"))):
        with world.case(f"{kind}: {name} under a live selector is put right"):
            equal(world.send_update(fill), "NOERROR", "rcode of the edit")
            until(20, "the right record, alone", lambda: ask(DNS, selector) == right)
    with world.case(f"{kind}: a pointer that is gone is put back"):
        before = ask(DNS, POINTER)
        equal(world.remove("_ptt._domainkey"), "NOERROR", "rcode")
        until(20, "the pointer", lambda: ask(DNS, POINTER) == before)
        equal(said()[:3], "250", "reply")


def library(world):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return None
    path = os.path.join(world.folder, "clock_ahead.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib", "clock_ahead.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", path, source], check=True, stdin=subprocess.DEVNULL)
    return path


def refused(world, kind):
    """On a zone without keys, where an update is needed."""
    name, _, _ = world.tsig.split(":")
    before = serial(DNS)
    wrong = {"secret": f"{name}:SHA256:{base64.b64encode(bytes(32)).decode()}",
             "name": "nobody._update.mailingl.st:SHA256:" + base64.b64encode(bytes(32)).decode()}
    for what, tsig in wrong.items():
        with world.case(f"{kind}: a TSIG key with a wrong {what}: nothing changes, 4xx, and the log says so"):
            with signer(world, ready=False, name=f"nec-{what}", tsig=tsig) as nec:
                nec.wait_log(r"event=trouble .*(NOTAUTH|BADSIG|BADKEY|REFUSED)")
                equal(said()[:3], "451", "reply")
                equal(serial(DNS), before, "serial")
    preload = library(world)
    if not preload:
        print(f"skip {kind}: a clock that is wrong: no compiler to make one")
        return
    nec = world.start("nec-ahead", world.nec_argv(destination=SINK),
                      env={"LD_PRELOAD": preload, "CLOCK_AHEAD": "3600", "ASAN_OPTIONS": "verify_asan_link_order=0"})
    nec.wait_listens(NEC)
    with world.case(f"{kind}: a clock an hour ahead: nothing changes, 4xx, and the log says so"):
        line = nec.wait_log(WRONG_TIME[kind])
        if line.groups():
            ahead = [time.strptime(line.group(i)[:19], "%Y-%m-%dT%H:%M:%S") for i in (1, 2)]
            check(3500 < time.mktime(ahead[1]) - time.mktime(ahead[0]) < 3700, line.group(0))
        equal(said()[:3], "451", "reply")
        equal(serial(DNS), before, "serial")
    nec.stop()


def killed(world, kind, primary):
    """The keys change every six seconds; the primary dies at moments when updates are on their way."""
    with world.case(f"{kind}: killed again and again while it is updated: one pointer, one record a name, and service"):
        nec = world.start_nec(destination=SINK, more=SHORT)
        for number in range(3):
            seen = len(nec.log())
            until(15, "an update", lambda: re.search(r"event=(epoch-|key-(published|emptied|removed))",
                                                     nec.log()[seen:]))
            time.sleep(0.01 * number)
            primary.kill()
            time.sleep(0.5)
            primary = primaries.start_primary(world, kind)
        epoch = int(pointer()["e"])
        until(40, "a later epoch", lambda: int(pointer().get("e", 0)) > epoch and said()[:3] == "250")
        named = pointer()
        for epoch in [named["e"], *[o.split(":")[0] for o in named.get("r", "").split(",") if o]]:
            for selector in selectors(epoch):
                check(len(ask(DNS, selector)) <= 1, f"{selector}: {ask(DNS, selector)}")
        nec.stop()
    return primary


def restored(world, primary):
    """The primary comes back from a copy of before two changes of keys: what is in use since is named and stands again."""
    home = os.path.join(world.folder, "primary-knot")
    nec = world.start_nec(destination=SINK, more=["--rotation-test", "--validity", "60s", "--overlap", "45s",
                                                  "--queue-life", "10s", "--ttl", "1s"])
    with world.case("knot: restored from a backup: lost epochs are named again, their records put back, and mail goes on"):
        primary.stop()
        shutil.copytree(home, f"{home}.backup")
        primary = primaries.start_primary(world, "knot")
        first = int(pointer()["e"])
        until(60, "two changes of keys", lambda: int(pointer().get("e", 0)) >= first + 30)
        last = int(pointer()["e"])
        primary.stop()
        shutil.rmtree(home)
        shutil.move(f"{home}.backup", home)
        primary = primaries.start_primary(world, "knot")
        until(20, "the current epoch", lambda: int(pointer().get("e", 0)) >= last)
        nec.wait_log("event=pointer-restored")
        named = pointer()
        check(str(first) in named["r"], f"{first} is not in r={named['r']}")
        until(20, "the records", lambda: all(len(ask(DNS, s) or []) == 1 for s in selectors(last)))
        until(30, "service", lambda: said()[:3] == "250")
    nec.stop()
    return primary


def one_primary(world, kind):
    try:
        primary = primaries.start_primary(world, kind)
    except Skip as e:
        print(f"skip {kind}: {e}", flush=True)
        return
    seconds = [primaries.start_nsd(world, f"-{kind}"), primaries.start_second_knot(world, f"-{kind}")]
    refused(world, kind)
    published(world, kind)
    with signer(world, more=FAST):
        edited(world, kind)
    primary = killed(world, kind, primary)
    if kind == "knot":
        primary = restored(world, primary)
    primary.stop()
    for process in seconds:
        process.stop()


def run(world):
    world.start_sink()
    for kind in ("knot", "bind9", "pdns"):
        one_primary(world, kind)


rig.main(run, ["nec"])
