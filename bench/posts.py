# SPDX-License-Identifier: ISC
"""What a list does with a post beside cryptography: the decision, and writing it as it goes out."""
from letters import SIZES, Letters
from measure import one_core, rows

SECONDS, SECONDS_SMOKE = 2, 0.02
BESIDE_MS = 0.1


def run(world, table, scale):
    seconds = SECONDS_SMOKE if scale.smoke else SECONDS
    size, name = next(iter(SIZES.items()))
    letters = Letters(world, world.folder, size)

    def ms(program, part):
        return 1000 / rows(world, program, part, letters.key, letters.signed, seconds, before=one_core())["each-cpu-second"]

    table.head(f"decision and rewriting of a post of {name}")
    runs = [{"bound": ms("auth", "bound-verify"), "standard": ms("posts", "standard"), "changed": ms("posts", "changed")}
            for _ in range(scale.repeats)]
    table.line("standard settings, ms", [r["standard"] for r in runs])
    table.line("cryptography alone, ms", [r["bound"] for r in runs])
    table.line("standard settings beside cryptography, ms", [max(r["standard"] - r["bound"], 0) for r in runs], at_most=BESIDE_MS)
    table.line("with prefix and footer, ms", [r["changed"] for r in runs], at_most=BESIDE_MS)
