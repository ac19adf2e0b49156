# SPDX-License-Identifier: ISC
"""Who signs and verifies in tests/interop: we, dkimpy, Mail::DKIM and libopendkim, each in one process for all messages.

A peer has `knows` (algorithms), `can_limit` (l=), `can_identify` (i=), `lives_s` (what its How may have);
sign(message, How) gives a whole DKIM-Signature field; ask(message) and then verdict(message) a word a signature from the
top, "pass" or what the peer says instead, so that all can be asked before the first has answered. missing() names what must be installed for it, if it is not."""
import base64
import collections
import os
import subprocess
import time

import dkim_canon
import dkim_cases as lib
from random_mail import DOMAIN

try:
    import dkim
except ImportError:
    dkim = None

HERE = os.path.dirname(os.path.abspath(__file__))
INTEROP = os.path.join(os.path.dirname(HERE), "interop")
DAY = 86400
# life_s of x=, from the time of signing, which for a negative one lies three days back; 0: no x=
How = collections.namedtuple("How", "algorithm canon selector identity limited life_s")


def times(how):
    now = int(time.time())
    signed = now - 3 * DAY if how.life_s < 0 else now
    return signed, signed + abs(how.life_s)


class Keys:
    """The keys of a run, and a zone that has their records: a selector each, and `strict` with the RSA key for t=s."""

    def __init__(self, build, folder):
        self.build, self.folder, self.zone, self.raw = build, folder, {}, {}
        for algorithm in ("rsa", "ed25519"):
            seed = base64.b64encode(f"interop of DKIM, a key of {algorithm}".encode()).decode()
            done = lib.blaze(build, ["dkim", "gen", "-a", algorithm, "--seed", seed, "-r", self.path("record")])
            assert done.returncode == 0, done.stderr
            with open(self.pem(algorithm), "wb") as out:
                out.write(done.stdout)
            self.raw[algorithm] = done.stdout
            with open(self.path("record"), encoding="ascii") as record:
                self.zone[f"{algorithm}._domainkey.{DOMAIN}"] = record.read().strip()
        der = base64.b64decode(b"".join(self.raw["ed25519"].splitlines()[1:-1]))
        self.raw["ed25519"] = base64.b64encode(der[-32:])  # as dkimpy wants it
        self.zone[f"strict._domainkey.{DOMAIN}"] = self.zone[f"rsa._domainkey.{DOMAIN}"] + "; t=s"
        with open(self.path("zone"), "w", encoding="ascii") as out:
            out.writelines(f"{name}\t{text}\n" for name, text in self.zone.items())

    def path(self, name):
        return os.path.join(self.folder, name)

    def pem(self, algorithm):
        return self.path(algorithm + ".pem")


class Pipe:
    """A program that answers a line and a message with a line, or with "SIZE" and SIZE bytes."""

    def __init__(self, *argv, **environment):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env={**os.environ, **environment})

    def send(self, line, message=b""):
        self.process.stdin.write(line.encode() + b"\n" + message)
        self.process.stdin.flush()

    def line(self):
        line = self.process.stdout.readline().decode()
        assert line.endswith("\n"), "the peer ended"
        return line[:-1]

    def sized(self):
        line = self.line()
        assert line.isdigit(), line
        return self.process.stdout.read(int(line))

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0, "the peer failed"


class Peer:
    can_limit = can_identify = True

    @staticmethod
    def takes(_message):
        """Is it a message that this peer is made for?"""
        return True

    def ask(self, message):
        pass

    def close(self):
        pass


class PipedPeer(Peer):
    """One that `pipe` leads to, and that answers a verb and a message with a line of words."""

    def ask(self, message):
        self.pipe.send(f"verify {len(message)}", message)

    def verdict(self, message):
        """The same word for all signatures when the message is refused."""
        line = self.pipe.line()
        return [line] * len(dkim_canon.signatures(message)) if line.startswith("error") else line.split()

    def close(self):
        self.pipe.close()


