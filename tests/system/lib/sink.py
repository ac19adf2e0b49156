# SPDX-License-Identifier: ISC
"""A receiving mail server that keeps everything it sees: the subscribers' side of a test.

It runs on a thread of the test. Each copy is kept in one file, with its envelope; each event (open, mail, rcpt, dot,
reply, close) is kept with a time and a connection number, in memory and as a line of sink.log. A policy, a plain
function, may answer otherwise than 250, late, or not at all.
"""
import asyncio
import hashlib
import json
import os
import re
import threading
import time
from dataclasses import dataclass, field

DROP = object()  # a policy's answer: close the connection without a word
END = b"\r\n.\r\n"


@dataclass
class Event:
    at: float  # time.monotonic()
    conn: int
    kind: str  # open mail rcpt dot reply close
    to: str = ""  # the address that was connected to
    text: str = ""  # mail, rcpt: the address; reply: its text; close: "quit", "eof" or "reset"


@dataclass
class Copy:
    """One message as it arrived: transparency undone, line ends as sent, no header added."""
    sink: "Sink"
    conn: int
    at: float  # when its final dot came
    to: str
    sender: str
    recipients: list
    offset: int
    size: int
    sha256: str
    answered: str = ""  # the reply to the final dot, empty if none was sent
    tls: str = ""  # "TLSv1.3", empty in the clear

    def bytes(self):
        with open(self.sink.store, "rb") as f:
            f.seek(self.offset)
            return f.read(self.size)


@dataclass
class Session:
    sender: str = None
    recipients: list = field(default_factory=list)


class Receiver(asyncio.Protocol):
    """One connection."""

    def __init__(self, sink, to):
        self.sink, self.to = sink, to
        self.buffer, self.scanned, self.in_data, self.chunk = bytearray(), 0, False, None
        self.session, self.how, self.queue, self.busy, self.tls = Session(), "eof", [], False, ""

    def connection_made(self, transport):
        self.transport, self.conn = transport, self.sink.next_connection()
        self.sink.open.add(transport)
        self.sink.note(self.conn, "open", self.to)
        self.answer("open", "", f"220 {self.sink.name} ESMTP")

    def connection_lost(self, exc):
        self.sink.open.discard(self.transport)
        self.sink.note(self.conn, "close", self.to, "reset" if exc else self.how)

    def data_received(self, data):
        self.buffer += data
        if not self.busy:
            self.advance()

    def advance(self):
        """Takes whole commands and whole messages off the buffer, until a reply has to wait."""
        while not self.busy and not self.transport.is_closing():
            if self.in_data:
                if not self.take_message():
                    return
            elif self.chunk is not None:
                if not self.take_chunk():
                    return
            else:
                end = self.buffer.find(b"\r\n")
                if end < 0:
                    return
                line = bytes(self.buffer[:end])
                del self.buffer[:end + 2]
                self.command(line)

    def offers_tls(self):
        return bool(self.sink.tls and not self.tls)

    def secured(self, transport):
        self.transport, self.tls, self.busy = transport, transport.get_extra_info("ssl_object").version(), False
        self.advance()

    def command(self, line):
        if b"\n" in line or b"\r" in line:
            self.sink.fault(f"bare CR or LF in the command {line!r}")
        verb = line.split(b" ")[0].upper().decode("ascii", "replace")
        path = re.search(rb"<([^>]*)>", line)
        path = path.group(1).decode("utf-8", "replace") if path else ""
        if verb == "EHLO":
            self.reply(f"250-{self.sink.name}\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250-8BITMIME\r\n"
                       "250-ENHANCEDSTATUSCODES\r\n" + "250-CHUNKING\r\n" * self.sink.chunking
                       + "250-STARTTLS\r\n" * self.offers_tls() + "250 SMTPUTF8")
        elif verb == "STARTTLS" and self.offers_tls():
            self.reply("220 2.0.0 go")
            self.busy, self.session = True, Session()
            self.sink.secure(self)
        elif verb == "HELO":
            self.reply(f"250 {self.sink.name}")
        elif verb == "MAIL":
            self.session = Session(path)
            self.sink.note(self.conn, "mail", self.to, path)
            self.answer("mail", path, "250 2.1.0 fine")
        elif verb == "RCPT":
            self.sink.note(self.conn, "rcpt", self.to, path)
            self.answer("rcpt", path, "250 2.1.5 fine")
        elif verb == "DATA":
            if not self.session.recipients:
                self.reply("554 5.5.1 no valid recipients")
            else:
                self.in_data, self.scanned = True, 0
                self.reply("354 go on")
        elif verb == "BDAT" and self.sink.chunking and line.endswith(b" LAST"):
            self.chunk = int(line.split()[1])
        elif verb == "RSET":
            self.session = Session()
            self.reply("250 2.0.0 fine")
        elif verb == "NOOP":
            self.reply("250 2.0.0 fine")
        elif verb == "QUIT":
            self.how = "quit"
            self.reply("221 2.0.0 bye")
            self.transport.close()
        else:
            self.sink.fault(f"unknown command {line!r}")
            self.reply("500 5.5.1 what?")

    def take_message(self):
        if self.buffer.startswith(b".\r\n"):
            end, after = 0, 3
        else:
            end = self.buffer.find(END, self.scanned)
            if end < 0:
                self.scanned = max(0, len(self.buffer) - len(END))
                return False
            end, after = end + 2, end + len(END)
        raw = bytes(self.buffer[:end])
        del self.buffer[:after]
        self.in_data = False
        if raw.count(b"\n") != raw.count(b"\r\n") or raw.count(b"\r") != raw.count(b"\r\n"):
            self.sink.fault("bare CR or LF in a message")
        self.arrive((b"\r\n" + raw).replace(b"\r\n.", b"\r\n")[2:])
        return True

    def take_chunk(self):
        """A message of one chunk, which is all that is looked for here."""
        if len(self.buffer) < self.chunk:
            return False
        text = bytes(self.buffer[:self.chunk])
        del self.buffer[:self.chunk]
        self.chunk = None
        self.arrive(text)
        return True

    def arrive(self, text):
        self.sink.note(self.conn, "dot", self.to, ",".join(self.session.recipients))
        self.arrived = self.session, text, time.monotonic()
        self.session = Session()
        self.answer("dot", self.arrived[0].recipients[0], "250 2.0.0 kept")

    def answer(self, kind, text, usual):
        """Asks the policy, and replies now or later. Commands behind a late answer wait."""
        said = self.sink.policy(kind, self.to, text, self.conn) if self.sink.policy else None
        wait, said = said if isinstance(said, tuple) else (0, said)
        if wait:
            self.busy = True
            asyncio.get_running_loop().call_later(wait, self.finish, kind, text, said or usual)
        else:
            self.finish(kind, text, said or usual)

    def finish(self, kind, text, said):
        late, self.busy = self.busy, False
        if kind == "rcpt" and said is not DROP and said.startswith("2"):
            self.session.recipients.append(text)
        if kind == "dot":
            session, message, at = self.arrived
            self.arrived = None
            self.sink.keep(self, session, message, at, "" if said is DROP else said)
        if said is DROP:
            self.how = "dropped"
            self.transport.abort()
            return
        self.reply(said)
        if said.startswith("421"):
            self.transport.close()
        if late:
            self.advance()

    def reply(self, text):
        self.sink.note(self.conn, "reply", self.to, text)
        self.transport.write(text.encode() + b"\r\n")


