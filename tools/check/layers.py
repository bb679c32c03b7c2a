# SPDX-License-Identifier: Apache-2.0
"""Who may include whom. The include line's namespace (arch/, hv/, lib/, drv/, emu/) names the layer."""
import os
import re

from common import files, text

# Inside core a lower room never includes a higher one; a header's room is in its head comment.
ROOMS = ("base", "log", "mm", "dt", "irq", "smp", "time", "sched", "thread", "dev", "guest", "emu",
         "vio", "debug", "mterm", "init")
FREESTANDING = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "limits.h"}
DRIVER_CONTRACT = {"arch/io.h", "arch/barrier.h", "arch/irqflags.h", "arch/cache.h"}
NAMESPACES = ("arch", "port", "hv", "lib", "drv", "emu")
# Device-tree blobs are parsed and written in these rooms only.
LIBFDT_USERS = ("core/dt/", "core/guest/", "core/dev/", "core/init/", "arch/", "core/include/hv/dt.h")

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
ASSEMBLY = re.compile(r"\b(?:__asm__|__asm|asm)\b\s*(?:volatile|__volatile__|goto)?\s*\(|__aarch64__")


def layer(path):
    """Return the layer of a file, a key of ALLOWED, or None."""
    words = path.split("/")
    if words[0] == "core":
        return "commands" if path.startswith("core/mterm/commands/") else "core"
    if words[0] == "arch":
        return "contract" if words[1] == "include" else "port"
    if path.startswith("tests/selftest/"):
        return "selftests"
    return words[0] if words[0] in ("libs", "emulators", "drivers") else None


ALLOWED = {
    "libs": {"lib"},
    "core": {"lib", "arch", "hv"},
    "commands": {"lib", "hv"},
    "emulators": {"lib", "hv", "emu"},
    "selftests": {"lib", "arch", "hv"},
    "drivers": {"lib", "hv", "drv"},
    "contract": {"lib", "arch", "port"},
    "port": {"lib", "arch", "port", "hv"},
}


def header_room(path):
    """Return the room that a header of hv says it belongs to."""
    head = " ".join(line.lstrip("/ ") for line in text(path).split("\n")[1:8])
    named = re.findall(r"\b[Rr]oom:? (\w+)", head)
    return next((name for name in named if name in ROOMS), None)


def room_of_headers():
    """Return {header: room} of the headers of core."""
    return {"hv/" + os.path.basename(path): header_room(path)
            for path in files(".h", top=("core/include/hv",))}


def room(path, rooms):
    """Return the room of a file of core."""
    if path.startswith("core/include/hv/"):
        return rooms.get("hv/" + os.path.basename(path))
    return path.split("/")[1]


def _problem_of_include(path, kind, quote, target, rooms):
    """Return what is wrong with one include line, or None."""
    if ".." in target.split("/"):
        return f"includes {target}; use a namespaced path instead of ../"
    if quote == '"':
        if "/" in target or not os.path.exists(os.path.join(os.path.dirname(path), target)):
            return f'includes "{target}"; quotes are for headers of the same folder only'
        return None
    space = target.split("/")[0] if "/" in target else None
    if kind == "port" and space == path.split("/")[1]:
        return None
    if space is None or space not in NAMESPACES:
        return _problem_of_plain(path, target)
    if space not in ALLOWED[kind] and not (kind == "drivers" and target in DRIVER_CONTRACT):
        return f"includes <{target}>; {kind} may include only {', '.join(sorted(ALLOWED[kind]))}"
    if kind in ("core", "commands") and space == "hv" and target != "hv/upcall.h":
        own, theirs = room(path, rooms), rooms.get(target)
        if own in ROOMS and theirs in ROOMS and ROOMS.index(theirs) > ROOMS.index(own):
            return (f"is in room {own} and includes <{target}> of the higher room {theirs}; "
                    "let the higher room hand down a hook instead")
    return None


def _problem_of_plain(path, target):
    if target in FREESTANDING or path.startswith("arch/host/"):
        return None
    if target == "libfdt.h" and path.startswith(LIBFDT_USERS):
        return None
    if target == "asm_offsets.h" and path.endswith(".S"):
        return None
    return f"includes <{target}>; only freestanding headers and namespaced ones are allowed"


def includes(context):
    """Include lines keep to the layers, and inside core to the order of the rooms."""
    rooms = room_of_headers()
    for name, of in sorted(rooms.items()):
        if of not in ROOMS and name != "hv/upcall.h":
            yield f"core/include/{name}: the head comment must say its room: one of {', '.join(ROOMS)}"
    for path in files(".c", ".h", ".S"):
        kind = layer(path)
        if kind is None:
            continue
        body = text(path)
        if kind == "core" and path.count("/") == 2 and path.split("/")[1] not in ROOMS + ("include",):
            yield f"{path}: core has no room {path.split('/')[1]}; see the list in tools/check/layers.py"
        for match in INCLUDE.finditer(body):
            problem = _problem_of_include(path, kind, match.group(1), match.group(2), rooms)
            if problem and not context.excepted("layers", path):
                yield f"{path}:{body[:match.start()].count(chr(10)) + 1}: {problem}"


def assembly(_):
    """Only arch/ and the payload guests know an instruction set."""
    for path in files(".c", ".h", ".S"):
        if path.startswith(("arch/", "tests/guests/")) or layer(path) is None:
            continue
        if path.endswith(".S"):
            yield f"{path}: assembly belongs into arch/"
        code = re.sub(r"//.*|/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text(path),
                      flags=re.S)
        for match in re.finditer(r"^.*$", code, re.M):
            if ASSEMBLY.search(match.group()):
                number = code[:match.start()].count("\n") + 1
                yield f"{path}:{number}: instruction-set code; declare it in the contract, write it in arch/"


def circles(_):
    """No header includes itself by way of others."""
    folders = {"arch": "arch/include", "hv": "core/include", "lib": "libs/include",
               "drv": "drivers/include", "emu": "emulators/include"}
    graph = {}
    for space, folder in folders.items():
        for path in files(".h", top=(folder,)):
            name = os.path.relpath(path, folder)
            graph[name] = [match.group(2) for match in INCLUDE.finditer(text(path))
                           if match.group(2).split("/")[0] in folders]
    done, seen = set(), []

    def visit(name):
        if name in seen:
            yield " -> ".join(seen[seen.index(name):] + [name])
            return
        if name in done:
            return
        seen.append(name)
        for target in graph.get(name, ()):
            yield from visit(target)
        seen.pop()
        done.add(name)

    for name in sorted(graph):
        for circle in visit(name):
            yield f"headers include each other: {circle}; move what both need into a third one"
