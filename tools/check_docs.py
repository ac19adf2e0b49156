# SPDX-License-Identifier: ISC
"""Documents may only name what exists: each path and each function of ours in backticks, and each relative link."""
import glob
import os
import re

from check_report import TOP, read, tracked
from check_source import code_only

FENCE = re.compile(r"^(```|~~~).*?^\1", re.S | re.M)
TICKS = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
WORD = re.compile(r"[A-Za-z_]\w*")


def paths_of(token, top):
    """The paths of ours in a backticked text: what starts with a folder of the tree, or a known file at its top."""
    for word in token.split():
        word = word.rstrip(".,;:")
        if "/" in word and word.split("/")[0] in top and not re.search(r"[<>$=]|NAME|[{}]", word):
            yield re.sub(r":\d+$", "", word)


def functions_of(token, prefixes):
    """Names of functions in a backticked text: `name(...)`, or a whole text that is one name of a known module."""
    for match in re.finditer(r"\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\(", token):
        yield match.group(1)
    match = re.fullmatch(r"([a-z][a-z0-9]*)(?:_[a-z0-9]+)+", token)
    if match and match.group(1) in prefixes:
        yield token


def check(report):
    top = {n.split("/")[0] for n in tracked("") if "/" in n}
    words, prefixes = set(), set()
    for name in tracked(".c", ".h"):
        code = code_only(read(name))
        words.update(WORD.findall(code))
        if name.endswith(".h"):
            prefixes.update(re.findall(r"\b([a-z][a-z0-9]*)_\w+\(", code))
    for name in tracked(".py", ".txt", "meson.build"):
        words.update(WORD.findall(read(name)))
    for name in tracked(".md"):
        text = read(name)
        problems = []
        for token in TICKS.findall(FENCE.sub("", text)):
            for path in paths_of(token, top):
                if not glob.glob(os.path.join(TOP, path)):
                    problems.append(f"{name}: `{path}` does not exist")
            for function in functions_of(token, prefixes):
                if function not in words:
                    problems.append(f"{name}: `{function}` is not in the sources")
        for link in LINK.findall(text):
            if "://" not in link and not link.startswith("mailto:"):
                if not os.path.exists(os.path.join(TOP, os.path.dirname(name), link)):
                    problems.append(f"{name}: the link {link} leads nowhere")
        report.result(f"document {name}", problems)
