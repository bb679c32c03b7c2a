# SPDX-License-Identifier: Apache-2.0
"""Checks of what the compiler made: symbol names, FP registers, stack frames, image size."""
import glob
import os
import re

from common import files, lines, text
from layers import room_of_headers

IMAGE_LIMIT = 384 * 1024
FRAME_LIMIT = 1024
# Kept free on each stack: one exception frame with the interrupt handler on top of the deepest path.
INTERRUPT_BUDGET = 1536
FP_REGISTER = re.compile(r"(?<![\w#])[vqdshb](?:[0-9]|[12][0-9]|3[01])(?:\.\w+)?(?:\[\d+\])?(?![\w])")


def _objects(context):
    """Yield (source path, object path) of the image's own sources."""
    base = os.path.join(context.output, "arm64")
    for path in files(".c", ".S", top=("arch/arm64", "core", "drivers", "emulators", "libs")):
        made = os.path.join(base, path + ".o")
        if os.path.exists(made):
            yield path, made


def _modules(path, rooms):
    """Return the names of the modules that a file may implement.

    They are its own name, its folder's, and in core those of its room's headers.
    """
    folder = path.split("/")[-2]
    names = [os.path.splitext(os.path.basename(path))[0], folder]
    if path.startswith("core/"):
        names += [name[3:-2] for name, room in rooms.items() if room == path.split("/")[1]]
    return names


def _is_named_after(name, modules):
    """Whether the name starts with a module's name or a short form of it: spin_lock of spinlock.h."""
    first = name.split("_")[0]
    return any(name == module or name.startswith(module + "_") or
               len(first) >= 2 and module.split("_")[0].startswith(first) for module in modules)


def _external(made, context):
    for line in lines(context.cross + "nm", "--defined-only", "--extern-only", made):
        _, kind, name = line.split(maxsplit=2)
        if not name.startswith("__start_") and not name.startswith("__stop_"):
            yield kind, name


def symbols(context):
    """External names start with their module's name and collide with no C library."""
    library = {line.split()[-1].split("@")[0]
               for path in glob.glob("/lib/*-linux-gnu/libc.so.6")
               for line in lines("nm", "-D", "--defined-only", path)}
    rooms = room_of_headers()
    for path, made in _objects(context):
        if path.startswith("libs/freestanding/"):
            continue
        for kind, name in _external(made, context):
            if context.excepted("symbols", name) or context.excepted("symbols", path):
                continue
            if name in library:
                yield f"{path}: {name} collides with the C library in host tests; rename it"
            elif kind in "TW" and path.endswith(".c") and not name.startswith(("arch_", "hv_")) \
                    and not _is_named_after(name, _modules(path, rooms)):
                yield (f"{path}: {name}() does not start with its module's name; "
                       f"call it {_modules(path, rooms)[0]}_…, or make it static")


def _disassembly(context):
    """Yield (function, address, mnemonic, operands) of the whole image."""
    function = "?"
    for line in lines(context.cross + "objdump", "-d", "--no-show-raw-insn",
                      os.path.join(context.output, "bulkhead.elf")):
        head = re.match(r"^[0-9a-f]+ <(.+)>:$", line)
        if head:
            function = head.group(1)
            continue
        words = line.split("\t")
        if len(words) >= 2 and words[0].endswith(":"):
            operands = words[2] if len(words) > 2 else ""
            yield function, words[0].strip(" :"), words[1].strip(), operands


def _reached(context):
    """Return the functions of our own sources and all that they call directly, by any way."""
    graph = _calls(context)
    found, ahead = set(), [line.split()[-1] for _, made in _objects(context)
                           for line in lines(context.cross + "nm", "--defined-only", made)]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead.extend(graph.get(name, ()))
    return found


