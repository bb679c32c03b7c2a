# SPDX-License-Identifier: Apache-2.0
"""The how-to pages, followed to the letter in a copy of the tree: files written, commands run, consoles typed."""
import os
import re
import shutil
import subprocess
import time

import pexpect
import pytest
from conftest import CACHE, LOGS, ROOT
from machine import ESCAPES, PANIC, PROMPT, SCALE, Machine, MachineError

PAGES = os.path.join(ROOT, "docs", "howto")
NAMES = sorted(name for name in os.listdir(PAGES) if name.endswith(".md"))
BLOCK = re.compile(r"^```(?P<language>\S*) *(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.M | re.S)
PROMPTS = (PROMPT, "/ # ")
KEYS = {"^\\": "\x1c", "^C": "\x03"}
# The last thing that tools/guests/startup.mterm does is said in the log; so is what happens meanwhile.
STARTED = r"startup: guest linux1 created"
LOG_LINES = r"(?:\[ *\d+\.\d{6}\] [^\n]*\n)*"
BUILD_S = 250
STEP_S = 60


def blocks(text):
    """Yield (language, file, body) of each block of a page; one that can not be followed is an error."""
    for match in BLOCK.finditer(text):
        language, info = match.group("language", "info")
        name = re.fullmatch(r"file=(\S+)", info)
        if language in ("c", "dts") and name:
            yield language, name.group(1), match.group("body")
        elif language in ("sh", "console") and not info:
            yield language, None, match.group("body")
        else:
            raise AssertionError(f"a block that nobody can follow: ```{language} {info}")


def steps(body):
    """Return [(prompt, what is typed, lines that are seen then)] of a console block."""
    found = []
    for line in body.splitlines():
        prompt = next((one for one in PROMPTS if line.startswith(one)), None)
        if prompt:
            found.append((prompt, line[len(prompt):], []))
        elif not found:
            raise AssertionError(f"a console block begins with a prompt, not with {line!r}")
        else:
            found[-1][2].append(line)
    return found


def pattern(line):
    """Return the regular expression of one line: blanks of any number, "..." for anything."""
    if line.strip() == "...":
        return r"(?:[^\n]*\n)*?"
    words = [".*?".join(map(re.escape, word.split("..."))) for word in line.split()]
    return LOG_LINES + " *" + " +".join(words) + r" *\n"


class Follower(Machine):
    """The machine that a page's `make run` starts."""

    def __init__(self, command, tree, log_path):
        super().__init__(None, log_path)
        self.command = command
        self.tree = tree

    def start(self, reboot=False):
        self._log = open(self.log_path, "a", encoding="utf-8", newline="")
        self.child = pexpect.spawn("/bin/sh", ["-eu", "-c", self.command], cwd=self.tree, env=environment(),
                                   encoding="utf-8", codec_errors="replace", dimensions=(24, 80))
        self.child.logfile_read = self._log
        self.child.delaybeforesend = None
        return self

    def stop(self):
        """Leave QEMU as a user does: Ctrl-A X."""
        if self.child is not None and self.child.isalive():
            self.child.send("\x01x")
            self.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=10 * SCALE)
        super().stop()

    def follow(self, typed, expected, prompt):
        """Type a line; what comes then is what the page says, up to the next prompt."""
        self.drain()
        if typed in KEYS:
            self.send(KEYS[typed])
            echo = r"\n"
        else:
            self.sendline(typed)
            echo = re.escape(typed) + r" *\n"
        wanted = re.compile(echo + "".join(map(pattern, expected)) + LOG_LINES + re.escape(prompt))
        end = time.monotonic() + STEP_S * SCALE
        text = ""
        while not wanted.search(text):
            if re.search(PANIC, text) or time.monotonic() > end:
                raise MachineError(f"{typed!r}: the page says {expected!r}, then {prompt!r}; seen:\n{text}")
            text = ESCAPES.sub("", text + self._some())

    def _some(self):
        try:
            return self.child.read_nonblocking(4096, 0.5)
        except pexpect.TIMEOUT:
            return ""
        except pexpect.EOF as end:
            raise MachineError("QEMU ended") from end


