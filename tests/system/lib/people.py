# SPDX-License-Identifier: ISC
"""People with real mail programs: mutt and msmtp write, swaks presses links, Python's email package reads.

Two domains live in the zone test: home.test is proven by SPF alone, signed.test by DKIM alone; both ask receivers to reject the
rest. All their mail arrives at the sink."""
import base64
import email
import email.policy
import email.utils
import os
import re
import subprocess
import urllib.parse

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lib.rig import LIPAP, POSTER, TEST_ZONE, check, equal, until

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                        serialization.NoEncryption())
RECORD = "v=DKIM1; k=rsa; p=" + base64.b64encode(KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()
SIGNED = "signed.test"
ZONE = f"""{TEST_ZONE}
home 300 MX 10 mx.sink
home 300 TXT "v=spf1 ip4:{POSTER} -all"
_dmarc.home 300 TXT "v=DMARC1; p=reject"
signed 300 MX 10 mx.sink
signed 300 TXT "v=spf1 -all"
s._domainkey.signed 300 TXT "{RECORD[:200]}" "{RECORD[200:]}"
_dmarc.signed 300 TXT "v=DMARC1; p=reject"
"""


def run(argv, **options):
    done = subprocess.run(argv, capture_output=True, timeout=60, **options)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


class Person:
    """Somebody with a mailbox; `name` is what mail programs show, and `server` takes what they send."""

    server = LIPAP

    def __init__(self, world, sink, address, name):
        self.world, self.sink, self.address, self.name = world, sink, address, name
        self.domain = address.rsplit("@", 1)[1]
        self.signs = self.domain == SIGNED
        self.read = 0  # how many of the copies have been looked at

    # reading

    def mails(self):
        return [c for c in self.sink.taken(self.address)]

    def next(self, what, match=lambda mail: True, seconds=30):
        """The next mail that has not been looked at and fits, parsed; those before it are passed over."""
        def found():
            for number, copy in enumerate(self.mails()[self.read:]):
                mail = email.message_from_bytes(copy.bytes(), policy=email.policy.default)
                if match(mail):
                    self.read += number + 1
                    mail.copy = copy
                    return mail
            return None
        return until(seconds, f"{what} for {self.address}", found)

    def notice(self, what, *words, seconds=30):
        """The next mail that the list itself has written, with these words in its text."""
        return self.next(what, lambda mail: mail["Auto-Submitted"] and all(
            word in str(mail["Subject"]) + text_of(mail) for word in words), seconds)

    # writing

    def compose(self, to, subject, text, answers=None):
        mail = email.message.EmailMessage(policy=email.policy.SMTP)
        mail["From"] = email.utils.formataddr((self.name, self.address))
        mail["To"], mail["Subject"], mail["Date"] = to, subject, email.utils.formatdate()
        mail["Message-ID"] = email.utils.make_msgid(domain=self.domain)
        if answers:
            mail["In-Reply-To"] = mail["References"] = answers["Message-ID"]
        mail.set_content(text or "\n")
        return mail.as_bytes()

    def send(self, to, raw, status=0):
        """By swaks, signed where the person signs; gives what the server said last."""
        if self.signs:
            raw = dkim.sign(raw, b"s", SIGNED.encode(), PEM, canonicalize=(b"relaxed", b"relaxed"), include_headers=[
                b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]) + raw
        path = os.path.join(self.world.folder, "swaks.eml")
        with open(path, "wb") as f:
            f.write((b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")
        code, said = run(["swaks", "--server", self.server, "--local-interface", POSTER, "--helo",
                          f"mail.{self.domain}", "--from", self.address, "--to", to, "--data", "@" + path,
                          "--no-data-fixup", "--timeout", "20"], stdin=subprocess.DEVNULL)
        answers = re.findall(r"^<[-~*]+ *(\d\d\d .*)$", said, re.M)
        check((code == 0) == (status == 0), f"{self.address} to {to}: {answers}")
        return "\n".join(answers)

    def mutt(self, to, subject, text, status=0):
        """By mutt, which hands it to msmtp: for those who need no signature."""
        home = os.path.join(self.world.folder, f"home-{self.address}")
        if not os.path.isdir(home):
            os.mkdir(home)
        conf = self.world.file("msmtprc", f"account default\nhost {self.server}\nport 25\nsource_ip {POSTER}\nauto_from off\n"
                               f"from {self.address}\ndomain mail.{self.domain}\ntls off\ntimeout 20\n")
        sender = email.utils.formataddr((self.name, self.address)).replace("\\", r"\\").replace('"', r'\"')
        muttrc = self.world.file("muttrc", f'set from="{sender}"\nset use_from=yes\nset use_envelope_from=yes\n'
                                 f'set hostname={self.domain}\nset sendmail="/usr/bin/msmtp -C {conf}"\nset record=""\n'
                                 'set copy=no\nset charset=utf-8\n')
        code, said = run(["mutt", "-n", "-F", muttrc, "-s", subject, "--", to], input=text.encode(),
                         env={**os.environ, "HOME": home})
        check((code == 0) == (status == 0), f"mutt of {self.address} to {to}: {code} {said}")
        return said

    def reply(self, mail, text=None, status=0):
        """As mail programs do: to Reply-To, with the text quoted, or `text` above it."""
        to = mail["Reply-To"] or mail["From"]
        to = to.addresses[0].addr_spec
        quoted = "".join(f"> {line}\n" for line in text_of(mail).splitlines())
        raw = self.compose(to, "Re: " + str(mail["Subject"]), (text or "") + "\n" + quoted, mail)
        return self.send(to, raw, status)

    def press(self, mail, word, status=0):
        """The mailto link whose route is `word`."""
        links = [link for link in re.findall(r"mailto:[^\s<>\"]+", text_of(mail)) if f"-{word}-" in link]
        check(links, f"no link to {word} in {text_of(mail)!r}")
        link = urllib.parse.urlsplit(links[0])
        subject = urllib.parse.parse_qs(link.query).get("subject", [word])[0]
        to = urllib.parse.unquote(link.path)
        return self.send(to, self.compose(to, subject, ""), status)


def text_of(mail):
    part = mail.get_body(("plain",))
    return part.get_content() if part else ""


class Notices:
    """All that lists have written, in the eyes of Python's email package, dkimpy and mailauth."""

    def __init__(self, world, sink, mailauth):
        self.world, self.sink, self.mailauth = world, sink, mailauth

    def copies(self):
        return [c for c in self.sink.taken() if re.search(rb"^Auto-Submitted:", c.bytes().split(b"\r\n\r\n")[0], re.M | re.I)]

    def judge(self, copy):
        raw = copy.bytes()
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        subject = str(mail["Subject"])
        for part in mail.walk():
            equal(part.defects, [], f"{subject}: defects")
        for name in ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "List-Id"):
            equal(len(mail.get_all(name, [])), 1, f"{subject}: fields {name}")
            equal(mail[name].defects, (), f"{subject}: defects of {name}")
        check(mail["Auto-Submitted"] in ("auto-replied", "auto-generated"), f"{subject}: {mail['Auto-Submitted']}")
        equal(copy.sender, "", f"{subject}: its return path")
        check(subject.strip() and text_of(mail).strip(), f"{subject}: empty")
        check(mail["Date"].datetime is not None, f"{subject}: its date")
        check(mail["From"].addresses[0].domain in ("mailingl.st", "lists.test"), f"{subject}: from {mail['From']}")
        for line in raw.split(b"\r\n"):
            check(len(line) <= 998, f"{subject}: a line of {len(line)}")

    def check_all(self):
        from lib import verify
        copies = self.copies()
        for copy in copies:
            self.judge(copy)
        for number, copy in enumerate(copies):
            check(verify.dkimpy(self.world, copy.bytes()), f"dkimpy refuses {copy.bytes()[:300]!r}")
            if self.mailauth:
                path = os.path.join(self.world.folder, f"notice-{number}.eml")
                with open(path, "wb") as f:
                    f.write(copy.bytes())
                said = self.mailauth.ask(path)["dkim"]
                check(said and all(result == "pass" for _, result in said), f"mailauth: {said}")
        return len(copies)
