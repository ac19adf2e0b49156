# SPDX-License-Identifier: ISC
"""Second and third opinions on a signature: dkimpy and Perl's Mail::DKIM, both with knot's records, and blaze."""
import os
import subprocess

from lib.rig import DNS, check


def dkimpy(world, message):
    """True when dkimpy accepts the topmost signature."""
    import dkim

    def txt(name, timeout=5):
        found = world.query(name.decode() if isinstance(name, bytes) else name, "TXT")
        return found[0].encode() if found and len(found) == 1 else None

    return dkim.verify(message, dnsfunc=txt)


PERL = r"""
use strict; use warnings;
use Net::DNS; use Mail::DKIM::DNS; use Mail::DKIM::Verifier;
my $server = shift;
Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(nameservers => [$server], recurse => 0, udp_timeout => 5));
for my $file (@ARGV) {
        my $dkim = Mail::DKIM::Verifier->new;
        open my $in, '<:raw', $file or die "$file: $!";
        while (<$in>) { $dkim->PRINT($_) }
        $dkim->CLOSE;
        my @all = map { $_->domain . '=' . $_->result_detail } $dkim->signatures;
        print "$file\t@all\n";
}
"""


def mail_dkim(files):
    """{file: "domain=result ..."} by Mail::DKIM, one run for all files."""
    done = subprocess.run(["perl", "-e", PERL, DNS, *files], capture_output=True, stdin=subprocess.DEVNULL, text=True,
                          timeout=120)
    check(done.returncode == 0, f"Mail::DKIM: {done.stderr}")
    return dict(line.split("\t", 1) for line in done.stdout.splitlines())


def blaze(world, file):
    """What `blaze dkim verify` prints for a message with CRLF line ends, and its exit status."""
    done = subprocess.run([world.program("blaze"), "dkim", "verify", "-n", f"udp:{DNS}", "--newline", "crlf", file],
                          capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=60)
    return done.returncode, (done.stdout + done.stderr).strip()


def all_agree(world, copies, domain="mailingl.st"):
    """Fails unless each copy verifies for `domain` in the eyes of all three."""
    files = []
    for number, copy in enumerate(copies):
        path = os.path.join(world.folder, f"copy-{number}.eml")
        with open(path, "wb") as f:
            f.write(copy.bytes())
        files.append(path)
        check(dkimpy(world, copy.bytes()), f"dkimpy refuses the copy for {copy.recipients}")
        status, said = blaze(world, path)
        check(status == 0 and f"[OK]: {domain}" in said, f"blaze on the copy for {copy.recipients}: {status} {said}")
    for file, said in mail_dkim(files).items():
        check(f"{domain}=pass" in said.split(), f"Mail::DKIM on {os.path.basename(file)}: {said}")
