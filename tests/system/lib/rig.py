# SPDX-License-Identifier: ISC
"""A small Internet in a network namespace of its own, so that ports 25 and 53 are free and nothing leaves.

    127.0.0.1    Debian's knot: primary of mailingl.st (updated under TSIG), of test. and of author.test.
    127.0.0.2    lipap          127.0.0.3   nec
    127.0.0.10.. the subscribers' mail servers (one sink)
    127.0.0.66   people who post        10.66.0.1   a stranger

With $PTT_RIG_NET, such as 10.77.0, it is that network instead, on a bridge to which guests are tied (tests/system/guest.py).

A script calls rig.main(run) with run(world); world.case("name") frames each case, and an AssertionError inside it
(see check) makes that one fail. What was started is stopped by its process id at the end; the logs of a failed script
are printed.
"""
import base64
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

try:
    import dkim  # noqa: F401, for verify.py
    import dns.exception
    import dns.message
    import dns.query
    import dns.rcode
    import dns.rdatatype
    import dns.tsig
    import dns.tsigkeyring
    import dns.update
    MODULE_MISSING = None
except ImportError as e:
    MODULE_MISSING = e.name

sys.dont_write_bytecode = True

NET = os.environ.get("PTT_RIG_NET", "127.0.0")
DNS, LIPAP, NEC, SINK, POSTER = (f"{NET}.{host}" for host in (1, 2, 3, 10, 66))
STRANGER = "10.66.0.1"
TOOLS = ["knotd", "ip", "unshare"]
LONG = bool(os.environ.get("PTT_LONG"))

# The zone of the lists; what the programs may change in it is in the access rules of start_knot.
ZONE = f"""\
@ 300 SOA ns1 hostmaster 1 3600 600 86400 5
@ 300 NS ns1
@ 300 MX 10 mx
ns1 300 A {DNS}
mx 300 A {LIPAP}
"""
# Subscribers live at subN.test; each of these domains has the sink as its mail server.
TEST_ZONE = f"""\
@ 300 SOA ns1 hostmaster 1 3600 600 86400 5
@ 300 NS ns1
ns1 300 A {DNS}
* 300 MX 10 mx.sink
mx.sink 300 A {SINK}
author 300 MX 10 mx.sink
author 300 TXT "v=spf1 ip4:{POSTER} -all"
"""


class Skip(Exception):
    """The script cannot run here, and says why."""


def check(condition, reason):
    if not condition:
        raise AssertionError(reason)


def equal(got, wanted, what):
    check(got == wanted, f"{what}: {got!r}, not {wanted!r}")


