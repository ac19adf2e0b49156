# SPDX-License-Identifier: ISC
"""Debian's OpenSMTPD, as Mta wants it."""
import os
import shutil
import subprocess

from lib.mta import DOOR, Mta, peers
from lib.rig import POSTER

CONF = """\
pki "mx.{zone}" cert "/etc/mx.crt"
pki "mx.{zone}" key "/etc/mx.key"
table users file:/etc/users
filter door proc-exec "/usr/bin/python3 /etc/door.py"
listen on {tls} port 25 tls pki "mx.{zone}" hostname mx.{zone} filter door
listen on {clear} port 25 hostname mx.clear.{zone} filter door
bounce warn-interval 2s
action own maildir "/var/mail/%{{rcpt.user}}" virtual <users>
action abroad relay src {tls} helo mx.{zone}
action clear relay host "smtp+notls://mx.mailingl.st" src {clear} helo mx.clear.{zone}
match from any for domain {{ "{zone}", "clear.{zone}" }} action own
match from src {poster} mail-from regex "@clear" for any action clear
match from src {poster} for any action abroad
match from local for any action abroad
"""
FILTER = """\
import socket, sys
for line in sys.stdin:
    if line == "config|ready\\n":
        print("register|filter|smtp-in|rcpt-to\\nregister|ready", flush=True)
    elif line.startswith("filter|"):
        session, token, address = line.rstrip("\\n").split("|", 7)[5:]
        with socket.create_connection(("{host}", {port})) as s:
            s.sendall(address.encode() + b"\\n")
            said = s.makefile().readline().rstrip("\\n")
        act = "disconnect|" if said.startswith("421") else "reject|" if said else "proceed"
        print(f"filter-result|{{session}}|{{token}}|{{act}}{{said}}", flush=True)
"""


class OpenSmtpd(Mta):
    name, zone, clear, host = "opensmtpd", "opensmtpd.test", "clear.opensmtpd.test", 22
    package, program, argv = "opensmtpd", "/usr/sbin/smtpd", "env LD_PRELOAD=/etc/key.so smtpd -d -f /etc/smtpd.conf"
    session_of_message = r"^(\w+) smtp envelope .*from=<\S+-return-\S+@mailingl\.st>"
    unknown = "524 5.2.4"  # of one that its virtual users lack
    has_utf8 = False

    def configure(self):
        self.file("etc/smtpd.conf", CONF.format(zone=self.zone, tls=self.addresses[self.zone], poster=POSTER,
                                                clear=self.addresses[self.clear]))
        self.file("etc/door.py", FILTER.format(host=DOOR[0], port=DOOR[1]))
        self.file("etc/users", "".join(f"{user}: vmail\n" for user in self.users) +
                  "".join(f"{user}: {to}\n" for user, to in self.forwards.items()))
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "opensmtpd_key.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", os.path.join(self.root, "etc/key.so"), source], check=True)
        # It wants itself set up as the package does when it is installed.
        ours = os.path.join(self.root, "etc/smtpctl")
        shutil.copy(os.path.join(peers(), self.package, "usr/sbin/smtpctl"), ours)
        self.own("etc/smtpctl", "root", "opensmtpq")
        os.chmod(ours, 0o2755)
        self.binds.append((ours, os.path.join(self.root, "usr/sbin/smtpctl"), "bind"))
        self.folder("var/lib/opensmtpd/empty")
        self.folder("var/spool/smtpd", mode=0o711)

    def hurry(self):
        """Its own pause before a second try is minutes."""
        subprocess.run(["nsenter", "--target", str(self.process.pid), "--mount", "chroot", self.root, "smtpctl", "schedule", "all"],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=20)
