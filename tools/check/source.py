# SPDX-License-Identifier: Apache-2.0
"""Checks of single files: licence line, format, sizes, configuration symbols, scripts."""
import os
import py_compile
import re
import subprocess
import tempfile

from common import files, text

C_FILES = (".c", ".h")
FUNCTION_LINES = 80
FILE_LINES = 800
FOLDER_DEPTH = 4
FOLDER_FILES = 24
FOLDER_FILES_FLAT = 64  # of headers, and of commands: one file each, nothing to group
BLOCK_DEPTH = 4
CORE_HEADERS, CONTRACT_HEADERS = os.path.join("core", "include", "hv"), os.path.join("arch", "include", "arch")
ROOMS = ("base", "log", "mm", "dt", "irq", "smp", "time", "sched", "thread", "dev", "guest", "emu", "vio",
         "debug", "mterm", "init")


def licence(_):
    """Each file says its licence in the first three lines."""
    named = ["Makefile", "Kconfig", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore"]
    scripts = [path for path in files("", top=("tools",)) if not path.endswith((".md", ".txt", ".mterm"))]
    sources = files(".c", ".h", ".S", ".ld", ".py", ".mk", ".dts", ".dtsi", ".sh", "defconfig")
    for path in sorted(set(sources) | set(scripts) | set(named)):
        head = text(path).split("\n")[:3]
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in head):
            yield f"{path}:1: no SPDX line; start the file with SPDX-License-Identifier: Apache-2.0"


def style(_):
    """C code is as clang-format writes it."""
    sources = list(files(*C_FILES))
    done = subprocess.run(["clang-format", "--dry-run", *sources], stderr=subprocess.PIPE, text=True,
                          check=False)
    places = {}
    for path, number in sorted(set(re.findall(r"^(\S+?):(\d+):\d+: warning", done.stderr, re.M))):
        places.setdefault(path, []).append(number)
    for path, numbers in places.items():
        yield (f"{path}:{numbers[0]}: {len(numbers)} places are not as .clang-format wants them; "
               "run make format")


def _functions(path):
    """Yield (line, name, length, deepest block) of each function; the code is formatted."""
    start, depth, deepest, name = None, 0, 0, ""
    code = text(path).split("\n")
    for number, line in enumerate(code, 1):
        if line == "{" and start is None:
            start, depth, deepest = number, 0, 0
            head = number - 1
            while head > 1 and code[head - 2] and code[head - 2][0] not in "}#/;*":
                head -= 1
            called = re.search(r"(\w+)\(", " ".join(code[head - 1:number - 1]))
            start, name = head, called.group(1) if called else "?"
        elif line.startswith("}") and start is not None:
            yield start, name, number - start + 1, deepest
            start = None
        elif start is not None:
            bare = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'|//.*|/\*.*?\*/', "", line)
            for char in bare:
                depth += {"{": 1, "}": -1}.get(char, 0)
                deepest = max(deepest, depth)


def sizes(_):
    """Functions, files and folders stay small enough to read."""
    for path in files(".c", ".h", ".S", ".py"):
        count = text(path).count("\n")
        if count > FILE_LINES:
            yield f"{path}: {count} lines, more than {FILE_LINES}; split it by concern"
    for path in files(".c"):
        for line, name, length, depth in _functions(path):
            if length > FUNCTION_LINES:
                yield f"{path}:{line}: {name} has {length} lines, more than {FUNCTION_LINES}; split it"
            if depth > BLOCK_DEPTH:
                yield f"{path}:{line}: {name} nests {depth} deep, more than {BLOCK_DEPTH}; split it"
    counts = {}
    for path in files(".c", ".h", ".S"):
        folder = os.path.dirname(path)
        counts[folder] = counts.get(folder, 0) + 1
    for folder, count in counts.items():
        flat = "include" in folder.split(os.sep) or folder == "core/mterm/commands"
        limit = FOLDER_FILES_FLAT if flat else FOLDER_FILES
        if count > limit:
            yield f"{folder}: {count} files, more than {limit}; make a folder for each concern"
        if folder.count(os.sep) >= FOLDER_DEPTH:
            yield f"{folder}: more than {FOLDER_DEPTH} folders deep; flatten it"


def _head_problem(path, code):
    """Return what the comment at a header's head lacks, or nothing."""
    head = re.match(r"(?://[^\n]*\n)+", code)
    words = re.sub(r"\s*\n?//\s*", " ", head.group()).partition("Apache-2.0")[2].strip() if head else ""
    if path.startswith(CONTRACT_HEADERS):
        return "" if re.match(r"Contract: \w", words) else "begin it with \"Contract: \" and what it is about"
    room = re.search(r"\w[.:]? Room: (\w+)", words)
    if room is None or room.group(1) not in ROOMS:
        return "say what the header is for, and then \"Room: NAME.\""
    return ""


