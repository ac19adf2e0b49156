#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Keys that change under load, processes that start at the same moment, and restarts: one epoch, one record a name, and
every message verifies, when it arrives and when a queue lets go of it, for a resolver that caches as long as it may.

PTT_LONG: 100 starts at the same moments, 1,000 restarts, 100 changes of keys.
"""
import base64
import os
import re
import shutil
import threading
import time

from lib import rig
from lib.mail import fields, message, tags
from lib.rig import LONG, NEC, SINK, check, equal, until
from lib.smtp import Smtp, post

POINTER = "_ptt._domainkey.mailingl.st"
OURS = "someone@mailingl.st"
VALIDITY, OVERLAP, QUEUE_LIFE, TTL = 24, 18, 10, 1
SHORT = ["--rotation-test", "--validity", f"{VALIDITY}s", "--overlap", f"{OVERLAP}s", "--queue-life",
         f"{QUEUE_LIFE}s", "--ttl", f"{TTL}s"]
CHANGES = 100 if LONG else 10
RESTARTS = 1000 if LONG else 20
ROUNDS = 10 if LONG else 1  # of simultaneous starts
AT_ONCE = 10 if LONG else 5
RATE = 5  # messages a second
KINDS = ("dkim-", "dkim-ed25519-", "arc-")
RESULTS = "Authentication-Results: mailingl.st; spf=pass smtp.mailfrom=sub1.test; arc=none\r\n"


def letter():
    return message(sender=OURS, to="reader@sub1.test", more=RESULTS)


def pointer(world):
    found = world.query(POINTER, "TXT")
    check(found is not None and len(found) == 1, f"pointer {found}")
    return tags(found[0])


def records(world, epoch):
    """What stands at the selectors of an epoch."""
    return [world.query(f"{kind}{epoch}._domainkey.mailingl.st", "TXT") for kind in KINDS]


def signatures(raw):
    """{selector} of a signed message: those of DKIM and of the ARC set."""
    return {tags(v)["s"] for n, v in fields(raw) if n in ("dkim-signature", "arc-message-signature", "arc-seal")}


def clear(world):
    """A zone without keys."""
    world.knot.stop()
    for name in ("journal", "timers"):
        shutil.rmtree(os.path.join(world.folder, "knot", name), ignore_errors=True)
    world.start_knot()
    equal(world.query(POINTER, "TXT"), [], "pointer of an empty zone")


# starts

def start_together(world, sink, round_number):
    with world.case(f"{AT_ONCE} processes start at the same moment on an empty zone: one epoch, all sign with it "
                    f"(round {round_number + 1})"):
        listens = [f"127.0.1.{n + 1}" for n in range(AT_ONCE)]
        all_of_them = [world.start(f"nec-{n}", world.nec_argv(listen=at, destination=SINK))
                       for n, at in enumerate(listens)]
        try:
            for nec in all_of_them:
                for kind in ("dkim-\\d", "dkim-ed25519-", "arc-"):
                    nec.wait_log(f"event=ready .*selector={kind}", 90)
            epoch = pointer(world)["e"]
            equal([len(r) for r in records(world, epoch)], [1, 1, 1], "records")
            before = len(sink.taken())
            for at in listens:
                equal(post(at, OURS, ["reader@sub1.test"], letter())[:3], "250", "reply")
            seen = {s for c in sink.taken()[before:] for s in signatures(c.bytes())}
            equal(seen, {f"{kind}{epoch}" for kind in KINDS}, "selectors in signatures")
            created = sum(len(re.findall("event=pointer-created", nec.log())) for nec in all_of_them)
            equal(created, 1, "pointers created")
        finally:
            for nec in all_of_them:
                nec.stop()


def restarts(world, sink):
    nec = world.start_nec(destination=SINK)
    nec.wait_log("event=ready .*selector=arc-")
    before = pointer(world), records(world, pointer(world)["e"]), world.serial()
    with world.case(f"{RESTARTS} restarts: the same keys, and a zone that nobody touched"):
        for number in range(RESTARTS):
            nec.stop() if number % 2 else nec.kill()
            nec = world.start_nec(destination=SINK)
        nec.wait_log("event=ready .*selector=arc-")
        equal((pointer(world), records(world, pointer(world)["e"]), world.serial()), before, "the zone")
        count = len(sink.taken())
        equal(post(NEC, OURS, ["reader@sub1.test"], letter())[:3], "250", "reply")
        equal(signatures(sink.taken()[count].bytes()), {f"{kind}{before[0]['e']}" for kind in KINDS}, "signatures")
    nec.stop()


# changes of keys under load

class Resolver:
    """Asks the primary, and keeps each answer for its time to live, none included."""

    def __init__(self, world):
        self.world, self.kept = world, {}

    def __call__(self, name, timeout=5):
        name = (name.decode() if isinstance(name, bytes) else name).rstrip(".").lower()
        until_time, found = self.kept.get(name, (0, None))
        if time.monotonic() >= until_time:
            found = self.world.query(name, "TXT")
            self.kept[name] = time.monotonic() + TTL, found
        return found[0].encode() if found and len(found) == 1 else None


class Judge(threading.Thread):
    """Verifies every copy when it arrives and once more after its life in a queue: RSA, Ed25519 and the ARC set."""

    def __init__(self, world, sink):
        super().__init__(daemon=True)
        self.sink, self.resolver, self.skipped = sink, Resolver(world), len(sink.taken())
        self.first, self.later, self.faults, self.verified, self.ending = 0, 0, [], 0, False

    def copies(self):
        return self.sink.taken()[self.skipped:]

    def run(self):
        while not (self.ending and self.later == len(self.copies())):
            copies = self.copies()
            now = time.monotonic()
            if self.later < self.first and now - copies[self.later].at >= QUEUE_LIFE - 1:
                self.judge(copies[self.later], "later")
                self.later += 1
            elif self.first < len(copies):
                self.judge(copies[self.first], "at once")
                self.first += 1
            else:
                time.sleep(0.02)

    def judge(self, copy, when):
        import dkim
        raw = copy.bytes()
        try:
            seen = signatures(raw)
            verifier = dkim.DKIM(raw)
            good = [verifier.verify(idx=i, dnsfunc=self.resolver) for i in range(2)]
            status, results, why = dkim.ARC(raw).verify(dnsfunc=self.resolver)
            if good != [True, True] or status != b"pass":
                self.faults.append(f"{when}: DKIM {good}, ARC {status} {why}, {sorted(seen)}")
        except Exception as e:
            self.faults.append(f"{when}: {e!r}")
        self.verified += 1


def send(listen, faults, ending):
    """One of two senders, each at half of the rate, on one connection."""
    due = time.monotonic()
    with Smtp(listen) as s:
        s.command("EHLO poster.author.test")
        while not ending.is_set():
            said = s.post(OURS, ["reader@sub1.test"], letter())
            if said[:3] != "250":
                faults.append(said)
            due += 2 / RATE
            time.sleep(max(0, due - time.monotonic()))


def watch(world, epochs, faults):
    """What the zone shows while keys change: the pointer's epochs in their order, and never two records at a name."""
    found = world.query(POINTER, "TXT")
    if not found or len(found) != 1:
        faults.append(f"pointer {found}")
        return
    named = tags(found[0])
    epoch = int(named["e"])
    if epochs and epoch < epochs[-1]:
        faults.append(f"epoch {epoch} after {epochs[-1]}")
    if not epochs or epoch > epochs[-1]:
        epochs.append(epoch)
    for old in named.get("r", "").split(","):
        if old and any(r is not None and len(r) > 1 for r in records(world, old.split(":")[0])):
            faults.append(f"two records of {old}")


