#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write the list of the arch contract's entries into docs/arch-contract.md from the headers themselves.

usage: contract_docs.py write|check FILE
What stands between the markers is replaced; the rest of the page is written by hand.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADERS = "arch/include/arch"
UPCALLS = "core/include/hv/upcall.h"
BEGIN, END = "<!-- contract: begin -->\n", "<!-- contract: end -->\n"

# A comment and what it stands before, up to the next comment or empty line.
ENTRY = re.compile(r"/\*\*(?P<words>.*?)\*/\s*(?P<code>(?:(?!/\*\*).)*?)(?=\n\n|/\*\*|\Z)", re.S)
PROTOTYPE = re.compile(r"\b(?P<name>(?:arch|hv)_\w+)\([^;{]*\);", re.S)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def sentence(comment):
    """Return a comment's words on one line, fit for a cell of a table."""
    words = re.sub(r"\s*\n\s*\*?\s*", " ", comment).strip()
    return words.replace("|", "\\|")


def entries(text):
    """Yield (names, words) of each documented group of prototypes; those without a comment follow the one before."""
    for match in ENTRY.finditer(text):
        names = [found.group("name") for found in PROTOTYPE.finditer(match.group("code"))]
        if names:
            yield names, sentence(match.group("words"))


def undocumented(path):
    """Yield the prototypes of a header that no comment describes."""
    text = read(path)
    described = {name for names, _ in entries(text) for name in names}
    for match in PROTOTYPE.finditer(re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)):
        if match.group("name") not in described:
            yield match.group("name")


def head(text):
    """Return the sentence in the header's second line."""
    return text.split("\n")[1].lstrip("/ ").removeprefix("Contract: ")


def table(path, title):
    """Return the section of one header."""
    text = read(path)
    rows = [f"| {', '.join(f'`{name}`' for name in names)} | {words} |" for names, words in entries(text)]
    missing = [name for name in undocumented(path)]
    if missing:
        sys.exit(f"{path}: say what these do, in a comment /** … */ before them: {', '.join(missing)}")
    if not rows:
        return ""
    return "\n".join([f"### {title}", "", head(text)[0].upper() + head(text)[1:], "",
                      "| entry | what it does |", "|---|---|", *rows, "", ""])


def contract():
    """Return the generated part of the page."""
    parts = ["\n## Downwards: what a port provides\n\n"]
    for name in sorted(os.listdir(os.path.join(ROOT, HEADERS))):
        parts.append(table(f"{HEADERS}/{name}", f"`<arch/{name}>`"))
    parts.append("## Upwards: what a port calls\n\n")
    parts.append(table(UPCALLS, "`<hv/upcall.h>`"))
    return "".join(parts)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("write", "check"):
        sys.exit(__doc__)
    mode, path = sys.argv[1:]
    old = read(path)
    before, _, rest = old.partition(BEGIN)
    new = before + BEGIN + contract() + END + rest.partition(END)[2]
    if mode == "check" and new != old:
        sys.exit(f"{path} lags behind the headers; run \"make docs\"")
    if mode == "write":
        with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
            file.write(new)


if __name__ == "__main__":
    main()
