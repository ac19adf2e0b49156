#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""docs/lists.md has every setting with its default, every address, command and option, and every template with its words.

usage: lists_guide.py BUILD_DIR"""
import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
failed = False


def equal(name, got, wanted):
    global failed
    failed = failed or got != wanted
    print(f"ok {name}" if got == wanted else f"not ok {name}: {got!r}, not {wanted!r}", flush=True)


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


GUIDE = read("docs/lists.md")


def settings():
    """Rows `name` | default first, ..."""
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| ([^,|]+), ", GUIDE, re.M))
    wanted = dict(re.findall(r'\[SETTING_\w+\] = \{"([a-z-]+)", [^,]+, "([^"]+)"', read("list/setting.c")))
    equal("settings and their defaults", (len(wanted) > 12, rows), (True, wanted))


def addresses():
    words = re.findall(r'^ +\[ROUTE_\w+\] = .*?"([a-z]+)"', read("list/route.c"), re.M)
    equal("addresses that the guide lacks", (len(words) > 12, [w for w in words if f"| ptt-{w}" not in GUIDE
                                                             and f", ptt-{w}" not in GUIDE]), (True, []))


def commands():
    source = read("list/command.c")
    words = re.findall(r'\{\{"([a-z]+)", \d+\}, COMMAND_', source)
    words += [w for w in re.findall(r'\[OPTION_\w+\] = \{"([a-z-]*)"', source) if w]
    lacking = [w for w in words if not re.search(rf"`{w}\b", GUIDE) and w not in ("subscribe", "unsubscribe")]
    equal("commands and options that the guide lacks", (len(words) > 10, lacking), (True, []))


def templates():
    """Rows kind, kind | goes to | words, in bold those that have to be there."""
    def names(code):
        code = re.sub(r"\bDECIDE\b", "BIT(WORD_ADDRESS) | BIT(WORD_ACCEPT) | BIT(WORD_REJECT)", code)
        return {w.lower() for w in re.findall(r"WORD_([A-Z]+)", code)}
    kinds = {}
    table = read("list/notice.c").split("traits[NOTICE_KINDS] = {")[1].split("};")[0]
    for kind, may, needs in re.findall(r'\{\{"([a-z-]+)", \d+\},[^}]*?(?:true|false),\s*([^,}]*),\s*([^,}]*)\}', table):
        kinds[kind] = sorted(names(needs)), sorted(names(may) - names(needs))
    told = {}
    for row in GUIDE.split("further words |")[1].split("\n\n")[0].split("\n")[2:]:
        _, which, _, words, _ = row.split("|")
        for kind in which.split(","):
            told[kind.strip()] = (sorted(re.findall(r"\*\*`\{(\w+)\}`\*\*", words)),
                                  sorted(re.findall(r"(?<!\*)`\{(\w+)\}`(?!\*)", words)))
    equal("templates and their words", (len(kinds) > 20, told), (True, kinds))


for part in (settings, addresses, commands, templates):
    part()
sys.exit(1 if failed else 0)
