# SPDX-License-Identifier: ISC
"""The whole life of a list by mail: people join, are let in, post, are held, decide, set, ask and leave. For the process and for
guests alike: what is needed of a world is a sink and people."""
import re

from lib.people import Person, text_of
from lib.rig import check, equal, until

PTT, HELD, CLUB = "ptt@mailingl.st", "ptt-held@mailingl.st", "club.fr@mailingl.st"
MODERATORS = ("mod@signed.test", "second@home.test")


def create(world):
    """Three lists, and members from before."""
    world.run("ptt", "create", world.image, "--size", "64M")
    for name, more in (("ptt", ()), ("ptt-held", ("--posting", "moderated", "--subscription", "confirm")),
                       ("club.fr", ("--subscription", "open", "--language", "fr"))):
        world.run("ptt", "add", world.image, "--domain", "mailingl.st", name, *[
            word for m in MODERATORS for word in ("--moderator", m)], "--subscriber", "old@signed.test", *more)


class Life:
    def __init__(self, world, sink):
        self.world, self.sink = world, sink
        self.mod, self.second = (Person(world, sink, a, n) for a, n in zip(MODERATORS, ("Modérateur", "Second")))
        self.ann = Person(world, sink, "Ann.Example@home.test", "Ann (the first), \"A.\" Example")
        self.bob = Person(world, sink, "bob+lists@signed.test", "Bob")
        self.old = Person(world, sink, "old@signed.test", "Old")

    def case(self, name):
        return self.world.case(name)

    def copies(self, raw_text):
        return [c for c in self.sink.taken() if raw_text in c.bytes().split(b"\r\n\r\n", 1)[1]
                and b"\r\nAuto-Submitted:" not in c.bytes().split(b"\r\n\r\n", 1)[0]]

    def recipients(self, raw_text):
        return sorted(r for c in self.copies(raw_text) for r in c.recipients)

    def come(self, raw_text, people, what):
        wanted = sorted(p.address for p in people)
        until(30, f"{what} at {wanted}", lambda: self.recipients(raw_text) == wanted)

    # joining

    def join(self):
        with self.case("mutt asks to join; a confirmation comes that has nothing of what was written"):
            self.ann.mutt("ptt-subscribe@mailingl.st", "Please, Ann asks", "Let me in, says Ann.\n")
            asked = self.ann.notice("a confirmation", PTT)
            check("the first" not in asked.as_string() and "Let me in" not in asked.as_string() and
                  "Ann asks" not in asked.as_string(), "words of whoever asked")
        with self.case("a plain reply confirms; both moderators are asked"):
            self.ann.reply(asked)
            waits = self.mod.notice("who wants to join", self.ann.address, "-accept-")
            self.second.notice("who wants to join", self.ann.address, "-reject-")
        with self.case("a link accepts; the new member is welcomed"):
            self.mod.press(waits, "accept")
            welcome = self.ann.notice("a welcome", PTT)
            check("ptt-unsubscribe@mailingl.st" in welcome.as_string(), "how to leave")
        with self.case("the other moderator comes too late, and hears so"):
            self.second.press(waits, "reject")
            self.second.notice("it was decided")
        with self.case("the same link of a confirmation is used up; an invented one is refused"):
            to = asked["Reply-To"].addresses[0].addr_spec
            check("550" in self.ann.send(to, self.ann.compose(to, "x", ""), status=1), "not 550")
            to = re.sub(r"(confirm-).{24}", r"\1" + "a" * 24, to)
            self.ann.send(to, self.ann.compose(to, "x", ""), status=1)

    def join_others(self):
        with self.case("an open list, in French: at once, with a welcome"):
            self.bob.send("club.fr-subscribe@mailingl.st", self.bob.compose("club.fr-subscribe@mailingl.st", "x", ""))
            welcome = self.bob.notice("a welcome", CLUB)
            check(re.search("[éèàê]", text_of(welcome)), f"not French: {text_of(welcome)!r}")
        with self.case("a list that asks for a confirmation alone"):
            self.bob.send("ptt-held-subscribe@mailingl.st", self.bob.compose("ptt-held-subscribe@mailingl.st", "x", ""))
            self.bob.press(self.bob.notice("a confirmation", HELD), "confirm")
            self.bob.notice("a welcome", HELD)
        with self.case("somebody in another's name is refused, and the other hears nothing"):
            before = len(self.ann.mails())
            forged = self.ann.compose("ptt-unsubscribe@mailingl.st", "x", "")
            self.bob.signs = False
            said = self.bob.send("ptt-unsubscribe@mailingl.st", forged, status=1)
            self.bob.signs = True
            check("550" in said, said)
            equal(len(self.ann.mails()), before, "mails of the victim")

    # posting

    def post(self):
        with self.case("a post by mutt: DMARC would fail for its author, so the list stands for her"):
            self.ann.mutt(PTT, "Hello from mutt", "Salut à tous, says Ann.\n")
            self.come(b"says Ann.", [self.ann, self.old], "the post")
            mail = self.old.next("the post", lambda m: "Hello from mutt" in str(m["Subject"]))
            equal(mail["From"].addresses[0].addr_spec, PTT, "From")
            check("Example" in mail["From"].addresses[0].display_name, f"From: {mail['From']}")
            equal(mail["Reply-To"].addresses[0].addr_spec, self.ann.address, "Reply-To")
        with self.case("a signed post goes out as it came, in her own name"):
            raw = self.old.compose(PTT, "Signed", "Signed by Old.\n")
            self.old.send(PTT, raw)
            self.come(b"Signed by Old.", [self.ann, self.old], "the post")
            mail = self.ann.next("the post", lambda m: m["Subject"] == "Signed")
            equal(mail["From"].addresses[0].addr_spec, self.old.address, "From")
            equal(mail.copy.bytes().split(b"\r\n\r\n", 1)[1], raw.split(b"\r\n\r\n", 1)[1], "the body")
            equal(mail["List-Id"].strip(), "<ptt.mailingl.st>", "List-Id")
            equal(mail["List-Unsubscribe"], "<mailto:ptt-unsubscribe@mailingl.st>", "List-Unsubscribe")

    def hold(self):
        with self.case("a post to a moderated list waits; the notice has it with it, octet for octet"):
            raw = self.bob.compose(HELD, "May I?", "Bob would like to say.\n")
            self.bob.send(HELD, raw)
            waits = self.mod.notice("a post that waits", self.bob.address)
            attached = [p for p in waits.walk() if p.get_content_type() == "message/rfc822"]
            equal(len(attached), 1, "attached messages")
            check(raw in waits.copy.bytes(), "not octet for octet")
            equal(self.copies(b"would like to say"), [], "copies")
        with self.case("accepted by the second moderator: it goes out, once"):
            self.second.press(self.second.notice("a post that waits", self.bob.address), "accept")
            self.come(b"Bob would like to say.", [self.bob, self.old], "the post")
            self.mod.press(waits, "accept")
            self.mod.notice("it was decided")
            equal(self.recipients(b"Bob would like to say."), sorted([self.bob.address, self.old.address]), "copies")
        with self.case("rejected: its author hears of it, nobody else ever"):
            self.ann.mutt(HELD, "Buy things", "Buy my things, friends.\n")
            self.mod.press(self.mod.notice("a post that waits", self.ann.address), "reject")
            self.ann.notice("it was rejected", HELD)
            equal(self.copies(b"Buy my things"), [], "copies")

    # settings and commands

    def settings(self):
        with self.case("settings come with their meaning; a changed line in a reply changes one"):
            self.mod.send("ptt-settings@mailingl.st", self.mod.compose("ptt-settings@mailingl.st", "x", ""))
            shown = self.mod.notice("the settings", "posting: subscribers", "subscription: moderated")
            self.second.read = len(self.second.mails())
            self.mod.reply(shown, "subject-prefix: [ptt]\nposting: whoever\n")
            answer = self.mod.notice("what became of it", "posting: whoever")
            check("[ptt]" in text_of(answer), text_of(answer))
            self.second.notice("a change", "subject-prefix", "[ptt]")
        with self.case("the prefix stands in the subject, and the list in From, for the signature broke"):
            self.old.send(PTT, self.old.compose(PTT, "Prefixed", "A prefix before it.\n"))
            self.come(b"A prefix before it.", [self.ann, self.old], "the post")
            mail = self.ann.next("the post", lambda m: "Prefixed" in str(m["Subject"]))
            equal(str(mail["Subject"]), "[ptt] Prefixed", "Subject")
            equal(mail["From"].addresses[0].addr_spec, PTT, "From")
        with self.case("without a signature a moderator has to confirm"):
            self.second.mutt("ptt-settings@mailingl.st", "x", "subject-prefix: none\n")
            asked = self.second.notice("a confirmation", "subject-prefix")
            self.second.reply(asked)
            self.mod.notice("a change", "subject-prefix", "none")

    def commands(self):
        with self.case("several commands in one mail have one answer"):
            before = len(self.ann.mails())
            self.ann.mutt("ptt-request@mailingl.st", "commands", "frobnicate\nremove old@signed.test\nunsubscribe old@signed.test\n"
                          "\nnot a command\n")
            answer = self.ann.notice("an answer", "frobnicate", "remove old@signed.test")
            check("not a command" not in text_of(answer), text_of(answer))
            equal(len(self.ann.mails()), before + 1, "mails")
        with self.case("who: the members, for a member alone"):
            self.ann.mutt("ptt-subscribers@mailingl.st", "x", "")
            shown = text_of(self.ann.notice("the members", self.ann.address))
            check("old@signed.test" in shown, shown)
            self.bob.send("ptt-subscribers@mailingl.st", self.bob.compose("ptt-subscribers@mailingl.st", "x", ""), status=1)
        with self.case("options: no mail for a while"):
            self.ann.mutt("ptt-options@mailingl.st", "x", "nomail: on\n")
            self.ann.notice("the options", "nomail")
            self.old.send(PTT, self.old.compose(PTT, "Quiet", "Not for Ann now.\n"))
            self.come(b"Not for Ann now.", [self.old], "the post")
        with self.case("help, and mail to the owner"):
            self.bob.send("ptt-help@mailingl.st", self.bob.compose("ptt-help@mailingl.st", "x", ""))
            self.bob.notice("help", "ptt-subscribe@mailingl.st")
            self.bob.send("ptt-owner@mailingl.st", self.bob.compose("ptt-owner@mailingl.st", "To you", "Dear owners.\n"))
            self.come(b"Dear owners.", [self.mod, self.second], "it")
        with self.case("why: a moderator learns the path of a post"):
            post = self.old.next("the post", lambda m: "Quiet" in str(m["Subject"]))
            self.mod.send("ptt-why@mailingl.st", self.mod.compose("ptt-why@mailingl.st", str(post["Message-ID"]), ""))
            told = text_of(self.mod.notice("the path", str(post["Message-ID"]).strip("<>")))
            check("old@signed.test" in told and "dkim" in told.lower(), told)

    def leave(self):
        with self.case("a moderator removes somebody, who is told"):
            self.mod.send("ptt-held-remove-bob+lists=signed.test@mailingl.st", self.mod.compose(
                "ptt-held-remove-bob+lists=signed.test@mailingl.st", "x", ""))
            self.bob.notice("a farewell", HELD)
        with self.case("a member leaves with one mail, and nothing more comes"):
            self.ann.mutt("ptt-unsubscribe@mailingl.st", "bye", "")
            self.ann.notice("a goodbye", PTT)
            self.old.send(PTT, self.old.compose(PTT, "After", "After Ann.\n"))
            self.come(b"After Ann.", [self.old], "the post")
        with self.case("robots are not obeyed"):
            for field in (b"Auto-Submitted: auto-replied\r\n", b"Precedence: bulk\r\n"):
                raw = field + self.bob.compose("ptt-subscribe@mailingl.st", "x", "")
                check("550" in self.bob.send("ptt-subscribe@mailingl.st", raw, status=1), "not 550")

    def whole(self):
        self.join()
        self.join_others()
        self.post()
        self.hold()
        self.settings()
        self.commands()
        self.leave()


def members(world, name):
    shown = world.run("ptt", "export", world.image, "--domain", "mailingl.st", name).decode()
    return sorted(line.split(",")[0] for line in shown.split() if "@" in line)
