# SPDX-License-Identifier: ISC
"""Who else sends one message to many: Debian's Postfix with XVERP, and Debian's mlmmj. A peer that is not installed is
skipped by name."""
import os
import shutil

from intake import Postfix
from measure import TICKS, Broken, cpu_seconds, timed

from lib import rig
from lib.mail import message
from lib.smtp import Smtp

DOMAINS, SIZE = 50, 4096
HOSTS = [f"127.0.1.{n + 1}" for n in range(DOMAINS)]  # the mail host of each
LIST = "large@mailingl.st"
TEXT = (b"x" * 74 + b"\r\n") * (SIZE // 76)


def address(number):
    return f"member{number:07}@sub{number % DOMAINS}.test"


class VerpPostfix(Postfix):
    """Takes one message for all, and splits it up; its own default is a hundred processes."""
    name, count, address = "Postfix", 2_000, "127.0.0.4"
    main = """\
smtpd_authorized_verp_clients = 127.0.0.0/8
smtpd_recipient_limit = 100000
transport_maps = texthash:{home}/conf/transport
"""
    master = "smtp unix - - n - - smtp\n"

    def give(self, count):
        with Smtp(self.address) as s:
            s.command("EHLO poster.author.test")
            said = s.command(f"MAIL FROM:<{LIST}> XVERP=+=")
            for number in range(count):
                said = s.command(f"RCPT TO:<{address(number)}>") if said[0] == "2" else said
            said = s.command("DATA") if said[0] == "2" else said
            said = s.data(message(TEXT)) if said[0] == "3" else said
        if said[0] != "2":
            raise Broken(f"Postfix says {said}")

    def run(self, sinks, count):
        self.start({"transport": "".join(f"sub{n}.test smtp:[{host}]\n" for n, host in enumerate(HOSTS))})
        sink = sinks(self.world, count)
        before = cpu_seconds(self.process.pid)
        self.give(count)
        row = sink.wait()
        row["cpu-each"] = max(cpu_seconds(self.process.pid) - before, 1 / TICKS) * 1000 / count
        self.stop()
        return row


class Mlmmj:
    """Stock: it gives its mail to a relay, one transaction a member with a return path of its own; here straight to one of the
    mail hosts."""
    name, count = "mlmmj", 200

    def __init__(self, world):
        self.send = shutil.which("mlmmj-send", path=rig.search_path())
        if not self.send:
            raise Broken("mlmmj is not installed")
        self.world, self.home = world, os.path.join(world.folder, "mlmmj")

    def make(self, count):
        """A list as mlmmj-make-ml leaves it; members lie in a file for each first letter."""
        shutil.rmtree(self.home, ignore_errors=True)
        for folder in ("archive", "control", "incoming", "queue", "queue/discarded", "requeue", "subscribers.d", "text"):
            os.makedirs(os.path.join(self.home, folder))
        for name, text in (("control/listaddress", LIST + "\n"), ("control/relayhost", HOSTS[0] + "\n"),
                           ("subscribers.d/m", "".join(f"{address(n)}\n" for n in range(count)))):
            self.world.file(f"mlmmj/{name}", text)
        raw = message(TEXT).replace(b"\r\n", b"\n")
        self.world.file("mlmmj/incoming/post", raw.decode())

    def run(self, sinks, count):
        self.make(count)
        sink = sinks(self.world, count)
        used = timed([self.send, "-L", self.home, "-m", os.path.join(self.home, "incoming", "post")])
        row = sink.wait()
        row["cpu-each"] = used["cpu-seconds"] * 1000 / count
        return row


def found(world, table):
    """Those that are there."""
    peers = []
    for kind in (VerpPostfix, Mlmmj):
        try:
            peers.append(kind(world))
        except Broken as e:
            table.skip(f"{kind.name} beside it", e)
    return peers