def rotation(world, sink):
    listens = [NEC, "127.0.1.1"]
    signers = [world.start(f"nec-r{n}", world.nec_argv(listen=at, destination=SINK, more=SHORT))
               for n, at in enumerate(listens)]
    for nec in signers:
        nec.wait_log("event=rotation-test")
        for kind in ("dkim-\\d", "dkim-ed25519-", "arc-"):
            nec.wait_log(f"event=ready .*selector={kind}", 60)
    ending, refused, trouble, epochs = threading.Event(), [], [], []
    judge = Judge(world, sink)
    judge.start()
    senders = [threading.Thread(target=send, args=(at, refused, ending), daemon=True) for at in listens]
    for sender in senders:
        sender.start()
    begin = time.monotonic()
    while len(epochs) <= CHANGES and time.monotonic() - begin < 3 * CHANGES * (VALIDITY - OVERLAP):
        watch(world, epochs, trouble)
        time.sleep(0.3)
    ending.set()
    took = time.monotonic() - begin
    for sender in senders:
        sender.join(30)
    judge.ending = True
    judge.join(QUEUE_LIFE + 60)
    count = len(judge.copies())
    print(f"   {count} messages in {took:.0f} s, {len(epochs) - 1} changes, {judge.verified} verifications", flush=True)
    with world.case(f"{CHANGES} changes of keys in their time"):
        check(len(epochs) > CHANGES, f"{len(epochs) - 1} changes in {took:.0f} s")
        check(took < 2 * CHANGES * (VALIDITY - OVERLAP), f"{took:.0f} s")
        equal(trouble, [], "trouble in the zone")
    with world.case("no message is refused while keys change"):
        equal(refused[:5], [], f"refusals ({len(refused)})")
        check(count > took * RATE * 0.6, f"only {count} messages in {took:.0f} s")
    with world.case("every message verifies, when it arrives and after its life in a queue"):
        equal(judge.verified, 2 * count, "verifications")
        equal(judge.faults[:5], [], f"faults ({len(judge.faults)})")
    with world.case("records of old keys are emptied, then gone"):
        first = epochs[0]
        until(60, "the first epoch is forgotten", lambda: str(first) not in world.query(POINTER, "TXT")[0])
        equal(records(world, first), [[], [], []], "its records")
        log = "".join(nec.log() for nec in signers)
        for kind in KINDS:
            for event in ("key-emptied", "key-removed"):
                check(f"event={event} domain=mailingl.st selector={kind}{first}\n" in log, f"{event} of {kind}{first}")
    for nec in signers:
        equal(nec.stop(), 0, "exit status")


