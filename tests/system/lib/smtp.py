# SPDX-License-Identifier: ISC
"""A sender of mail that does exactly as it is told, also what it should not."""
import re
import socket


class Lost(Exception):
    """The connection ended before an answer came."""


class Smtp:
    def __init__(self, to, port=25, source=None, timeout=30, greet=True):
        self.socket = socket.create_connection((to, port), timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.greeting = self.answer() if greet else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as e:
            raise Lost(str(e)) from e

    def answer(self):
        """One reply, its lines joined: "250 2.1.0 fine"."""
        lines = []
        while True:
            end = self.buffer.find(b"\r\n")
            while end < 0:
                try:
                    more = self.socket.recv(65536)
                except OSError as e:
                    raise Lost(f"{e} after {lines}") from e
                if not more:
                    raise Lost(f"closed after {lines}")
                self.buffer += more
                end = self.buffer.find(b"\r\n")
            line, self.buffer = self.buffer[:end].decode("utf-8", "replace"), self.buffer[end + 2:]
            if not re.match(r"[2-5]\d\d[ -]|[2-5]\d\d$", line):
                raise AssertionError(f"not a reply line: {line!r}")
            lines.append(line)
            if line[3:4] != "-":
                return lines[-1][:4] + "\n".join(text[4:] for text in lines)

    def command(self, line):
        self.send(line.encode() + b"\r\n")
        return self.answer()

    def closed(self):
        """Waits for the other side to close; anything more that it says is given back."""
        try:
            while True:
                more = self.socket.recv(65536)
                if not more:
                    break
                self.buffer += more
        except ConnectionError:
            pass
        said, self.buffer = self.buffer, b""
        return said

    def data(self, message):
        """The message with dots doubled and the final dot; the answer to it."""
        if not message.endswith(b"\r\n"):
            message += b"\r\n"
        self.send((b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")
        return self.answer()

    def chunks(self, *pieces):
        """A message by BDAT (RFC 3030); the answers, one a chunk. A refusal ends it."""
        said = []
        for number, piece in enumerate(pieces, 1):
            self.send(b"BDAT %d%s\r\n" % (len(piece), b" LAST" * (number == len(pieces))) + piece)
            said.append(self.answer())
            if said[-1][0] != "2":
                break
        return said

    def post(self, sender, recipients, message, parameters=""):
        """One transaction without pipelining. The first answer that is not good ends it and is given back."""
        said = self.command(f"MAIL FROM:<{sender}>{parameters}")
        for recipient in recipients:
            if said[0] == "2":
                said = self.command(f"RCPT TO:<{recipient}>")
        if said[0] == "2":
            said = self.command("DATA")
        return self.data(message) if said[0] == "3" else said


def post(to, sender, recipients, message, source=None, parameters="", timeout=60):
    """A session of one message; the answer to its end, or the first refusal."""
    with Smtp(to, source=source, timeout=timeout) as s:
        if s.greeting[0] != "2":
            return s.greeting
        s.command("EHLO poster.author.test")
        said = s.post(sender, recipients, message, parameters)
        s.send(b"QUIT\r\n")
        return said
