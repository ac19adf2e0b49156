# SPDX-License-Identifier: ISC
"""The whole way of a post: lipap takes it in and verifies its author (SPF, DKIM, DMARC), nec signs and seals it, lipap queues
it. What lipap and nec need together stands beside the bare cryptography of it, by OpenSSL on the same core in the same run."""
import functools
import re
import shutil

from intake import LIST
from letters import AUTHOR as DOMAIN, CLIENT, Letters
from measure import TICKS, Broken, cpu_seconds, each, rows
from sign import ED25519_EACH, RSA_EACH, SPEED, bare_signature, cores, pinned, speed

from lib import rig

AUTHOR, CONNECTIONS, HASHES = f"author@{DOMAIN}", 4, 2  # of the body: by lipap, and by nec
SIZES = {4096: ("4 KB", 2000, 1.2), 100 * 1024: ("100 KB", 1000, 1.4), 5 * 1024 * 1024: ("5 MB", 60, 15)}
PROMISED = {"sha_ni", "avx512ifma"}  # what a processor has for which the times are promised
HASH = re.compile(r"^\+F:\d+:sha256:([\d.]+)", re.M)


def is_promised():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        return PROMISED <= set(f.read().split())


def bare_signatures(core, seconds):
    """CPU milliseconds of those that no way of doing it can leave out."""
    signed, verified = speed(core, seconds, SPEED, "rsa2048")
    return 1000 * (RSA_EACH / signed + 1 / verified) + ED25519_EACH * bare_signature(core, "ed25519", seconds)


def bare_hashes(core, seconds, size):
    hashed, = speed(core, seconds, HASH, "-bytes", str(size), "-evp", "sha256")
    return 1000 * HASHES * size / hashed


def start(world, core, letters):
    """A list whose only member has switched mail off, so that the way ends in the queue."""
    world.start_knot(test_zone=rig.TEST_ZONE + letters.zone().replace(CLIENT, "127.0.0.1"))
    world.create([AUTHOR], size="1G")
    world.run("ptt", "options", world.image, "--domain", "mailingl.st", "ptt", AUTHOR, "--nomail", "on")
    nec = world.start("nec", pinned(core, world.nec_argv()))
    world.wait_ready(nec)
    lipap = world.start("lipap", pinned(core, world.lipap_argv(("--sessions-per-address", "0"))))
    lipap.wait_log(r"tls event=key\b", 60)
    lipap.wait_listens(rig.LIPAP)
    return lipap, nec


def signed(lipap):
    return len(re.findall(r"event=signed\b", lipap.log()))


def load(core, world, servers, letter, count):
    """CPU milliseconds a message, of both servers, until the last one is signed and in the queue."""
    lipap, nec = servers
    before, there = [cpu_seconds(server.pid) for server in servers], signed(lipap)
    row = rows(world, "smtp_load", f"{rig.LIPAP}:25", CONNECTIONS, count, letter, AUTHOR, LIST, before=pinned(core, []))
    rig.until(300, "all is signed", lambda: signed(lipap) >= there + count)
    used = [max(cpu_seconds(server.pid) - start, 1 / TICKS) * 1000 / count for server, start in zip(servers, before)]
    return {**row, "lipap": used[0], "nec": used[1], "both": sum(used)}


def run(world, table, scale):
    missing = [tool for tool in ("openssl", "taskset") if not shutil.which(tool)]
    if missing:
        table.skip("the way of a post", f"{', '.join(missing)} is not installed")
        return
    inner, outer = cores()
    letters = {size: Letters(world, world.folder, size) for size in SIZES}
    table.head("the way of a post: in, verified, signed, queued; lipap and nec on one core")
    servers = start(world, inner, letters[4096])
    promised, seconds = is_promised(), 1 if scale.smoke else 3
    signatures = functools.cache(bare_signatures) if scale.smoke else bare_signatures

    def bare(size):
        return signatures(inner, seconds) + bare_hashes(inner, seconds, size)

    for size, (name, count, most) in SIZES.items():
        runs = []
        load(outer, world, servers, letters[size].signed, scale.of(count // 10, least=CONNECTIONS))
        for _ in range(scale.repeats):  # the bound from both sides, so that both see the same neighbours
            before = bare(size)
            row = load(outer, world, servers, letters[size].signed, scale.of(count, least=CONNECTIONS))
            runs.append({**row, "bare": before if scale.smoke else (before + bare(size)) / 2})
        table.line(f"{name}: CPU ms of lipap and nec", each(runs, "both"), at_most=most if promised else None)
        table.line(f"{name}: CPU ms of lipap", each(runs, "lipap"))
        table.line(f"{name}: CPU ms of nec", each(runs, "nec"))
        table.line(f"{name}: CPU ms of OpenSSL alone", each(runs, "bare"))
        table.line(f"{name}: both in OpenSSL alone", [r["both"] / r["bare"] for r in runs])
    for server in servers:
        if server.popen.poll() is not None:
            raise Broken(f"{server.name} has ended")