def until(seconds, what, condition):
    """Waits until condition() is true and gives its value; an AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, f"{what}: not within {seconds} s")
        time.sleep(0.02)


def listens(address, port=25):
    with contextlib.closing(socket.socket()) as s:
        s.settimeout(2)
        return s.connect_ex((address, port)) == 0


class Process:
    """A program with its log in a file; it dies with the test."""

    def __init__(self, world, name, argv, env=None):
        self.name, self.log_path = name, os.path.join(world.folder, f"{name}.log")
        self.log_start = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=world.folder,
                                          env={**os.environ, **(env or {})})
        self.pid = self.popen.pid

    def log(self):
        """What this process has printed so far (not its predecessors of the same name)."""
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            f.seek(self.log_start)
            return f.read()

    def wait_log(self, pattern, seconds=20):
        """Waits for a line that matches and gives the match."""
        def seen():
            found = re.search(pattern, self.log(), re.M)
            check(found or self.popen.poll() is None, f"{self.name} ended with status {self.popen.poll()}")
            return found
        return until(seconds, f"{self.name}: {pattern!r} in its log", seen)

    def wait_listens(self, address, port=25, seconds=20):
        def up():
            check(self.popen.poll() is None, f"{self.name} ended with status {self.popen.poll()}")
            return listens(address, port)
        until(seconds, f"{self.name} listens at {address}:{port}", up)

    def kill(self):
        """No chance to tidy up."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    def stop(self, seconds=20):
        """Asks it to end and gives its exit status; one that does not is killed, and that is a failure."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} does not stop on SIGTERM within {seconds} s") from None


class World:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.processes, self.sinks = [], []
        self.failed = False
        self.tsig = "k._update.mailingl.st:SHA256:" + base64.b64encode(os.urandom(32)).decode()
        self.list_tsig = "lipap._update.mailingl.st:SHA256:" + base64.b64encode(os.urandom(32)).decode()
        self.password = base64.b64encode(os.urandom(32)).decode()
        self.list_password = base64.b64encode(os.urandom(32)).decode()
        self.image = os.path.join(folder, "lipap.img")

    # cases

    @contextlib.contextmanager
    def case(self, name):
        """One case. A failure is told at once, and the script goes on."""
        try:
            yield
        except AssertionError as e:
            self.failed = True
            print(f"not ok {name}: {str(e) or 'failed'}".replace("\n", " | "), flush=True)
        except Skip:
            raise
        except Exception as e:
            self.failed = True
            print(f"not ok {name}: {e!r}".replace("\n", " | "), flush=True)
            traceback.print_exc()
        else:
            print(f"ok {name}", flush=True)

    # programs

    def program(self, name):
        for place in (os.path.join(self.build, "app", name), os.path.join(self.build, name)):
            if os.access(place, os.X_OK):
                return place
        raise AssertionError(f"{name} is not built")

    def file(self, name, text):
        """A file of the scratch folder that only its owner may read; its path."""
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def start(self, name, argv, env=None):
        process = Process(self, name, argv, env)
        self.processes.append(process)
        return process

    def run(self, name, *arguments, stdin=b"", status=0):
        """Runs one of our tools to its end; gives its standard output."""
        done = subprocess.run([self.program(name), *arguments], input=stdin, capture_output=True, cwd=self.folder,
                              timeout=120)
        check(status is None or done.returncode == status,
              f"{name} {' '.join(arguments)}: exit status {done.returncode}, {done.stderr.decode(errors='replace')}")
        return done.stdout

    def start_knot(self, zone=ZONE, test_zone=TEST_ZONE, more_zones="", signed=False):
        """The primary, with the access rules of docs/operating.md: our key may only write TXT records under _domainkey, and
        lipap's only its TLSA record. `signed`: by DNSSEC, every zone."""
        from lib.operating import block
        name, _, secret = self.tsig.split(":")
        home = os.path.join(self.folder, "knot")
        if not os.path.isdir(home):
            os.mkdir(home)
            self.file("knot/mailingl.st.zone", zone)
            self.file("knot/test.zone", test_zone)
        rules = block("knot.conf", {"nec._update.example.org": name, "NEC-SECRET": secret, "example.org": "mailingl.st",
                                    "LIPAP-SECRET": self.list_tsig.split(":")[2]})
        conf = self.file("knot/knot.conf", f"""\
server:
    rundir: "{home}"
    listen: {DNS}@53
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{home}"
template:
  - id: default
    storage: "{home}"
    file: "%s.zone"
    zonefile-sync: -1
    journal-content: changes
    dnssec-signing: {"on" if signed else "off"}
{rules}  - domain: test
{more_zones}""")
        self.knot = self.start("knotd", ["knotd", "-c", conf])
        self.knot.wait_listens(DNS, 53)
        until(20, "knot serves its zones", lambda: self.query("mailingl.st", "SOA") and self.query("test", "SOA"))
        return self.knot

    def query(self, name, kind, tcp=False):
        """The texts of the answer's records as knot serves them; TXT strings are joined. None: no answer at all."""
        question = dns.message.make_query(name, kind)
        try:
            answer = (dns.query.tcp if tcp else dns.query.udp_with_fallback)(question, DNS, timeout=2)
        except (OSError, dns.exception.DNSException):
            return None
        answer = answer if isinstance(answer, dns.message.Message) else answer[0]
        records = [r for rrset in answer.answer if rrset.rdtype == dns.rdatatype.from_text(kind) for r in rrset]
        if kind == "TXT":
            return [b"".join(r.strings).decode() for r in records]
        return [r.to_text() for r in records]

    def update(self, owner, text, secret=None, kind="TXT"):
        """Adds one record by a signed UPDATE; gives the response code, or the name of the TSIG error."""
        return self.send_update(lambda message: message.add(owner, 60, kind, text), secret)

    def remove(self, owner):
        """Removes a name's TXT records by a signed UPDATE."""
        return self.send_update(lambda message: message.delete(owner, "TXT"))

    def send_update(self, fill, secret=None):
        name, _, right = self.tsig.split(":")
        message = dns.update.Update("mailingl.st", keyring=dns.tsigkeyring.from_text({name: secret or right}),
                                    keyalgorithm=dns.tsig.HMAC_SHA256)
        fill(message)
        try:
            return dns.rcode.to_text(dns.query.tcp(message, DNS, timeout=5).rcode())
        except dns.tsig.PeerError as e:
            return type(e).__name__

    def serial(self, zone="mailingl.st"):
        return int(self.query(zone, "SOA")[0].split()[2])

    def start_sink(self, addresses=((SINK, 25),), policy=None, name="sink"):
        from lib.sink import Sink
        sink = Sink(self.folder, addresses, policy, name)
        self.sinks.append(sink)
        return sink

    def nec_argv(self, listen=NEC, destination=LIPAP, password=None, tsig=None, more=()):
        return [self.program("nec"), "--domain", "mailingl.st",
                "--password-file", self.file(f"nec-{listen}.password", password or self.password),
                "--dns-server", DNS, "--dns-key-file", self.file(f"nec-{listen}.key", tsig or self.tsig),
                "--destination", destination, "--listen", f"{listen}:25", *more]

    def start_nec(self, ready=True, name="nec", listen=NEC, **options):
        """Starts a signer; with `ready`, waits until it would sign."""
        process = self.start(name, self.nec_argv(listen=listen, **options))
        process.wait_listens(listen)
        if ready:
            self.wait_ready(process)
        return process

    def wait_ready(self, nec):
        """Waits until a signer says that its key is served and it signs."""
        return nec.wait_log(r"event=ready\b", 60)

    def create(self, subscribers, name="ptt", size="256M", settings=()):
        """The image with one list, ptt@mailingl.st, whose first subscriber posts in most tests."""
        if not os.path.exists(self.image):
            self.run("ptt", "create", self.image, "--size", size)
        self.run("ptt", "add", self.image, "--domain", "mailingl.st", name, "--moderator", "moderator@author.test",
                 *[word for s in subscribers for word in ("--subscriber", s)], *settings)

    def lipap_argv(self, more=(), nameserver=DNS):
        return [self.program("lipap"), "--image", self.image, "--domain", "mailingl.st", "--hostname",
                "mx.mailingl.st", "--signer", NEC, "--signer-network", "127.0.0.1/32", "--nameserver", f"udp:{nameserver}",
                "--password-file", self.file("lipap.password", self.list_password), "--listen", f"{LIPAP}:25", *more]

    def start_lipap(self, more=(), nameserver=DNS):
        process = self.start("lipap", self.lipap_argv(more, nameserver))
        process.wait_log(r"event=ready\b", 30)
        process.wait_listens(LIPAP)
        return process

    # the end

    def end(self):
        """Stops what still runs, the last started first."""
        for process in reversed(self.processes):
            try:
                process.stop()
            except AssertionError as e:
                self.failed = True
                print(f"not ok stop {process.name}: {e}", flush=True)
        for sink in self.sinks:
            sink.close()

    def logs(self):
        for process in {p.log_path: p for p in self.processes}.values():
            with open(process.log_path, encoding="utf-8", errors="replace") as f:
                text = f.read()
            print(f"-- {process.name}\n{text[-6000:]}", file=sys.stderr)