class Sink:
    def __init__(self, folder, addresses, policy=None, name="sink.test"):
        """Listens on all (address, port) pairs; `policy(kind, to, text, conn)` gives None for the usual answer, or a
        reply line, or DROP, or (seconds, one of these). It is called on the sink's thread."""
        self.name, self.policy, self.chunking = name, policy, False
        self.tls = None  # the context of a server that offers STARTTLS
        self.store = os.path.join(folder, f"{name}.mail")
        self.log = open(os.path.join(folder, f"{name}.log"), "w", encoding="utf-8")
        self.file = open(self.store, "wb")
        self.lock = threading.Lock()
        self.events, self.copies, self.faults, self.connections = [], [], [], 0
        self.servers, self.open, self.tasks = [], set(), set()
        self.loop, up = asyncio.new_event_loop(), threading.Event()
        self.trouble = None
        self.thread = threading.Thread(target=self.run, args=(addresses, up), daemon=True)
        self.thread.start()
        up.wait()
        if self.trouble:
            raise self.trouble

    def run(self, addresses, up):
        asyncio.set_event_loop(self.loop)
        try:
            for to, port in addresses:
                self.servers.append(self.loop.run_until_complete(
                    self.loop.create_server(lambda to=to: Receiver(self, to), to, port, backlog=1024)))
        except OSError as e:
            self.trouble = e
            return
        finally:
            up.set()
        self.loop.run_forever()
        for server in self.servers:
            server.close()
        for transport in list(self.open):
            transport.abort()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def secure(self, receiver):
        """Lets one connection go on under TLS. One whose handshake fails is gone."""
        async def work(old=receiver.transport):
            self.open.discard(old)
            try:
                new = await self.loop.start_tls(old, receiver, self.tls, server_side=True)
            except OSError as e:  # ssl.SSLError too
                self.note(receiver.conn, "close", receiver.to, f"tls: {e}")
                return
            self.open.add(new)
            receiver.secured(new)
        self.tasks.add(task := self.loop.create_task(work()))
        task.add_done_callback(self.tasks.discard)

    def next_connection(self):
        self.connections += 1
        return self.connections

    def note(self, conn, kind, to, text=""):
        event = Event(time.monotonic(), conn, kind, to, text)
        with self.lock:
            self.events.append(event)
        self.log.write(json.dumps([round(event.at, 6), conn, kind, to, text]) + "\n")

    def fault(self, text):
        with self.lock:
            self.faults.append(text)

    def keep(self, receiver, session, message, at, answered):
        with self.lock:
            offset = self.file.tell()
            self.file.write(message)
            self.file.flush()
            self.copies.append(Copy(self, receiver.conn, at, receiver.to, session.sender, session.recipients, offset,
                                    len(message), hashlib.sha256(message).hexdigest(), answered, receiver.tls))

    def taken(self, recipient=None):
        """The copies that were answered 2xx, all or one recipient's, in order of arrival."""
        with self.lock:
            return [c for c in self.copies
                    if c.answered.startswith("2") and (recipient is None or recipient in c.recipients)]

    def wait(self, count, seconds):
        """Waits for `count` copies answered 2xx; gives how many there are."""
        until = time.monotonic() + seconds
        while len(self.taken()) < count and time.monotonic() < until:
            time.sleep(0.05)
        return len(self.taken())

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.log.close()
        self.file.close()
