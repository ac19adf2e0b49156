#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Random messages with one to three signatures by us, dkimpy, Mail::DKIM and libopendkim, verified by all of them: as they
are, and with some damage that a canonicalization may forgive or not. Every verdict must be the one that
tests/lib/dkim_canon.py has from the RFC; where somebody sees it otherwise, a class below says who, when and what
(docs/rfc.md says why), and that must hold, too. Usage: dkim.py BUILD_DIR [MESSAGES [SEED]]
KEEP=DIR in the environment keeps the messages of failed cases there."""
import collections
import os
import random
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != HERE]  # or `import dkim` finds this file
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import dkim_canon
import dkim_cases as lib
import dkim_peers as peers
import mail_damage
from random_mail import DOMAIN, make_message

CANONS = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"]
DAMAGES = 3  # of each message

# One signature of one message as it came to a verifier.
Case = collections.namedtuple("Case", "peer how index before after damage message")


def is_good(case):
    """Does it pass but for t=s?"""
    return dkim_canon.forgives(case.before, case.after) and case.how.life_s >= 0


def is_strict(case):
    return case.how.selector == "strict" and "@sub." in case.how.identity


def by_rfc(case):
    return is_good(case) and not is_strict(case)


def had(case, header=bytes, body=bytes):
    """Would it pass, had the message come with its header section and its body made other by these?"""
    fields, text = dkim_canon.split(case.message)
    changed = header(b"".join(fields)) + b"\r\n" + body(text)
    case = case._replace(after=dkim_canon.signatures(changed)[case.index])
    return by_rfc(case) or (case.peer.name == "dkimpy" and is_good(case))


def crlf(text):
    return re.sub(rb"\r?\n", b"\r\n", text)


def lone(text):
    """Does a line end in LF alone?"""
    return re.search(rb"(?<!\r)\n", text)


def header_of(case):
    return b"".join(dkim_canon.split(case.message)[0])


def body_of(case):
    return dkim_canon.split(case.message)[1]


def froms(case):
    return [field for field in dkim_canon.split(case.message)[0] if dkim_canon.name_of(field) == b"from"]


TAIL = rb"(\A|\r\n)([\r\n]*)\Z"  # behind a whole line


def tail(case):
    return (re.search(TAIL, body_of(case)) or [b""] * 3)[2]


def is_cut(case):
    """Does the body's last line lack its CRLF?"""
    return body_of(case) and not body_of(case).endswith(b"\r\n")


def has_form(case, part, form):
    return case.after.tags.get("c", "simple/simple").split("/")[part] == form


def never(_case):
    return False


# Where a peer sees it otherwise than the RFC: name -> (who, when, whether it passes then). The first that fits counts.
CLASSES = {
    "does not know Ed25519": (
        "Mail::DKIM", lambda case: case.how.algorithm not in case.peer.knows, never),
    "no field with a space before the colon": (
        "dkimpy", lambda case: case.damage == "a space before the colon", never),
    "no signature with a space before the colon": (
        "Mail::DKIM", lambda case: b" :" in case.after.field[:16], never),
    "every From is covered": (
        "dkimpy", lambda case: len(froms(case)) > case.after.tags["h"].lower().split(":").count("from"), never),
    "the first From must have an address": (
        "opendkim", lambda case: not froms(case) or b"@" not in froms(case)[0], never),
    "LF is CRLF": (
        "dkimpy", lambda case: lone(case.message), lambda case: had(case, crlf, crlf)),
    "LF in b= is white space": (
        "Mail::DKIM opendkim", lambda case: lone(re.split(rb"\bb=", case.after.field)[-1]), lambda case: had(case, crlf)),
    "LF in a relaxed header is white space": (
        "opendkim", lambda case: lone(header_of(case)) and has_form(case, 0, "relaxed"), lambda case: had(case, crlf)),
    "CR and LF at the end of a simple body are empty lines": (
        "opendkim", lambda case: has_form(case, 1, "simple") and re.search(rb"(?<!\r)\n|\r(?!\n)", tail(case)),
        lambda case: had(case, body=lambda body: re.sub(TAIL, rb"\1", body, count=1))),
    "no CRLF is added to a simple body": (
        "Mail::DKIM", lambda case: is_cut(case) and has_form(case, 1, "simple") and
        len(body_of(case)) < int(case.after.tags.get("l", len(case.message))), never),
    "spaces stay at an end without CRLF": (
        "dkimpy", lambda case: re.search(rb"[ \t]\Z", body_of(case)) and has_form(case, 1, "relaxed"), never),
    "l=0 is no l=": (
        "Mail::DKIM", lambda case: case.after.tags.get("l") == "0" and by_rfc(case),
        lambda case: case.before.whole == case.after.whole),
    "t=s is nothing": (
        "dkimpy", is_strict, is_good),
    "the whole body must be covered": (
        "ours", lambda case: by_rfc(case) and len(case.after.body) < len(case.after.whole), never),
}


