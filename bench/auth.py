# SPDX-License-Identifier: ISC
"""Signing, verifying and sealing: messages a second of CPU time, beside libraries of others and beside what the
cryptography of it takes alone."""
import os
import subprocess

from letters import SIZES, Letters
from measure import is_built, one_core, rows, rows_of

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS, SECONDS_SMOKE = 2, 0.02
# what is promised of ours in the peer's at each size, and in cryptography alone
SIGN, SIGN_BOUND = (3.2, 3.6, 4.5), 0.9
VERIFY = (6, 6, 4.5)
SEAL, SEAL_BOUND = (2.3, 5, 5), 0.85


def measured(world, letters, seconds):
    """One repetition: for each of the three, the rates at one size."""
    def rate(name, *arguments):
        return rows(world, name, *arguments, seconds, before=one_core())["each-cpu-second"]

    runs = {
        "sign": {"ours": rate("auth", "sign", letters.key, letters.plain),
                 "bound": rate("auth", "bound1", letters.key, letters.plain)},
        "verify": {"ours": rate("auth", "verify", letters.key, letters.signed),
                   "bound": rate("auth", "bound-verify", letters.key, letters.signed)},
        "seal": {"ours": rate("auth", "seal", letters.key, letters.plain),
                 "bound": rate("auth", "bound2", letters.key, letters.plain)}}
    if is_built(world, "opendkim"):
        runs["sign"]["peer"] = rate("opendkim", "sign", letters.key, letters.plain)
        runs["verify"]["peer"] = rate("opendkim", "verify", letters.record, letters.signed)
    if has_mail_dkim():
        seal = [*one_core(), "perl", os.path.join(HERE, "mail_dkim.pl"), letters.key, letters.plain, str(seconds)]
        runs["seal"]["peer"] = rows_of(seal)["each-cpu-second"]
    return runs


def has_mail_dkim():
    return subprocess.run(["perl", "-MMail::DKIM::ARC::Signer", "-e", "1"], stdin=subprocess.DEVNULL,
                          capture_output=True).returncode == 0


def run(world, table, scale):
    if not is_built(world, "opendkim"):
        table.skip("libopendkim", "skipped: libopendkim-dev was not there when this was built")
    if not has_mail_dkim():
        table.skip("Mail::DKIM", "skipped: libmail-dkim-perl is not installed")
    seconds = SECONDS_SMOKE if scale.smoke else SECONDS
    for i, (size, name) in enumerate(SIZES.items()):
        table.head(f"mail authentication of {name}")
        letters = Letters(world, world.folder, size)
        runs = [measured(world, letters, seconds) for _ in range(scale.repeats)]
        table.pairs(f"sign {name}", [r["sign"] for r in runs], SIGN[i], SIGN_BOUND)
        table.pairs(f"verify {name}", [r["verify"] for r in runs], VERIFY[i])
        table.pairs(f"ARC seal {name}", [r["seal"] for r in runs], SEAL[i], SEAL_BOUND)