def environment():
    """What a user's shell has: nothing of the make that runs the tests."""
    mine = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "O", "CACHE", "BOOT", "GIC", "SMP", "CPU", "MEM", "KERNEL")
    return {name: value for name, value in os.environ.items() if name not in mine}


@pytest.fixture(scope="module")
def tree(linux_files, tmp_path_factory):  # pylint: disable=unused-argument
    """A copy of the tree as it is, all pages' own: only the first of them builds everything."""
    folder = tmp_path_factory.mktemp("howto") / "tree"
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            stdout=subprocess.PIPE, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if os.path.isfile(os.path.join(ROOT, name)):
            os.makedirs(folder / os.path.dirname(name), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, name), folder / name)
    (folder / ".cache").symlink_to(CACHE)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def follower(request):
    """follower(COMMAND, TREE) starts a page's machine; it ends with the test."""
    os.makedirs(LOGS, exist_ok=True)
    path = os.path.join(LOGS, f"howto.{request.node.callspec.id}.log")
    machines = []
    if os.path.exists(path):
        os.remove(path)

    def start(command, folder):
        machines.append(Follower(command, folder, path).start())
        machines[-1].expect(STARTED, BUILD_S)
        return machines[-1]

    yield start
    for one in machines:
        one.stop()
    if machines and not getattr(request.node, "failed", False):
        os.remove(path)


def run(body, folder, follower):
    """Run the commands of a block, the last of which may start a machine; return that."""
    lines = body.splitlines()
    command = lines.pop() if re.search(r"\bmake run$", lines[-1]) else None
    done = subprocess.run(["/bin/sh", "-eu", "-c", "\n".join(lines)], cwd=folder, env=environment(),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=BUILD_S * SCALE, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    return follower(command, folder) if command else None


@pytest.mark.parametrize("name", NAMES)
def test_page(name, tree, follower):
    """Each block is followed in the page's order."""
    with open(os.path.join(PAGES, name), encoding="utf-8") as file:
        page = list(blocks(file.read()))
    machine = None
    assert {"sh", "console"} <= {language for language, _, _ in page}
    for language, path, body in page:
        if path:
            assert not (tree / path).exists(), f"{path} is in the tree already"
            os.makedirs(tree / os.path.dirname(path), exist_ok=True)
            (tree / path).write_text(body, encoding="utf-8")
        elif language == "sh":
            machine = run(body, tree, follower) or machine
        else:
            assert machine, "a console block before the machine was started"
            todo = steps(body)
            following = [prompt for prompt, _, _ in todo[1:]] + [PROMPT]
            for (_, typed, expected), prompt in zip(todo, following):
                machine.follow(typed, expected, prompt)


def test_written_files_are_as_the_tree_wants_them(tree):
    """What the pages tell to write passes the checks of the tree that need no build."""
    done = subprocess.run([tree / "tools" / "check" / "run", tree / "build", CACHE, "licence", "format",
                           "sizes", "config", "layers", "assembly", "circles"], cwd=tree, check=False,
                          stdout=subprocess.PIPE, text=True, env=environment())
    files = [path for name in NAMES for _, path, _ in blocks(open(os.path.join(PAGES, name), encoding="utf-8").read())
             if path]
    assert not [line for line in done.stdout.splitlines() if line.strip().startswith(tuple(files))], done.stdout


@pytest.mark.parametrize("text", ["```c\nint a;\n```\n", "```\nmake\n```\n", "```python file=x.py\n```\n",
                                  "```sh file=x\nmake\n```\n"])
def test_blocks_that_nobody_can_follow(text):
    with pytest.raises(AssertionError):
        list(blocks(text))


def test_console_that_begins_without_prompt():
    with pytest.raises(AssertionError):
        steps("Hello, world!\n")