def expected(case):
    """Whether this peer lets it pass, and the class that says so, or None."""
    for name, (who, when, passes) in CLASSES.items():
        if case.peer.name in who.split() and when(case):
            return passes(case), name
    return by_rfc(case), None


def random_how(rng, peer):
    algorithm, canon = rng.choice([a for a in ("rsa", "rsa", "ed25519") if a in peer.knows]), rng.choice(CANONS)
    if peer.name == "opendkim" and algorithm == "ed25519":
        canon = "relaxed/" + canon.split("/")[1]  # its own verifier refuses what it signs with a simple header
    identity = rng.choice(["", f"joe@{DOMAIN}", f"joe@sub.{DOMAIN}"]) if peer.can_identify else ""
    return peers.How(algorithm, canon, rng.choice(["rsa", "rsa", "strict"]) if algorithm == "rsa" else algorithm,
                     identity, peer.can_limit and rng.random() < 0.3,
                     rng.choice(peer.lives_s))


def signed_message(rng, who):
    """A message, and how each of its signatures was made, from the top; `who` signs in this order."""
    message, hows = make_message(rng), []
    for peer in who:
        how = random_how(rng, peer)
        hows.insert(0, (peer, how))
        message = peer.sign(message, how) + message
    return message, hows


class Bench:
    def __init__(self, report, all_peers, seed):
        self.report, self.peers, self.seed = report, all_peers, seed
        self.seen = collections.Counter()  # verdicts by class, or by what the RFC says

    def wrong(self, message, hows, before, damage):
        """What a peer says otherwise than expected, one line each."""
        after = dkim_canon.signatures(message)
        asked = [peer for peer in self.peers if peer.takes(message)]
        for peer in asked:
            peer.ask(message)
        for peer in asked:
            words = peer.verdict(message)
            if len(words) != len(hows):
                yield f"{peer.name} sees {len(words)} signatures of {len(hows)}: {words}"
                continue
            for index, (signer, how) in enumerate(hows):
                case, word = Case(peer, how, index, before[index], after[index], damage, message), words[index]
                passes, name = expected(case)
                self.seen[name or ("RFC: pass" if passes else "RFC: none")] += 1
                if (word == "pass") != passes:
                    yield (f"{peer.name} says {word} to {signer.name}'s signature {how}, "
                           f"expected {'pass' if passes else 'none'}{f' ({name})' if name else ''}")

    def round(self, number):
        rng = random.Random(self.seed * 100003 + number)
        who = [rng.choice(self.peers) for _ in range(rng.choice([1, 1, 2, 3]))]
        message, hows = signed_message(rng, who)
        before = dkim_canon.signatures(message)
        self.judge(f"{number} by {' '.join(p.name for p in who)}, {len(message)} bytes", message, hows, before, "none")
        names = list(mail_damage.ALL)
        for turn in range(DAMAGES):
            name = names[(number * DAMAGES + turn) % len(names)]
            broken = mail_damage.damaged(rng, message, name)
            if broken:
                self.judge(f"{number}, {name}", broken, hows, before, name)

    def judge(self, label, message, hows, before, damage):
        def run():
            wrong = list(self.wrong(message, hows, before, damage))
            if wrong and os.environ.get("KEEP"):
                with open(os.path.join(os.environ["KEEP"], label.replace(" ", "_").replace(",", "")[:60]), "wb") as out:
                    out.write(message)
            return "; ".join(wrong)
        self.report.case(f"dkim {label}", run)


def present(build):
    """The peers' classes that can be had; the others are named."""
    found = [peers.Ours]
    for kind in (peers.Dkimpy, peers.Mail_DKIM, peers.Opendkim):
        lacks = kind.missing(build) if kind is peers.Opendkim else kind.missing()
        if lacks:
            print(f"skip interop of DKIM with {kind.name}: {lacks} is missing")
        else:
            found.append(kind)
    return found


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 6376
    kinds = present(sys.argv[1])
    if len(kinds) == 1:
        return 77
    report = lib.Report()
    with tempfile.TemporaryDirectory() as folder:
        keys = peers.Keys(sys.argv[1], folder)
        bench = Bench(report, [kind(keys) for kind in kinds], seed)
        for number in range(rounds):
            bench.round(number)
        for peer in bench.peers:
            peer.close()
    for name, count in bench.seen.most_common():
        print(f"{count:6} {name}")
    report.case("dkim: some verdicts of each kind", lambda: None if bench.seen["RFC: pass"] > rounds < bench.seen["RFC: none"]
                else "too few")
    return report.status()


sys.exit(main())
