# SPDX-License-Identifier: ISC
"""The blocks of docs/operating.md that begin with a file's name, so that the tests run what the document says."""
import os
import re

from lib.rig import check

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "docs", "operating.md")


def block(name, put):
    """The block that begins with `# NAME`; what `put` names is replaced everywhere, and must be there."""
    with open(DOCUMENT, encoding="utf-8") as f:
        found = re.search(rf"^```\n# {re.escape(name)}\n(.*?)^```$", f.read(), re.M | re.S)
    check(found, f"docs/operating.md has no block {name}")
    text = found[1]
    for old, new in put.items():
        check(old in text, f"{name}: no {old} to be replaced")
        text = text.replace(old, new)
    return text
