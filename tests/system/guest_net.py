#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The network of a guest as strangers see it: initial sequence numbers, IPv6, and peers that take too much.

The guest is nec, which the whole bridge may talk to.
"""
import contextlib
import os
import random
import socket
import struct
import subprocess
import time

os.environ["PTT_RIG_NET"] = "10.77.0"

from lib import rig  # noqa: E402
from lib.machines import LONG_ONLY, Guests  # noqa: E402
from lib.rig import DNS, LONG, NEC, POSTER, check, ip, until  # noqa: E402
from lib.smtp import Smtp  # noqa: E402

V6_NET, V6_HOST, V6_GUEST = "fd77:77::/64", "fd77:77::1", "fd77:77::3"
FAR = "fd99::1"  # behind the gateway
TUPLES = 10000
SYN, ACK, RST = 2, 16, 4


# ---- segments made by hand ----

def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def segment(source, port, flags, seq=0, ack=0, to=NEC):
    head = struct.pack("!HHIIBBHHH", port, 25, seq, ack, 5 << 4, flags, 65535, 0, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(to) + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(head))
    return head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]


class Stranger:
    """Sends SYNs and reads the answers. The kernel, which knows nothing of them, resets each by itself."""

    def __init__(self, source):
        self.source = source
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.raw.bind((source, 0))
        self.raw.settimeout(1)

    def numbers(self, ports):
        """{port: initial sequence number of the guest for it}."""
        found, missing = {}, set(ports)
        for _ in range(50):
            if not missing:
                return found
            for port in random.sample(sorted(missing), min(100, len(missing))):
                self.raw.sendto(segment(self.source, port, SYN, random.getrandbits(32)), (NEC, 0))
            end = time.monotonic() + 0.3
            while missing and time.monotonic() < end:
                with contextlib.suppress(TimeoutError):
                    self.raw.settimeout(0.05)
                    self.take(found, missing)
            if len(missing) > 100:
                missing = set(ports) - set(found)
        return found

    def take(self, found, missing):
        packet = self.raw.recv(2048)
        head = packet[(packet[0] & 15) * 4:]
        source, port, seq, _, _, flags = struct.unpack("!HHIIBB", head[:14])
        if source == 25 and flags & (SYN | ACK) == SYN | ACK and port in missing:
            found[port] = seq
            missing.discard(port)


def all_numbers(stranger, count):
    found, ports = {}, list(range(10000, 10000 + count))
    for at in range(0, count, 100):
        found.update(stranger.numbers(ports[at:at + 100]))
    check(len(found) == count, f"{len(found)} of {count} SYNs were answered")
    return [found[port] for port in ports]


def chi_square(values):
    """Of 256 equal classes by the upper byte; with 255 degrees of freedom over 380 comes once in two million."""
    classes = [0] * 256
    for v in values:
        classes[v >> 24] += 1
    expected = len(values) / 256
    return sum((n - expected) ** 2 / expected for n in classes)


def when_made(stranger):
    """An initial sequence number for one pair of ends, and the times between which it was made."""
    before = time.monotonic()
    number = stranger.numbers([9000])[9000]
    return number, before, time.monotonic()


def sequence_numbers(world, machine):
    stranger = Stranger(POSTER)
    with world.case(f"{machine.name}: for one pair of ends the initial sequence number follows a clock of 4 us"):
        first, began, begun = when_made(stranger)
        for _ in range(5):
            time.sleep(0.4)
            number, least, most = when_made(stranger)
            seconds = (number - first) % (1 << 32) * 4e-6
            check((least - begun) * 0.97 < seconds < (most - began) * 1.03,
                  f"{seconds} s by the clock, between {least - begun} and {most - began}")
    with world.case(f"{machine.name}: over {TUPLES} pairs, and from one start to the next, they follow no pattern"):
        one = all_numbers(stranger, TUPLES)
        world.restart()
        two = all_numbers(stranger, TUPLES)
        for name, values in (("pairs", [(b - a) % (1 << 32) for a, b in zip(one, one[1:])]),
                             ("starts", [(b - a) % (1 << 32) for a, b in zip(one, two)])):
            score = chi_square(values)
            print(f"{machine.name}: chi-square over {name} {score:.0f}, 255 expected", flush=True)
            check(score < 380, f"over {name}: {score:.0f}")


# ---- IPv6 ----

def advertise():
    """One router advertisement of the host, with the prefix and a life of half an hour (RFC 4861 4.2, 4.6.2)."""
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as s:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("ptt"))
        prefix = socket.inet_pton(socket.AF_INET6, V6_NET.split("/", maxsplit=1)[0])
        s.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) +
                 struct.pack("!BBBBIII", 3, 4, 64, 0x80, 1800, 1800, 0) + prefix, ("ff02::1", 0))


def greets(address, source=None):
    with contextlib.suppress(OSError):
        with socket.create_connection((address, 25), 3, (source, 0) if source else None) as s:
            return s.recv(500).startswith(b"220 ")
    return False


def ipv6(world, machine):
    with world.case(f"{machine.name}: IPv6 from the same network"):
        until(10, "a greeting", lambda: greets(V6_GUEST))
    with world.case(f"{machine.name}: IPv6 from beyond, by the gateway that is named"):
        check(greets(V6_GUEST, FAR), "no greeting")
    world.restart(gateway=False)
    with world.case(f"{machine.name}: IPv6 from beyond, by a router's advertisement and not without it"):
        check(not greets(V6_GUEST, FAR), "an answer found its way before")
        until(20, "a greeting", lambda: advertise() or greets(V6_GUEST, FAR))


# ---- peers that take too much ----

def rest_served(machine, what):
    began = time.monotonic()
    with Smtp(NEC, source=POSTER, timeout=20) as s:
        check(s.command("NOOP").startswith("250"), "no answer to NOOP")
    print(f"{machine.name}: with {what}, a session took {time.monotonic() - began:.3f} s", flush=True)


def deaf_peers(world, machine):
    """Each asks much and reads nothing: replies fill what may wait to be sent."""
    with world.case(f"{machine.name}: 60 peers that do not read, and 60 that send a line without end"):
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(contextlib.closing(socket.create_connection((NEC, 25), 10)))
                     for _ in range(120)]
            for number, peer in enumerate(peers):
                peer.setblocking(False)
                for _ in range(200):
                    with contextlib.suppress(OSError):
                        peer.send(b"NOOP\r\n" * 5000 if number % 2 else b"x" * 30000)
            rest_served(machine, "120 greedy peers")


def half_open(world, machine):
    """SYNs from far addresses that never answer: the gateway drops what is for them, so nobody resets them."""
    with world.case(f"{machine.name}: 5000 handshakes that are never finished"):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind(("ptt", 0x800))
            mac = bytes.fromhex(neighbour(NEC).replace(":", ""))
            for number in range(5000):
                source = f"198.51.100.{1 + number % 250}"
                tcp = segment(source, 1024 + number, SYN, number)
                head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, socket.inet_aton(source),
                                   socket.inet_aton(NEC))
                head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
                wire.send(mac + b"\x02\0\0\0\0\x01" + b"\x08\0" + head + tcp)
        rest_served(machine, "5000 half-open connections")


# ---- packets that nobody should send ----

def sealed(kind, source, target, body):
    """A transport's body with a right checksum, which stands at 2 of ICMP, 16 of TCP, 6 of UDP."""
    at = {1: 2, 58: 2, 6: 16, 17: 6}.get(kind)
    if at is None or len(body) < at + 2:
        return body
    pseudo = b"" if kind == 1 else source + target + struct.pack("!II", len(body), kind)
    body = body[:at] + b"\0\0" + body[at + 2:]
    return body[:at] + struct.pack("!H", checksum(pseudo + body)) + body[at + 2:]


