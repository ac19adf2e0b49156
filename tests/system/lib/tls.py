# SPDX-License-Identifier: ISC
"""Certificates made by openssl, and mail servers that speak TLS by Python's ssl."""
import datetime
import hashlib
import os
import socket
import ssl
import subprocess
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def key_hash(pem):
    """SHA-256 of its public key, as TLSA 3 1 1 has it."""
    public = subprocess.run(["openssl", "x509", "-pubkey", "-noout"], input=pem.encode(), capture_output=True, check=True)
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public.stdout, capture_output=True,
                         check=True)
    return hashlib.sha256(der.stdout).hexdigest()


def make_pair(world, name, subject):
    cert, key = (os.path.join(world.folder, f"{name}.{kind}") for kind in ("crt", "key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={subject}",
                    "-addext", f"subjectAltName=DNS:{subject}", "-keyout", key, "-out", cert], capture_output=True, check=True)
    return cert, key


class Authority:
    """A root of our own, in the file `path`, and what it signs."""

    def __init__(self, world):
        self.world, self.key = world, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test root")])
        self.path = self.write("root.crt", self.sign("test root", self.key, 30, x509.BasicConstraints(True, None)))

    def write(self, name, thing):
        return self.world.file(name, thing.decode())

    def sign(self, subject, key, days, extension):
        now = datetime.datetime.now(datetime.timezone.utc)
        until = now + datetime.timedelta(days=days)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        made = x509.CertificateBuilder(self.name, name, key.public_key(), x509.random_serial_number(),
                                       min(now, until) - datetime.timedelta(days=1), until)
        return made.add_extension(extension, False).sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def make_pair(self, name, subject, days=30):
        """A certificate for a host name, and its key: two files. One of -1 days has expired yesterday."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(subject)])
        return self.write(f"{name}.crt", self.sign(subject, key, days, names)), self.write(
            f"{name}.key", key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                             serialization.NoEncryption()))


def context_of(pair):
    """A server's, with a certificate and its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


class TlsSink(threading.Thread):
    """A mail server that offers STARTTLS: `kind` "tls" takes it, "refuses" says 454, "broken" hangs up in the handshake; "clear"
    does not offer it."""

    def __init__(self, address, kind, context):
        super().__init__(daemon=True)
        self.kind, self.context, self.taken = kind, context, []
        self.socket = socket.create_server((address, 25))

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def close(self):
        self.socket.close()

    def serve(self, connection):
        try:
            self.talk(connection)
        except (OSError, ssl.SSLError):
            pass
        finally:
            connection.close()

    def talk(self, connection):
        version, stream = "", connection.makefile("rwb")

        def say(text):
            stream.write(text.encode() + b"\r\n")
            stream.flush()
        say("220 sink")
        while line := stream.readline():
            verb = line.split()[0].upper()
            if verb == b"EHLO":
                say("250 sink" if version or self.kind == "clear" else "250-sink\r\n250 STARTTLS")
            elif verb == b"STARTTLS" and self.kind == "refuses":
                say("454 4.7.0 not now")
            elif verb == b"STARTTLS":
                say("220 2.0.0 go")
                if self.kind == "broken":
                    connection.recv(100)
                    return
                connection = self.context.wrap_socket(connection, server_side=True)
                version, stream = connection.version(), connection.makefile("rwb")
            elif verb == b"DATA":
                say("354 go")
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    body += stream.readline()
                self.taken.append((version, body[:-3]))
                say("250 2.0.0 taken")
            elif verb == b"QUIT":
                say("221 2.0.0 bye")
                return
            else:
                say("250 2.0.0 fine")
