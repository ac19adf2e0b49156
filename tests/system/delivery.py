#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""lipap and nec with receivers that refuse, stall, drop and die: each member's fate is its own, and is recorded."""
import json
import re

from lib import rig
from lib.mail import AUTHOR, LIST, fields, message
from lib.rig import LIPAP, POSTER, SINK, TEST_ZONE, check, equal, until
from lib.sink import DROP
from lib.smtp import post

GOOD = ["good1@sub1.test", "good2@sub2.test"]
ZONE = TEST_ZONE + """\
twomx 300 MX 5 dead.sink
twomx 300 MX 10 mx.sink
dead.sink 300 A 127.0.0.98
plain 300 A 127.0.0.10
null 300 MX 0 .
down 300 MX 10 dead.sink
busy 300 MX 10 busy.sink
busy.sink 300 A 127.0.0.11
busy 300 MX 20 mx.sink
"""
REFUSED, LATER, DROPPED, SLOW = "refused@sub3.test", "later@sub4.test", "dropped@sub5.test", "slow@sub6.test"
TWO_MX, IMPLICIT, NULL_MX, ALL_DOWN, BUSY = ("m@twomx.test", "m@plain.test", "m@null.test", "m@down.test",
                                             "m@busy.test")
OTHER_LIST, UNASKED = "other@mailingl.st", "m@sub99.test"
ARRIVE = GOOD + [AUTHOR, SLOW, TWO_MX, IMPLICIT, BUSY]
MEMBERS = ARRIVE + [REFUSED, LATER, DROPPED, NULL_MX, ALL_DOWN]


def send(text, to=LIST):
    raw = message(text.encode() + b"\r\n", subject=text, to=to)
    said = post(LIPAP, AUTHOR, [to], raw, POSTER)
    check(said[:3] == "250", f"not accepted: {said}")
    return raw


def got(sink, raw, member):
    return [c for c in sink.taken(member) if c.bytes().endswith(raw)]


def show(world):
    """What `ptt show --json` knows; only while lipap is stopped."""
    return json.loads(world.run("ptt", "show", world.image, "--json"))


def known(world):
    """({address: failure}, {address: what waits}), while lipap is stopped."""
    shown = show(world)
    return ({f["address"]: f for f in shown["failures"]},
            {w["address"]: w for message in shown["queue"] for w in message["waiting"]})


def refusals(world, sink, state):
    raw = send("first")
    with world.case("who can be reached is reached, whatever the others do"):
        for member in ARRIVE:
            until(30, f"a copy for {member}", lambda: got(sink, raw, member))
        for member in ARRIVE:
            equal(len(got(sink, raw, member)), 1, f"copies for {member}")
        for member in (REFUSED, LATER, NULL_MX, ALL_DOWN):
            equal(got(sink, raw, member), [], f"copies for {member}")
    with world.case("a dead server of a domain is passed over for the next, and so is one that says 421"):
        equal([c.to for c in got(sink, raw, TWO_MX) + got(sink, raw, BUSY)], [SINK, SINK], "servers")
    with world.case("a permanent refusal is recorded for that member with its reply"):
        for event, members in (("failed", (REFUSED, NULL_MX)), ("deferred", (LATER, DROPPED, ALL_DOWN))):
            for member in members:
                state["lipap"].wait_log(rf"event={event} .*to={member} ", 60)
        equal(state["lipap"].stop(), 0, "exit status")
        failures, waiting = known(world)
        equal((failures[REFUSED]["code"], failures[REFUSED]["list"]), (550, "ptt"), "code and list")
        check("no such person" in failures[REFUSED]["reply"], f"reply {failures[REFUSED]['reply']!r}")
    with world.case("a domain that takes no mail (null MX) is recorded as such"):
        check(NULL_MX in failures and failures[NULL_MX]["reply"], f"failures: {failures}")
    with world.case("nobody else has failed"):
        equal(set(failures), {REFUSED, NULL_MX}, "failed")
    with world.case("a passing refusal waits with its reply, and so does a domain without a living server"):
        equal(set(waiting), {LATER, DROPPED, ALL_DOWN}, "waiting")
        check("come back later" in waiting[LATER]["reply"], f"reply {waiting[LATER]['reply']!r}")
        check(waiting[LATER]["attempts"] >= 1 and waiting[ALL_DOWN]["reply"], f"waiting: {waiting}")
    with world.case("ptt why tells the path of the post: verdicts, rule, proof, and the last reply for each member"):
        (told,) = json.loads(world.run("ptt", "why", world.image, dict(fields(raw))["message-id"], "--json"))
        trace = dict(line.split(": ", 1) for line in told["trace"])
        equal(told["state"], "being delivered", "state")
        check(AUTHOR in trace["author"] and trace["spf"].startswith("pass") and "subscribers" in trace["rule"]
              and trace["from"], f"trace: {trace}")
        last = {r["address"]: r for r in told["results"]}
        equal({a for a, r in last.items() if r["delivered"]}, set(ARRIVE), "delivered")
        equal(last[REFUSED]["code"], 550, "refused")
        equal({w["address"] for w in told["waiting"]}, set(waiting), "waiting")
    with world.case("a reply is told once, with its code and all of its lines, on one line"):
        path = world.run("ptt", "why", world.image, dict(fields(raw))["message-id"]).decode()
        said = "550 5.1.1 no such person, nor any like it"
        check(f" not delivered {REFUSED}: {said}\n" in path, path)
        check(re.search(rf" delivered {GOOD[0]}: 250 (?!250)", path), path)
        check(f'"{said}"\n' in world.run("ptt", "bounces", world.image).decode(), "bounces")
        check("\n" in failures[REFUSED]["reply"], "JSON has the lines as they came")
    return raw


