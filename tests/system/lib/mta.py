# SPDX-License-Identifier: ISC
"""Mail servers not written here, each in a root of its own: the programs of this machine or of an unpacked package
(tools/mail-peers), read-only, and its own /etc, /var and users. The root lies in the scratch folder, so a test reads
mailboxes and logs as files; the mounts are seen by the server alone and go with it."""
import os
import re
import shutil
import socketserver
import subprocess
import threading

from lib.rig import DNS, NET, POSTER
from lib.tls import make_pair

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DOOR = (POSTER, 10030)
PEOPLE = {"root": 0, "postfix": 9001, "postdrop": 9002, "Debian-exim": 9003, "opensmtpd": 9004, "opensmtpq": 9005,
          "vmail": 9006, "nobody": 65534}


def peers():
    """The folder of the unpacked packages."""
    return subprocess.run([os.path.join(TOP, "tools", "mail-peers"), "path"], capture_output=True, text=True,
                          check=True).stdout.strip()


class Mail:
    """One message of a mailbox, with the line ends that it had on the wire."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.text = f.read().replace(b"\n", b"\r\n")

    def bytes(self):
        return self.text

    def sender(self):
        return re.search(rb"^Return-Path: *<([^>\r]*)>", self.text, re.M | re.I).group(1).decode()


class Mta:
    """One mail server for the domain `zone` (and `more`), with TLS, and for `clear`, without, at two addresses. All have `users`
    and a mailbox for each; mail to `forwards` goes on to another place."""

    name = zone = clear = package = program = argv = ""
    session_of_message = ""  # of a log line of each message that came
    unknown = "550 5.1.1"  # what it says to a recipient that it does not know
    host, more = 0, ()
    has_utf8, has_vacation = True, False  # SMTPUTF8; a user `holiday` who answers by a program

    def __init__(self, world, users, forwards):
        self.world, self.users, self.forwards = world, users, forwards
        self.addresses = dict(zip((self.zone, self.clear), self.places()))
        self.root = os.path.join(world.folder, self.name)
        self.make_root()
        self.configure()
        self.start()

    def file(self, path, text, mode=0o644):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)

    def folder(self, path, owner="root", mode=0o755, group=None):
        os.makedirs(os.path.join(self.root, path), exist_ok=True)
        self.own(path, owner, group)
        os.chmod(os.path.join(self.root, path), mode)

    def own(self, path, owner, group=None):
        os.chown(os.path.join(self.root, path), PEOPLE[owner], PEOPLE[group or owner])

    def read(self, path):
        path = os.path.join(self.root, path)
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def make_root(self):
        self.binds = []
        for name in os.listdir("/usr"):
            self.bind(f"/usr/{name}")
        for name in ("bin", "sbin", "lib", "lib32", "lib64"):
            if os.path.islink(f"/{name}"):
                os.makedirs(self.root, exist_ok=True)
                os.symlink(os.readlink(f"/{name}"), os.path.join(self.root, name))
            elif os.path.isdir(f"/{name}"):
                self.bind(f"/{name}")
        self.bind("/dev", read_only=False)
        os.chmod(self.root, 0o755)
        self.file("etc/passwd", "".join(f"{n}:x:{i}:{i}::/var/empty:/bin/sh\n" for n, i in PEOPLE.items()))
        self.file("etc/group", "".join(f"{n}:x:{i}:\n" for n, i in PEOPLE.items()) + "mail:x:8:\n")
        self.file("etc/resolv.conf", f"nameserver {DNS}\n")
        self.file("etc/hosts", "127.0.0.1 localhost\n")
        self.file("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n")
        self.file("etc/mailname", f"mx.{self.zone}\n")
        shutil.copy("/etc/services", os.path.join(self.root, "etc"))
        self.folder("tmp", mode=0o1777)
        self.folder("run")
        for path in ("var/empty", "var/log", "var/lib", "var/spool"):
            self.folder(path)
        os.symlink("/run", os.path.join(self.root, "var/run"))
        self.folder("var/mail", "vmail")
        for pair in zip(make_pair(self.world, f"mx-{self.name}", f"mx.{self.zone}"), ("crt", "key")):
            with open(pair[0], encoding="ascii") as f:
                self.file(f"etc/mx.{pair[1]}", f.read(), 0o600)

    def bind(self, path, read_only=True):
        """`path` of this machine, or what the unpacked package has in its place."""
        unpacked = os.path.join(peers(), self.package or "-") + path
        source = unpacked if self.package and path in ("/usr/sbin", "/usr/libexec") and os.path.isdir(unpacked) else path
        if os.path.isdir(source):
            target = os.path.join(self.root, path[1:])
            os.makedirs(target)
            self.binds.append((source, target, "rbind,ro" if read_only else "rbind"))

    def start(self):
        script = "".join(f"mount -o {how} '{source}' '{target}' && " for source, target, how in self.binds)
        script += f"exec chroot '{self.root}' {self.argv}"
        self.process = self.world.start(self.name, ["unshare", "--mount", "--propagation", "private", "sh", "-c", script])

    def wait(self):
        """Until it takes mail."""
        try:
            for address in self.addresses.values():
                self.process.wait_listens(address)
        except AssertionError as e:
            raise AssertionError(f"{e}: {self.log()[-2000:]}") from None

    def hurry(self):
        """What waits in its queue is tried again soon."""

    def configure(self):
        raise NotImplementedError

    def most_in_one(self):
        """How many messages came in the connection that brought most."""
        sessions = re.findall(self.session_of_message, self.log(), re.M)
        return max((sessions.count(s) for s in set(sessions)), default=0)

    def log(self):
        """What it has written about its work."""
        return self.process.log()

    def mailbox(self, user):
        """Its mails, in order of arrival."""
        folder = os.path.join(self.root, "var/mail", user, "new")
        paths = [entry.path for entry in os.scandir(folder)] if os.path.isdir(folder) else []
        return [Mail(path) for path in sorted(paths, key=lambda path: os.stat(path).st_mtime_ns)]

    @classmethod
    def places(cls):
        """Its two addresses: with TLS, without."""
        return f"{NET}.{cls.host}", f"{NET}.{cls.host + 10}"

    @classmethod
    def records(cls):
        """Of the zone test: where its mail goes and who may send it: its own address for the one domain, a key for both."""
        label, (tls, clear) = cls.name, cls.places()
        return (f"{label} 300 MX 10 mx.{label}\nmx.{label} 300 A {tls}\n{label} 300 TXT \"v=spf1 ip4:{tls} -all\"\n"
                f"clear.{label} 300 MX 10 mx.clear.{label}\nmx.clear.{label} 300 A {clear}\n"
                f"clear.{label} 300 TXT \"v=spf1 -all\"\n_dmarc.{label} 300 TXT \"v=DMARC1; p=reject\"\n")

    @classmethod
    def missing(cls):
        """What this machine lacks to run it, or None."""
        place = os.path.join(peers(), cls.package) if cls.package else ""
        if not os.access(place + cls.program, os.X_OK):
            return f"{cls.name} is not here (tools/deps brings it)"
        done = subprocess.run(["ldd", place + cls.program], capture_output=True, text=True, check=False)
        lost = re.findall(r"(\S+) => not found", done.stdout)
        return f"{cls.name} lacks {', '.join(lost)} (tools/deps brings them)" if lost else None


def lacks_root():
    """Why none of them can be started, or None."""
    return "needs to be root" if os.geteuid() != 0 or os.environ.get("PTT_OWN_MOUNTS") != "1" else None


class Door(socketserver.ThreadingTCPServer):
    """Asked by each of them at each RCPT: the replies of `says[address]`, the first of them once and so on; then nothing.
    It speaks Postfix's policy protocol, and to others one line with the address, answered by one with the reply."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self):
        super().__init__(DOOR, DoorAsked)
        self.says, self.said, self.lock = {}, [], threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def reply(self, address):
        with self.lock:
            left = self.says.get(address)
            if not left:
                return ""
            self.said.append((address, left[0]))
            return left.pop(0)

    def close(self):
        self.shutdown()
        self.server_close()


class DoorAsked(socketserver.StreamRequestHandler):
    def handle(self):
        asked = {}
        while line := self.rfile.readline().decode("utf-8", "replace"):
            name, is_policy, value = line.rstrip("\n").partition("=")
            if is_policy:
                asked[name] = value
            elif name:
                self.wfile.write(f"{self.server.reply(name)}\n".encode())
                return
            else:
                self.wfile.write(f"action={self.server.reply(asked['recipient']) or 'DUNNO'}\n\n".encode())