def _undocumented(code):
    """Yield (line, name) of each function that no comment describes; the code is formatted."""
    blank = lambda found: re.sub(r"[^\n]", " ", found.group())
    for mark, start in (("@", r"/\*\*(?!<)"), ("$", r"/\*\*<")):
        code = re.sub(start + r".*?\*/", lambda found: re.sub(r"[^\n]+", mark, found.group()), code,
                      flags=re.S)
    code = re.sub(r"/\*.*?\*/|//[^\n]*|^ *#(?:[^\n]*\\\n)*[^\n]*", blank, code, flags=re.S | re.M)
    while re.search(r"\{[^{}]*\}", code):
        code = re.sub(r"\{[^{}]*\}", lambda found: ";" + blank(found)[1:], code)
    # An entry ends with its line, a group with the first empty one; $ stands behind what it describes.
    for group in re.finditer(r"(?:[^\n]*\S[^\n]*\n?)+", code):
        described = False
        for entry in re.finditer(r"@|[^@;]+;[ \w]*\$?", group.group()):
            described = described or entry.group() == "@"
            name = re.match(r"\s*(?:[A-Z_]+(?:\([^)]*\))? )*[a-z][^(]*?([a-z]\w+)\(", entry.group())
            hook = re.match(r"\s*(?:extern|typedef) [^(]*\(\*(\w+)\)\(", entry.group())
            found = hook or name
            if found and not described and not entry.group().endswith("$"):
                yield code.count("\n", 0, group.start() + entry.start() + found.start(1)) + 1, found.group(1)


def headers(_):
    """Each public header says its room and purpose, and of each function what a caller must know."""
    for path in files(".h", top=(CORE_HEADERS, CONTRACT_HEADERS)):
        problem = _head_problem(path, text(path))
        if problem:
            yield f"{path}:2: the comment at its head: {problem}"
        for line, name in _undocumented(text(path)):
            yield (f"{path}:{line}: {name} is not described; say what it does, in which context, with which locks, "
                   "units, ownership and errors, in /** ... */ before it or its group")


def configuration(_):
    """Each CONFIG_ symbol that is used exists, and each that exists is used."""
    defined = set()
    for path in ["Kconfig"] + list(files("Kconfig")):
        defined |= set(re.findall(r"^\s*(?:menu)?config\s+(\w+)", text(path), re.M))
    used = {}
    sources = [path for path in files(".c", ".h", ".S") if not path.startswith("tools/")]
    for path in sources + ["tools/make/conditional.mk"]:
        for symbol in re.findall(r"\bCONFIG_(\w+)", re.sub(r"^#.*CONFIG_NAME.*", "", text(path), flags=re.M)):
            used.setdefault(symbol, path)
    internal = set(re.findall(r"\b(?:if|depends on|select)\s+(\w+)", text("Kconfig")))
    for choice in re.findall(r"^choice$.*?^endchoice$", text("Kconfig"), re.M | re.S):
        internal |= set(re.findall(r"^config\s+(\w+)", choice, re.M))
    for symbol in sorted(set(used) - defined):
        yield f"{used[symbol]}: CONFIG_{symbol} is not in Kconfig; add it there or correct the name"
    for symbol in sorted(defined - set(used) - internal):
        yield f"Kconfig: CONFIG_{symbol} is used nowhere; remove it"


def scripts(_):
    """Shell and Python scripts parse, and name what they are run by."""
    with tempfile.TemporaryDirectory() as folder:
        for path in files("", top=("tools", "tests")):
            first = b""
            with open(path, "rb") as file:
                first = file.readline()
            if b"/sh" in first and first.startswith(b"#!"):
                done = subprocess.run(["sh", "-n", path], stderr=subprocess.PIPE, text=True, check=False)
                if done.returncode:
                    yield f"{path}: {done.stderr.strip()}"
                if not re.search(r"^set -eu", text(path), re.M):
                    yield f"{path}: add set -eu, so that the script stops at the first failure"
            elif path.endswith(".py") or b"python3" in first:
                try:
                    py_compile.compile(path, cfile=os.path.join(folder, "x.pyc"), doraise=True)
                except py_compile.PyCompileError as error:
                    yield f"{path}: {error.msg.strip()}"


def contract(_):
    """docs/arch-contract.md lists what the contract's headers say."""
    done = subprocess.run(["tools/contract_docs.py", "check", "docs/arch-contract.md"], text=True,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode:
        yield done.stderr.strip()