def body_of(rng, kind):
    size = rng.choice([0, 1, 3, 7, 8, 19, 20, 24, 40, 60, 100, 500, 1400])
    body = bytearray(rng.randbytes(size))
    if kind == 6 and size >= 20:  # to the listener, a plausible header length
        body[2:4], body[12] = struct.pack("!H", rng.choice([25, 25, 25, 0, 4000])), rng.choice([5, 6, 10, 15, 0, 4]) << 4
    elif kind == 58 and size >= 4:  # router and neighbour discovery, multicast listeners, too big, echo
        body[0:2] = bytes([rng.choice([133, 134, 135, 136, 137, 130, 131, 132, 143, 1, 2, 3, 4, 128, 129]), 0])
    elif kind == 1 and size >= 4:
        body[0:2] = bytes([rng.choice([0, 3, 4, 5, 8, 11, 13, 17]), rng.choice([0, 1, 3, 4])])
    return bytes(body)


def ipv4_packet(rng):
    kind = rng.choice([1, 6, 6, 17, 2, 50, rng.randrange(256)])
    source, target = socket.inet_aton(rng.choice([POSTER, "10.77.0.255", NEC, "0.0.0.0", "224.0.0.1", "198.51.100.9"])), \
        socket.inet_aton(rng.choice([NEC, NEC, NEC, "10.77.0.255", "255.255.255.255", "224.0.0.1"]))
    options = rng.randbytes(4 * rng.choice([0, 0, 0, 1, 10]))
    body = sealed(kind, source, target, body_of(rng, kind))
    length = 20 + len(options) + len(body) + rng.choice([0, 0, 0, -1, 5, -20, 3000])
    fragment = rng.choice([0, 0, 0, 0x2000, 0x2001, 0x1fff, 0x3fff, rng.randrange(1 << 14)])
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | rng.choice([5 + len(options) // 4] * 9 + [rng.randrange(16)]), 0,
                       max(length, 0), rng.choice([1, 2, rng.randrange(1 << 16)]), fragment, 64, kind, 0, source, target)
    head += options
    return 0x800, head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def ipv6_packet(rng):
    kind = rng.choice([6, 17, 58, 58, 58, rng.randrange(256)])
    source, target = (socket.inet_pton(socket.AF_INET6, rng.choice(some)) for some in (
        [V6_HOST, "fe80::1", "::", FAR, V6_GUEST, "ff02::1"], [V6_GUEST, V6_GUEST, "ff02::1", "ff02::1:ff00:3", "::1"]))
    body = sealed(kind, source, target, body_of(rng, kind))
    for _ in range(rng.choice([0, 0, 0, 1, 2, 8])):  # headers in between: options, routing, fragments
        extension = rng.choice([0, 43, 44, 60])
        length = rng.choice([0, 0, 1, 255])
        body = bytes([kind, length]) + rng.randbytes(6 + 8 * (length if length < 9 else 0)) + body
        kind = extension
    length = len(body) + rng.choice([0, 0, 0, -1, 7, 2000])
    return 0x86dd, struct.pack("!IHBB", 6 << 28, max(length, 0), kind, rng.choice([255, 255, 64, 0])) + source + target + body


def arp_packet(rng):
    addresses = [socket.inet_aton(a) for a in (NEC, POSTER, "10.77.0.77", "0.0.0.0")]
    return 0x806, struct.pack("!HHBBH6s4s6s4s", rng.choice([1, 1, 6]), 0x800, rng.choice([6, 6, 0, 255]), rng.choice([4, 4, 16]),
                              rng.choice([1, 2, 3]), rng.randbytes(6), rng.choice(addresses[2:]), rng.randbytes(6),
                              rng.choice(addresses))[:rng.choice([28, 28, 28, 10, 27])]


def malformed(world, machine):
    """The seed is printed; PTT_SEED repeats a run."""
    seed = int(os.environ.get("PTT_SEED") or random.SystemRandom().randrange(1 << 32))
    rng, count = random.Random(seed), 200000 if LONG else 20000
    print(f"seed {seed}", flush=True)
    with world.case(f"{machine.name}: {count} malformed packets"):
        mac = bytes.fromhex(neighbour(NEC).replace(":", ""))
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind(("ptt", 0x800))
            for number in range(count):
                kind, packet = rng.choice([ipv4_packet, ipv4_packet, ipv6_packet, ipv6_packet, arp_packet])(rng)
                if rng.random() < 0.2:
                    packet = packet[:rng.randrange(len(packet) + 1)]
                wire.send(mac + b"\x02\0\0\0\0\x02" + struct.pack("!H", kind) + packet[:1500])
                if number % 1000 == 999:
                    check(world.guest_process.popen.poll() is None, f"the guest died: {world.guest_process.log()[-800:]}")
        subprocess.run(["ip", "neigh", "flush", "dev", "ptt"], check=True)
        until(30, "the guest serves again", lambda: greets(NEC, POSTER))
        rest_served(machine, "them behind it")


def neighbour(address):
    shown = subprocess.run(["ip", "neigh", "show", address], capture_output=True, text=True, check=True).stdout.split()
    return shown[shown.index("lladdr") + 1]


# ---- the guest ----

class Target(Guests):
    guest_process = None

    def restart(self, gateway=True):
        if self.guest_process:
            self.guest_process.kill()
        more = ["--ipv6-gateway", V6_HOST] if gateway else []
        self.guest_process = self.start("nec", self.guest("nec", NEC, [
            "--ipv4-gateway", DNS, "--ipv6", f"{V6_GUEST}/64", *more, "--domain", "mailingl.st", "--password", self.password, "--dns-server", DNS,
            "--dns-key", self.tsig, "--destination", DNS, "--memory", "16M", "--accept-from", "10.77.0.0/24",
            "--accept-from", "fd00::/8", "--listen", "0.0.0.0:25", "--listen", "[::]:25"], memory=64))
        self.guest_process.wait_listens(NEC, seconds=self.machine.patience)


def run(world):
    for number, machine in enumerate(world.machines("nec", () if LONG else (LONG_ONLY,))):
        if number == 0:
            ip(f"addr add {V6_HOST}/64 dev ptt nodad", f"addr add {FAR}/128 dev lo nodad")
        world.restart()
        ipv6(world, machine)
        sequence_numbers(world, machine)
        deaf_peers(world, machine)
        half_open(world, machine)
        malformed(world, machine)
        world.guest_process.kill()


rig.main(run, [], Target)