def later(world, sink, state, raw):
    with world.case("what waits survives a restart and arrives when it is taken, once"):
        state["answers"].clear()
        state["lipap"] = world.start_lipap(state["options"])
        for member in (LATER, DROPPED):
            until(60, f"a copy for {member}", lambda: got(sink, raw, member))
        for member in (LATER, DROPPED):
            equal(len(got(sink, raw, member)), 1, f"copies for {member}")
        equal(got(sink, raw, REFUSED), [], f"copies for {REFUSED}, who was refused for good")


def signer_away(world, sink, state):
    with world.case("signer away: posts are taken, wait, and go out once it is back"):
        state["nec"].kill()
        posts = [send(f"without signer {n}") for n in range(3)]
        before = len(sink.taken())
        equal(sink.wait(before + 1, 1), before, "copies without a signer")
        state["nec"] = world.start_nec()
        for raw in posts:
            for member in GOOD:
                until(60, f"a copy for {member}", lambda: got(sink, raw, member))


def resolver_away(world, sink, state):
    with world.case("resolver away: nothing is lost or refused for good"):
        world.knot.stop()
        raw = send("without resolver", OTHER_LIST)  # its member's domain was never asked for
        before = len(sink.taken())
        equal(sink.wait(before + 1, 1), before, "copies without a resolver")
        world.start_knot(test_zone=ZONE)
        until(90, f"a copy for {UNASKED}", lambda: got(sink, raw, UNASKED))


def run(world):
    world.start_knot(test_zone=ZONE)
    answers = {("rcpt", REFUSED): "550-5.1.1 no such person,\r\n550 5.1.1 nor any like it",
               ("rcpt", LATER): "451 4.2.1 come back later",
               ("dot", DROPPED): DROP, ("dot", SLOW): (3, None)}

    def policy(kind, to, text, _conn):
        if to == "127.0.0.11":
            return "421 4.3.2 too busy" if kind == "open" else None
        return answers.get((kind, text))

    sink = world.start_sink([(SINK, 25), ("127.0.0.11", 25)], policy)
    world.create(MEMBERS)
    world.create([UNASKED], name="other", settings=["--posting", "open", "--from", "keep"])
    state = {"answers": answers, "options": ["--retry", "2s"], "nec": world.start_nec()}
    state["lipap"] = world.start_lipap(state["options"])
    raw = refusals(world, sink, state)
    later(world, sink, state, raw)
    signer_away(world, sink, state)
    resolver_away(world, sink, state)
    with world.case("nobody got anything twice, and no line was malformed"):
        equal(sink.faults, [], "faults")
        pairs = [(c.recipients[0], dict(fields(c.bytes()))["message-id"]) for c in sink.taken()]
        twice = {p for p in pairs if pairs.count(p) > 1}
        equal(twice, set(), "pairs of member and message")


rig.main(run, ["nec", "lipap", "ptt"])
