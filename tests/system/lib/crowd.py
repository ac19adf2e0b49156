# SPDX-License-Identifier: ISC
"""Thousands of connections to one server, from as many loopback addresses as it takes, driven by one thread."""
import contextlib
import resource
import selectors
import socket
import time

from lib.rig import LIPAP, Skip

SPARE = 200  # descriptors that the script needs for itself


def sources():
    """Loopback addresses without end, none of them one of the rig's."""
    for high in range(100, 250):
        for low in range(1, 250):
            yield f"127.1.{high}.{low}"


def take_descriptors(count):
    """For this process and those that it starts; skipped by name where they are not given."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + SPARE:
        raise Skip(f"{count} connections need {count + SPARE} descriptors (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < count + SPARE:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + SPARE, hard))


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS:")).split()[1])


class Peer:
    """One connection: what it has said to us, and whether it was closed."""

    def __init__(self, source, to):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind((source, 0))
        self.heard = b""
        self.is_closed = False
        self.socket.connect_ex((to, 25))

    def say(self, data):
        if not self.is_closed:
            with contextlib.suppress(OSError):
                self.socket.send(data)

    def hear(self):
        try:
            more = self.socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        self.heard += more
        self.is_closed = self.is_closed or not more


class Crowd:
    """Many peers, `each` from one address."""

    def __init__(self, each=40, to=LIPAP):
        self.to, self.each, self.peers, self.selector = to, each, [], selectors.DefaultSelector()
        self.addresses = sources()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for peer in self.peers:
            peer.socket.close()
        self.selector.close()

    def grow(self, count, at_once=200):
        """That many more, each of which has heard something, a banner or a refusal."""
        more = []
        for n in range(count):
            if n % self.each == 0:
                source = next(self.addresses)
            more.append(Peer(source, self.to))
            self.selector.register(more[-1].socket, selectors.EVENT_READ, more[-1])
            if n % at_once == at_once - 1:
                self.wait(lambda: all(p.heard or p.is_closed for p in more), 60)
        self.peers += more
        self.wait(lambda: all(p.heard or p.is_closed for p in more), 60)
        return more

    def listen(self, seconds=0.0):
        """Take what has come; a closed connection is heard no more."""
        for key, _ in self.selector.select(seconds):
            key.data.hear()
            if key.data.is_closed:
                self.selector.unregister(key.fileobj)

    def wait(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"a crowd of {len(self.peers)} has not heard in {seconds} s")
            self.listen(0.05)

    def say(self, data):
        for peer in self.peers:
            peer.say(data)

    def forget(self):
        """What was heard so far."""
        self.listen()
        for peer in self.peers:
            peer.heard = b""

    def alive(self):
        return [p for p in self.peers if not p.is_closed]
