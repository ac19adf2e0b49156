# SPDX-License-Identifier: ISC
"""The messages that are signed, verified and sealed: what an author sent to a list, of some sizes."""
import os
import random
import subprocess

AUTHOR, LIST, CLIENT = "desk.test", "list.test", "192.0.2.7"
SIZES = {4096: "4 KB", 50 * 1024: "50 KB", 5 * 1024 * 1024: "5 MB"}
HEADER = """\
Received: from mail.desk.test (mail.desk.test [192.0.2.7]) by mx.list.test with ESMTPS
 id 2c4f1c5d6e; Sun, 22 Nov 2026 10:00:00 +0000
Authentication-Results: list.test; spf=pass smtp.mailfrom=desk.test;
 dkim=pass header.d=desk.test header.s=s1; dmarc=pass header.from=desk.test; arc=none
Received: from pc.desk.test (pc.desk.test [198.51.100.9]) by mail.desk.test with ESMTPSA
 id 9a1b2c3d4e; Sun, 22 Nov 2026 09:59:59 +0000
From: A. Uthor <author@desk.test>
To: The list <list@list.test>
Cc: Somebody Else <else@somewhere.test>
Subject: Re: Minutes of the meeting, and what is to be done
Date: Sun, 22 Nov 2026 09:59:58 +0000
Message-ID: <6f1d6a3c-6d3f-4a0f@desk.test>
In-Reply-To: <0b7a5c11-8a51-4b53@somewhere.test>
References: <3e1d2c4b-5a69-4787@somewhere.test>
 <0b7a5c11-8a51-4b53@somewhere.test>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit
User-Agent: a mail program

"""
TIME = "1795341600"


def text(size):
    """Paragraphs of words on lines of at most 72 characters; the same ones each time."""
    draw = random.Random(size)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(1, 10))) for _ in range(2000)]
    lines, line, total = [], "", 0
    while total < size:
        word = draw.choice(words)
        if len(line) + 1 + len(word) > 72:
            lines.append(line)
            total += len(line) + 2
            line = ""
            if len(lines) % 12 == 0:
                lines.append("")
                total += 2
        line = f"{line} {word}".strip()
    return "\r\n".join(lines)[:size - 2] + "\r\n"


class Letters:
    """plain, signed by its author, and signed and sealed by another list; with the one key of all of them."""

    def __init__(self, world, folder, size):
        self.world, self.folder = world, os.path.join(folder, str(size))
        os.mkdir(self.folder)
        self.key, self.record = self.path("key.pem"), self.path("record.txt")
        blaze = world.program("blaze")
        seed = "YmVuY2htYXJrcyB1c2Ugb25lIGtleSBvbmx5"
        with open(self.key, "wb") as f:
            subprocess.run([blaze, "dkim", "gen", "--seed", seed, "-r", self.record], stdout=f, check=True)
        header = HEADER.replace("\n", "\r\n")
        self.plain, self.signed, self.sealed = map(self.path, ("plain.eml", "signed.eml", "sealed.eml"))
        with open(self.plain, "wb") as f:
            f.write((header + text(size - len(header))).encode())
        subprocess.run([blaze, "dkim", "sign", "-s", "s1", "-h", AUTHOR, "-p", self.key, "-t", TIME, "--newline", "crlf",
                        "-o", self.signed, self.plain], check=True)
        subprocess.run([blaze, "arc", "sign", "-h", LIST, "--seal-selector", "s1", "--signature-selector", "s1",
                        "-p", self.key, "-t", TIME, "--newline", "crlf", "-o", self.sealed, self.signed], check=True)

    def zone(self):
        """What their readers look up, for the zone `test`."""
        with open(self.record, encoding="ascii") as f:
            record = f.read().strip()
        strings = " ".join(f'"{record[i:i + 250]}"' for i in range(0, len(record), 250))
        return (f's1._domainkey.desk 300 TXT {strings}\ns1._domainkey.list 300 TXT {strings}\n'
                f'_dmarc.desk 300 TXT "v=DMARC1; p=reject"\ndesk 300 TXT "v=spf1 ip4:{CLIENT} -all"\n')

    def path(self, name):
        return os.path.join(self.folder, name)
