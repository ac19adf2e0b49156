#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Do posts still pass DMARC when they have gone through a list? Over a thousand, made of the suites mime-testmsgs and
eai-messages, signed as authors' servers do (libopendkim, dkimpy, blaze) for domains with every policy, go through
list/rewrite_driver.c, which is the list's own code and its signer's; mailauth and OpenDMARC (with OpenDKIM for the signatures) judge
what members get. Usage: deliverability.py BUILD_DIR [COPIES [SEED]]
KEEP=DIR in the environment keeps there the posts that fail, as they came and as they went."""
import base64
import collections
import email
import email.parser
import email.policy
import os
import random
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != HERE]  # or `import dkim` finds dkim.py
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import dkim_canon
import dkim_cases as lib
import mailauth
import post_mail
from dkim_peers import Pipe, dkim

COPIES, SEED = 16, 8
LIST, IP = "mailingl.st", "192.0.2.1"
POLICIES = {"reject.test": "v=DMARC1; p=reject", "quarantine.test": "v=DMARC1; p=quarantine", "monitor.test": "v=DMARC1; p=none",
            "strict.test": "v=DMARC1; p=reject; adkim=s; aspf=s", "sub.test": "v=DMARC1; p=none; sp=reject", LIST: "v=DMARC1; p=reject"}
AUTHORS = {"reject.test": "reject.test", "quarantine.test": "quarantine.test", "monitor.test": "monitor.test",
           "strict.test": "strict.test", "mail.sub.test": "sub.test", "bare.test": "bare.test"}  # domain -> d= of its signatures
CANONS = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"]
LISTS_TOO = [name for field in ("From To Subject Date Message-ID Sender Reply-To Cc List-Id List-Help List-Unsubscribe "
                                "List-Subscribe List-Post List-Owner List-Archive").split() for name in ("-f", field)]
CHANGED = {"subject-prefix": "[ptt]", "footer": "Vous êtes abonné à ptt"}

Post = collections.namedtuple("Post", "domain before after word")  # as it came, as it went, why From is what it is


def peer(build, name):
    return os.path.join(build, "tests", "interop", f"interop-{name}_peer")


class World:
    """Keys, zones, signers, the list and the judges."""

    def __init__(self, build, folder):
        self.build, self.folder, self.keys, self.kept = build, folder, {}, 0
        zone = {f"_dmarc.{domain}": text for domain, text in POLICIES.items()}
        for key, domains in (("author", sorted(set(AUTHORS.values()))), ("list", [LIST])):
            record = self.generate(key)
            zone |= {f"s._domainkey.{domain}": record for domain in domains}
        self.zone, keys = zone, {name: text for name, text in zone.items() if "_domainkey" in name}
        self.opendkim = Pipe(peer(build, "opendkim"), self.write("keys", keys), ASAN_OPTIONS="detect_leaks=0")
        self.opendkim.line()
        self.opendmarc = Pipe(peer(build, "opendmarc"), ASAN_OPTIONS="detect_leaks=0")
        self.list = Pipe(os.path.join(build, "list-rewrite_driver"))
        self.list.send(f"now {int(time.time())}")
        self.list.send(f"key {self.path('list')} {LIST} s")
        for name, text in zone.items():
            self.list.send(f"record {name}\tTXT\t{text}")
        self.mailauth = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, zone):
        with open(self.path(name), "w", encoding="ascii") as out:
            out.writelines(f"{name}\t{text}\n" for name, text in zone.items())
        return self.path(name)

    def generate(self, name):
        seed = base64.b64encode(f"deliverability, a key of the {name}".encode()).decode()
        done = lib.blaze(self.build, ["dkim", "gen", "--seed", seed, "-r", self.path(name + ".txt")])
        assert done.returncode == 0, done.stderr
        with open(self.path(name), "wb") as out:
            out.write(done.stdout)
        self.keys[name] = done.stdout
        with open(self.path(name + ".txt"), encoding="ascii") as record:
            return record.read().strip()

    # Each gives the message with a signature in front.

    def by_opendkim(self, message, domain, canon):
        self.opendkim.send(f"sign {len(message)} rsa-sha256 {canon} s {domain} {self.path('author')} - 0 0", message)
        field = self.opendkim.sized().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return b"DKIM-Signature: " + field + b"\r\n" + message

    def by_dkimpy(self, message, domain, canon):
        return dkim.sign(message, b"s", domain.encode(), self.keys["author"],
                         canonicalize=tuple(canon.encode().split(b"/"))) + message

    def by_blaze(self, message, domain, canon, fields=()):
        done = lib.blaze(self.build, ["dkim", "sign", "-s", "s", "-h", domain, "-c", canon, "-p", self.path("author"),
                                      "--newline", "crlf", *fields], message)
        assert done.returncode == 0, done.stderr
        return done.stdout

    # What the list makes of posts.

    def settings(self, chosen):
        self.list.send("standard")
        for name, value in chosen.items():
            self.list.send(f"set {name} {value}")

    def through(self, domain, message):
        self.list.send(f"post {IP} bounce@{domain} {len(message)}", message)
        size, word = self.list.line().split(" ", 1)
        assert size.isdigit(), f"{size} {word}: {message[:2000]!r}"
        return Post(domain, message, self.list.process.stdout.read(int(size)), word)

    # What the judges say: (result, domain of From), or None when it is no message for them.

    def ask_mailauth(self, messages):
        paths = [self.path(f"{i}.eml") for i in range(len(messages))]
        for path, message in zip(paths, messages):
            with open(path, "wb") as out:
                out.write(message)
        said = map(self.mailauth.ask, paths)
        return [(one["dmarc"], one["from"]) for one in said]

    def ask_opendmarc(self, messages):
        return [self.one_opendmarc(message) for message in messages]

    def one_opendmarc(self, message):
        self.opendkim.send(f"verify {len(message)}", message)
        words = self.opendkim.line()
        if words.startswith("error"):
            return None
        signed = [signature.tags["d"] for signature in dkim_canon.signatures(message)]
        passed = [domain for domain, word in zip(signed, words.split()) if word == "pass"]
        author = from_domain(message)
        organization = ".".join(author.split(".")[-2:])
        record = self.zone.get(f"_dmarc.{organization}", "-")
        self.opendmarc.send(f"{author} {organization} {' '.join(passed)} | {record}")
        return self.opendmarc.line(), author

    def keep(self, post):
        folder = os.environ.get("KEEP")
        if folder and self.kept < 50:
            self.kept += 1
            for part in ("before", "after"):
                with open(os.path.join(folder, f"{self.kept}.{part}"), "wb") as out:
                    out.write(getattr(post, part))

    def close(self):
        for one in (self.opendkim, self.opendmarc, self.list, self.mailauth):
            if one:
                one.close()


def header_of(message):
    return email.parser.BytesHeaderParser(policy=email.policy.default).parsebytes(message)


def body_of(message, name):
    """Of the first field of that name."""
    found = [f for f in dkim_canon.split(message)[0] if dkim_canon.name_of(f) == name]
    return found[0].split(b":", 1)[1].strip() if found else None


def from_domain(message):
    field = b"From: " + body_of(message, b"from") + b"\r\n\r\n"
    return email.message_from_bytes(field, policy=email.policy.default)["From"].addresses[0].domain


def sign(world, rng, number, message, domain):
    """As one of many servers would; OpenDKIM signs no message that it finds malformed."""
    canon = rng.choice(CANONS)
    if number % 10 == 0:
        return world.by_dkimpy(message, domain, canon)
    if number % 10 < 8:
        try:
            return world.by_opendkim(message, domain, canon)
        except AssertionError:
            pass
    return world.by_blaze(message, domain, canon)


def unsigned(rng, bases, copies):
    domains = list(AUTHORS)
    return [(domain, post_mail.make(rng, base, domain)) for i in range(copies) for j, base in enumerate(bases)
            for domain in [domains[(i + j) % len(domains)]]]


# ---- cases: each gives None, or what is wrong ----

def changed_default(posts):
    """A default list adds fields, takes away what must not go on, and touches nothing else."""
    for post in posts:
        before, after = dkim_canon.split(post.before), dkim_canon.split(post.after)
        if before[1] != after[1]:
            return f"the body of {post.before[:3000]!r}"
        if post.word in ("proven", "no-policy"):
            stay = [f for f in before[0] if f in after[0]]
            lost = [dkim_canon.name_of(f) for f in before[0] if f not in stay]
            if [name for name in lost if not name.startswith((b"list-", b"precedence", b"disposition-", b"errors-to", b"return-",
                                                              b"x-confirm-reading-to"))]:
                return f"{lost} of {post.before[:3000]!r}"
    return None


def judged(world, ask, posts, share):
    """All pass for somebody; at least `share` of them for the author. Those whose domain has no policy have nothing to pass."""
    results = ask([post.after for post in posts])
    told = [(post, said) for post, said in zip(posts, results) if said]
    asked = [(post, said) for post, said in told if post.word != "no-policy"]
    nobody = [post for post, said in asked if said[0] != "pass" or said[1] not in (post.domain, LIST)]
    authors = sum(said == ("pass", post.domain) for post, said in asked)
    bare = [post for post, said in told if post.word == "no-policy" and said != ("none", "bare.test")]
    print(f"note {len(asked)} of {len(posts)} judged: {authors} pass for the author, {len(asked) - authors - len(nobody)} for the list")
    for post in nobody + bare:
        world.keep(post)
    if len(asked) < 0.75 * len(posts):
        return f"only {len(asked)} of {len(posts)} are messages for it"
    if nobody:
        return f"{len(nobody)} pass for nobody, such as {nobody[0].word}: {nobody[0].after[:3000]!r}"
    if bare:
        return f"{len(bare)} without a policy have another result than none"
    if authors < share * len(asked):
        return f"{authors} of {len(asked)} pass for the author"
    return None


def rewritten(posts):
    """Who wrote it is still told, and answers reach the author."""
    for post in posts:
        if post.word == "no-policy":
            continue
        was, now = body_of(post.before, b"from"), header_of(post.after)
        sender = now["From"].addresses
        if len(sender) != 1 or sender[0].addr_spec != f"ptt@{LIST}" or not sender[0].display_name.endswith(" via ptt"):
            return f"From: {now['From']}"
        if body_of(post.after, b"author") != was:
            return f"Author: {now['Author']} of {was}"
        if body_of(post.after, b"reply-to") != (body_of(post.before, b"reply-to") or was):
            return f"Reply-To: {now['Reply-To']} of {was}"
    return None


def wrapped(posts):
    """The author's entity is the first part, octet for octet with its fields, and the footer the second."""
    for post in posts:
        fields_before, body = dkim_canon.split(post.before)
        content = b"".join(f for f in fields_before if dkim_canon.name_of(f).startswith(b"content-"))
        now = header_of(post.after)
        if now.get_content_type() != "multipart/mixed":
            return f"{now.get_content_type()}: {post.after[:3000]!r}"
        parts = dkim_canon.split(post.after)[1].split(b"--" + now.get_boundary().encode())
        if email.message_from_bytes(post.after).defects:
            return f"defects of {post.after[:4000]!r}"
        if len(parts) != 4 or parts[1] != b"\r\n" + content + b"\r\n" + body + b"\r\n":
            return f"the first part of {post.after[:4000]!r}"
        footer = email.message_from_bytes(parts[2].removeprefix(b"\r\n"))
        if footer.get_payload(decode=True).decode().strip() != CHANGED["footer"]:
            return f"the footer of {post.after[:4000]!r}"
        if "[ptt]" not in now["Subject"]:
            return f"the subject of {post.after[:3000]!r}"
    return None