def fp_registers(context):
    """No FP or SIMD register outside arch/arm64/cpu/fp*.S: they belong to the guests.

    A function of a prebuilt library that uses them may be in the image if nothing calls it.
    """
    allowed = set()
    for path in files(".S", top=("arch/arm64/cpu",)):
        if os.path.basename(path).startswith("fp"):
            made = os.path.join(context.output, "arm64", path + ".o")
            allowed |= {name for _, name in _external(made, context)}
    guilty = {}
    for function, address, mnemonic, operands in _disassembly(context):
        bare = re.sub(r"<[^>]*>|//.*", "", operands)
        if FP_REGISTER.search(bare) and function not in allowed and not mnemonic.startswith("."):
            guilty.setdefault(function, f"{address}: {mnemonic} {bare.strip()}")
    reached = _reached(context)
    for function, place in guilty.items():
        if function in reached and not context.excepted("fp", function):
            yield (f"{function} uses FP/SIMD registers ({place}); EL2 code must not, "
                   "build it with -mgeneral-regs-only or do not link it")


def _frames(context):
    """Return {function: largest frame} and the problems of single frames."""
    frames, problems = {}, []
    for path in glob.glob(os.path.join(context.output, "arm64", "**", "*.su"), recursive=True):
        if not os.path.exists(path[:-3] + ".o"):
            continue
        for line in text(path).splitlines():
            place, size, kind = line.split("\t")
            name = place.rsplit(":", 1)[1]
            frames[name] = max(frames.get(name, 0), int(size))
            where = place.rsplit(":", 2)[0]
            if context.excepted("stack", name):
                continue
            if "dynamic" in kind and "bounded" not in kind:
                problems.append(f"{where}: {name} has a frame of unknown size; no VLA, no alloca")
            elif int(size) > FRAME_LIMIT:
                problems.append(f"{where}: {name} uses {size} bytes of stack, more than {FRAME_LIMIT}; "
                                "move the large object to the heap or make it static")
    return frames, problems


def _calls(context):
    """Return {function: {functions called directly}}."""
    graph = {}
    for function, _, mnemonic, operands in _disassembly(context):
        target = re.search(r"<([\w.]+)>$", operands)
        if target and mnemonic in ("bl", "b") and target.group(1) != function:
            graph.setdefault(function, set()).add(target.group(1))
    return graph


def deepest(frames, graph):
    """Return (bytes, path) of the deepest chain of direct calls; recursion is counted once."""
    known = {}

    def depth(name, above):
        if name in known:
            return known[name]
        best = (0, ())
        for target in graph.get(name, ()):
            if target not in above:
                best = max(best, depth(target, above | {name}))
        found = (best[0] + frames.get(name.split(".")[0], frames.get(name, 0)), (name,) + best[1])
        known[name] = found
        return found

    return max((depth(name, frozenset()) for name in graph), default=(0, ()))


def stack(context):
    """Frames are small, and the deepest chain of direct calls fits a stack with an interrupt on top."""
    frames, problems = _frames(context)
    yield from problems
    config = text(os.path.join(context.output, ".config"))
    limit = int(re.search(r"^CONFIG_STACK_SIZE=(\d+)", config, re.M).group(1))
    graph = {name: {target for target in targets if not context.excepted("stack-chain", target)}
             for name, targets in _calls(context).items()}
    size, path = deepest(frames, graph)
    print(f"          deepest direct calls: {size} of {limit} bytes: {' > '.join(path)}")
    if size + INTERRUPT_BUDGET > limit:
        yield (f"{' > '.join(path)}: {size} bytes and {INTERRUPT_BUDGET} for an interrupt do not fit "
               f"CONFIG_STACK_SIZE={limit}; shrink the frames or flatten the calls")


def image(context):
    """The image is small."""
    sections = {}
    for line in lines(context.cross + "size", "-A", os.path.join(context.output, "bulkhead.elf")):
        words = line.split()
        if len(words) == 3 and words[1].isdigit() and not words[0].startswith(".debug"):
            sections[words[0]] = int(words[1])
    print("          " + ", ".join(f"{name} {size}" for name, size in sections.items() if size > 2048))
    size = os.path.getsize(os.path.join(context.output, "Image"))
    print(f"          Image {size} of {IMAGE_LIMIT} bytes")
    if size > IMAGE_LIMIT:
        yield f"Image has {size} bytes, more than {IMAGE_LIMIT}; see the largest in bulkhead.map"
