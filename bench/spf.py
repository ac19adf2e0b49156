# SPDX-License-Identifier: ISC
"""SPF of a domain with ten includes, nothing remembered, from Debian's knot on the loopback."""
import os
import subprocess

from letters import AUTHOR, CLIENT
from measure import each, is_built, one_core, rows

from lib import rig

INCLUDES, COUNT = 10, 2000
MOST_MS, MOST_ROUNDS = 0.2, 2


def zone():
    """The last of the includes has the client's address."""
    includes = [f"include:i{i}.{AUTHOR}" for i in range(INCLUDES)]
    return f'big.desk 300 TXT "v=spf1 {" ".join(includes)} -all"\n' + "".join(
        f'i{i}.desk 300 TXT "v=spf1 ip4:{CLIENT if i == INCLUDES - 1 else f"198.51.100.{i}"} -all"\n'
        for i in range(INCLUDES))


def use_resolver(world):
    """The C library asks knot; false when /etc/resolv.conf cannot be another one for us alone."""
    if os.environ.get("PTT_OWN_MOUNTS") != "1":
        return False
    conf = world.file("resolv.conf", f"nameserver {rig.DNS}\n")
    os.chmod(conf, 0o644)
    return subprocess.run(["mount", "--bind", conf, "/etc/resolv.conf"], stdin=subprocess.DEVNULL,
                          capture_output=True).returncode == 0


def run(world, table, scale):
    world.start_knot(test_zone=rig.TEST_ZONE + zone())
    count, sender = scale.of(COUNT), f"author@big.{AUTHOR}"
    table.head(f"SPF with {INCLUDES} includes, uncached")
    peer = is_built(world, "spf2") and use_resolver(world)
    if not peer:
        table.skip("libspf2", "skipped: it was not there when this was built, or /etc/resolv.conf cannot be replaced")
    ours, theirs = [], []
    for _ in range(scale.repeats):
        ours.append(rows(world, "spf", f"udp:{rig.DNS}", sender, CLIENT, count, before=one_core()))
        if peer:
            theirs.append(rows(world, "spf2", sender, CLIENT, max(count // 4, 1), before=one_core()))
    table.line("ours: ms, median", each(ours, "check-median"), at_most=MOST_MS)
    table.line("ours: CPU ms", each(ours, "cpu-each"))
    table.line("ours: round trips", each(ours, "rounds"), at_most=MOST_ROUNDS)
    table.line("ours: queries", each(ours, "queries"))
    if theirs:
        table.line("libspf2: ms, median", each(theirs, "check-median"))
        table.line("libspf2: CPU ms", each(theirs, "cpu-each"))
        table.line("ours in libspf2's time", [a["check-median"] / b["check-median"] for a, b in zip(ours, theirs)])
