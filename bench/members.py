# SPDX-License-Identifier: ISC
"""A large list: ptt import, then membership, joining and leaving through the store."""
import os

from measure import each, names, rows, timed

LIST = ("--domain", "mailingl.st", "large")
COUNT, PROBES = 1_000_000, 5000
IMPORT_SECONDS, PROBE_MS = 20, 1


def make(world, count, *domains):
    """A fresh image with one list of so many members; what ptt import needed for it."""
    if os.path.exists(world.image):
        os.unlink(world.image)
    world.run("ptt", "create", world.image, "--size", "2G")
    world.run("ptt", "add", world.image, *LIST, "--moderator", "moderator@author.test")
    path = os.path.join(world.folder, "names")
    with open(path, "wb") as f:
        f.write(names(world, count, *domains))
    return timed([world.program("ptt"), "import", world.image, *LIST, path])


def run(world, table, scale):
    count = scale.of(COUNT)
    table.head(f"a list of {count:,} members")
    imports, probes = [], []
    for _ in range(scale.repeats):
        imports.append(make(world, count))
        probes.append(rows(world, "members", "probe", world.image, "mailingl.st", "large", count, scale.of(PROBES)))
    table.line("import, seconds", each(imports, "seconds"), at_most=IMPORT_SECONDS)
    table.line("import, CPU seconds", each(imports, "cpu-seconds"))
    table.line("import, peak of memory in MiB", [r["peak-kib"] / 1024 for r in imports])
    for key, what in (("find", "membership of a member"), ("miss", "membership of another"), ("add", "joining"),
                      ("remove", "leaving")):
        table.line(f"{what}, median ms", each(probes, f"{key}-median"), at_most=PROBE_MS)
        table.line(f"{what}, 99th percentile ms", each(probes, f"{key}-p99"))
    table.line("the store with that list, peak of memory in MiB", [r["peak-kib"] / 1024 for r in probes])