class Ours(PipedPeer):
    """Signed by blaze, verified by auth/dkim_driver.c: the words are those of the driver."""
    name, knows, can_limit, can_identify = "ours", ("rsa", "ed25519"), False, False
    lives_s = (0, 0, 5 * DAY, -DAY)

    def __init__(self, keys):
        self.keys, self.pipe = keys, Pipe(os.path.join(keys.build, "auth-dkim_driver"))
        self.pipe.send(f"now {int(time.time())}")
        for name, text in keys.zone.items():
            self.pipe.send(f"key {name} {text}")

    def sign(self, message, how):
        signed, _ = times(how)
        expire = ["-x", f"{abs(how.life_s)}s"] if how.life_s else []
        done = lib.blaze(self.keys.build, ["dkim", "sign", "-s", how.selector, "-h", DOMAIN, "-c", how.canon, "-t", str(signed),
                                           "-p", self.keys.pem(how.algorithm), "--newline", "crlf", *expire], message)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(message)
        field = done.stdout[:len(done.stdout) - len(message)]
        assert all(len(line) <= 78 for line in field.split(b"\r\n"))
        return field

    def ask(self, message):
        self.pipe.send(f"message {len(message)}", message)

    def verdict(self, _message):
        words = []
        while (line := self.pipe.line()) != "end":
            words.append(line.split("\t")[0])
        return words


class Dkimpy(Peer):
    name, knows = "dkimpy", ("rsa", "ed25519")
    lives_s = (0,)

    def __init__(self, keys):
        self.keys = keys

    @staticmethod
    def missing():
        return None if dkim else "python3-dkim"

    def sign(self, message, how):
        return dkim.sign(message, how.selector.encode(), DOMAIN.encode(), self.keys.raw[how.algorithm],
                         identity=how.identity.encode() if how.identity else None,
                         canonicalize=tuple(how.canon.encode().split(b"/")), length=how.limited,
                         signature_algorithm=f"{how.algorithm}-sha256".encode())

    def find(self, name, timeout=5):
        return self.keys.zone.get(name.decode().rstrip("."), "").encode() or None

    def verdict(self, message):
        words = []
        for index in range(len(dkim_canon.signatures(message))):
            try:
                words.append("pass" if dkim.DKIM(message).verify(index, dnsfunc=self.find) else "fail")
            except dkim.DKIMException as error:
                words.append(f"error {error}")
        return words

class Mail_DKIM(PipedPeer):
    name = "Mail::DKIM"
    lives_s = (0, 0, 5 * DAY, -DAY)

    def __init__(self, keys):
        self.keys, self.pipe = keys, Pipe("perl", os.path.join(INTEROP, "dkim_peer.pl"), keys.path("zone"))
        ask = "exit !Mail::DKIM::Signature->get_algorithm_class('ed25519-sha256')"  # Debian 12's does not know it
        known = subprocess.run(["perl", "-MMail::DKIM::Signature", "-e", ask], stderr=subprocess.DEVNULL).returncode == 0
        self.knows = ("rsa", "ed25519") if known else ("rsa",)

    @staticmethod
    def missing():
        done = subprocess.run(["perl", "-MMail::DKIM::ARC::Signer", "-MNet::DNS", "-e", "1"], stderr=subprocess.DEVNULL)
        return None if done.returncode == 0 else "libmail-dkim-perl"

    def sign(self, message, how):
        signed, expiry = times(how)
        size = len(dkim_canon.body_form(dkim_canon.split(message)[1], how.canon.split("/")[1]))
        self.pipe.send(f"sign {len(message)} {how.algorithm}-sha256 {how.canon} {how.selector} {DOMAIN} "
                       f"{self.keys.pem(how.algorithm)} {how.identity or '-'} {size if how.limited and size else '-'} "
                       f"{signed} {expiry if how.life_s else '-'}", message)
        return self.pipe.sized()


class Opendkim(PipedPeer):
    name = "opendkim"
    lives_s = (0, 5 * DAY)

    def __init__(self, keys):
        self.keys = keys  # the library leaks each private key that it signed with, which a sanitizer would tell
        self.pipe = Pipe(self.program(keys.build), keys.path("zone"), ASAN_OPTIONS="detect_leaks=0")
        self.knows = tuple(self.pipe.line().split())

    @staticmethod
    def program(build):
        return os.path.join(build, "tests", "interop", "interop-opendkim_peer")

    @classmethod
    def missing(cls, build):
        return None if os.path.exists(cls.program(build)) else "libopendkim-dev"

    @staticmethod
    def takes(message):
        """A milter's message ends in CRLF, as SMTP brings it; without it the library says this or that."""
        return message.endswith(b"\r\n")

    def sign(self, message, how):
        self.pipe.send(f"sign {len(message)} {how.algorithm}-sha256 {how.canon} {how.selector} {DOMAIN} "
                       f"{self.keys.pem(how.algorithm)} {how.identity or '-'} {int(how.limited)} {max(0, how.life_s)}", message)
        return b"DKIM-Signature: " + self.pipe.sized().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n"