def both(report, world, name, posts, share):
    report.case(f"{name}, OpenDMARC: each post passes for somebody", lambda: judged(world, world.ask_opendmarc, posts, share))
    if world.mailauth:
        report.case(f"{name}, mailauth: each post passes for somebody", lambda: judged(world, world.ask_mailauth, posts, share))


def run(report, world, bases, copies, seed):
    rng = random.Random(seed)
    plain = unsigned(rng, bases, copies)
    signed = [(domain, sign(world, rng, i, message, AUTHORS[domain])) for i, (domain, message) in enumerate(plain)]
    report.case("there are over 1,000 posts", lambda: None if len(signed) > 1000 else len(signed))

    world.settings({})
    posts = [world.through(*one) for one in signed]
    report.case("standard settings change no octet of a body and no field of the author's", lambda: changed_default(posts))
    both(report, world, "standard settings, 99 % for the author", posts, 0.99)

    world.settings(CHANGED)
    posts = [world.through(*one) for one in signed]
    both(report, world, "prefix and footer", posts, 0)
    report.case("prefix and footer: the author is told, and answers reach him", lambda: rewritten(posts))
    report.case("prefix and footer: what the author wrote is a part of its own, octet for octet", lambda: wrapped(posts))

    world.settings({})
    some = plain[:len(bases)]
    strict = [(domain, world.by_blaze(message, AUTHORS[domain], rng.choice(CANONS), LISTS_TOO)) for domain, message in some]
    both(report, world, "signatures that let no list add its fields", [world.through(*one) for one in strict], 0)
    for domain in AUTHORS:
        world.list.send(f"record {domain}\tTXT\tv=spf1 ip4:{IP} -all")
    both(report, world, "authors proven by SPF alone", [world.through(*one) for one in some], 0)
    if os.environ.get("PTT_LONG"):
        for chosen in ({"reply-to": "list"}, {"reply-to": "both"}, {"from": "rewrite"}, {"subject-prefix": "[été]"}, {"footer": "x"}):
            world.settings(chosen)
            both(report, world, str(chosen), [world.through(*one) for one in signed], 0)


def main(build, copies=None, seed=SEED):
    folders = [lib.suite("mime-testmsgs"), lib.suite("eai-messages")]
    judge = mailauth.fetch(build)
    missing = [f"lib{name}-dev" for name in ("opendkim", "opendmarc") if not os.path.exists(peer(build, name))]
    missing += [] if dkim else ["python3-dkim"]
    if missing or None in folders:
        print(f"skip deliverability: {' and '.join(missing) or 'a suite'} is missing")
        return 77
    report = lib.Report()
    with tempfile.TemporaryDirectory() as folder:
        world = World(build, folder)
        if judge:
            world.mailauth = mailauth.Mailauth(judge, world.write("zone", world.zone))
        else:
            print(f"skip {mailauth.MISSING}")
        run(report, world, post_mail.suite(folders), int(copies or (5 if os.environ.get("PTT_LONG") else 1) * COPIES), int(seed))
        world.close()
    return report.status()


sys.exit(main(os.path.abspath(sys.argv[1]), *sys.argv[2:]))
