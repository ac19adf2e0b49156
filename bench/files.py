# SPDX-License-Identifier: ISC
"""File throughput through fat/ beside a plain file on the same disk."""
from measure import each, rows

MEGABYTES = 256
WHAT = (("write-new", "written for the first time"), ("write-again", "written over"), ("read-disk", "read from the disk"),
        ("read-cached", "read from the page cache"), ("read-small", "4 KiB at random from the page cache"))


def run(world, table, scale):
    megabytes = 16 if scale.smoke else MEGABYTES
    table.head(f"a file of {megabytes} MiB in an image, and a plain one, MB a second")
    runs = [rows(world, "files", world.folder, megabytes) for _ in range(scale.repeats)]
    for key, what in WHAT:
        table.line(f"{what}: fat/", each(runs, f"fat-{key}"))
        table.line(f"{what}: plain", each(runs, f"plain-{key}"))
        table.line(f"{what}: fat/ in plain", [r[f"fat-{key}"] / r[f"plain-{key}"] for r in runs])