# other passwords

def take_overs(world):
    """--replace and --revoke, as an operator uses them."""
    other = base64.b64encode(bytes(range(32))).decode()
    nec = world.start_nec(destination=SINK)
    nec.wait_log("event=ready .*selector=arc-")
    before = pointer(world)
    old_records = records(world, before["e"])
    with world.case("--replace: a new epoch, and the old records stand"):
        second = world.start_nec(name="nec-replaces", listen="127.0.1.1", destination=SINK, password=other,
                                 more=["--replace"])
        after = pointer(world)
        check(after["id"] != before["id"] and int(after["e"]) > int(before["e"]), f"{before} {after}")
        check(after["r"].startswith(before["e"] + ":"), f"r={after['r']}")
        equal(records(world, before["e"]), old_records, "records")
        second.stop()
        nec.stop()
    with world.case("--revoke: the pointer moves, every older record is empty, exit status 0"):
        third = base64.b64encode(bytes(range(1, 33))).decode()
        revoke = world.start("nec-revokes", world.nec_argv(listen="127.0.1.2", destination=SINK, password=third,
                                                           more=["--revoke"]))
        equal(revoke.popen.wait(60), 0, "exit status")
        check("event=revoked domain=mailingl.st" in revoke.log(), revoke.log())
        last = pointer(world)
        check(last["id"] not in (before["id"], after["id"]), f"{last}")
        for epoch in (before["e"], after["e"]):
            for found in records(world, epoch):
                check(found == [] or (len(found) == 1 and tags(found[0])["p"] == ""), f"{epoch}: {found}")
    with world.case("--revoke with the password of before is refused, --same-password does it"):
        argv = dict(listen="127.0.1.2", destination=SINK, password=third)
        refused = world.start("nec-refused", world.nec_argv(**argv, more=["--revoke"]))
        equal(refused.popen.wait(60), 1, "exit status")
        check("--same-password" in refused.log(), refused.log())
        equal(pointer(world), last, "pointer")
        same = world.start("nec-same", world.nec_argv(**argv, more=["--revoke", "--same-password"]))
        equal(same.popen.wait(60), 0, "exit status")
        check(int(pointer(world)["e"]) > int(last["e"]) and pointer(world)["id"] == last["id"], "pointer")


def run(world):
    sink = world.start_sink()
    world.start_knot()
    for number in range(ROUNDS):
        clear(world)
        start_together(world, sink, number)
    restarts(world, sink)
    take_overs(world)
    clear(world)
    rotation(world, sink)


rig.main(run, ["nec"])