def namespaces():
    """The first way to a network of our own that works here; None if there is none."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    for more in (["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"], []):
        argv = ["unshare", *user, "--net", *more, "--"]
        if subprocess.run(argv + ["ip", "link", "set", "lo", "up"], stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0:
            os.environ["PTT_OWN_MOUNTS"] = "1" if "--mount" in more else "0"
            return argv
    return None


def enter():
    """Runs the script again inside its own network; inside, brings up the loopback and its extra address."""
    if os.environ.get("PTT_OWN_NETWORK") != "1":
        missing = [t for t in TOOLS if not shutil.which(t, path=search_path())] + [MODULE_MISSING] * bool(MODULE_MISSING)
        if missing:
            raise Skip(f"needs {', '.join(missing)}")
        argv = namespaces()
        if not argv:
            raise Skip("no network namespace can be made here")
        os.environ["PTT_OWN_NETWORK"] = "1"
        os.environ["PATH"] = search_path()
        os.execvp(argv[0], argv + [sys.executable] + sys.argv)
    ip("link set lo up", f"addr add {STRANGER}/32 dev lo")
    if not NET.startswith("127."):
        ip("link add ptt type bridge forward_delay 0", "link set ptt up",
           *(f"addr add {address}/24 dev ptt" for address in (DNS, SINK, POSTER)))


def ip(*commands):
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True, stdin=subprocess.DEVNULL)


def search_path():
    """PATH with the folders of servers, which users often lack."""
    return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"


def main(run, needs=(), kind=World):
    """Frames a whole script: run(world) inside its own network and scratch folder, with the programs it needs."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD-FOLDER")
    script = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    build = os.path.abspath(sys.argv[1])
    try:
        enter()
    except Skip as e:
        print(f"skip {script}: {e}")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix=f"ptt-{script}-") as folder:
        world, skipped = kind(build, folder), False
        try:
            for name in needs:
                world.program(name)
            run(world)
        except Skip as e:
            print(f"skip {script}: {e}", flush=True)
            skipped = True
        except Exception as e:
            world.failed = True
            print(f"not ok {script}: {e!r}".replace("\n", " | "), flush=True)
            traceback.print_exc()
        finally:
            world.end()
            if world.failed:
                world.logs()
    sys.exit(1 if world.failed else 77 if skipped else 0)
