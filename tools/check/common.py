# SPDX-License-Identifier: Apache-2.0
"""What the checks share: the tree's files, the build's output, documented exceptions."""
import os
import subprocess
from dataclasses import dataclass, field

TOP_FOLDERS = ("arch", "core", "drivers", "emulators", "libs", "tests", "tools", "docs")
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


@dataclass
class Context:
    """Where things are. Paths of the tree are relative to its root, which is the working folder."""
    output: str
    cross: str = "aarch64-linux-gnu-"
    exceptions: dict = field(default_factory=dict)

    def excepted(self, check, subject):
        """Whether tools/check/exceptions.txt names this subject for this check."""
        return subject in self.exceptions.get(check, ())


def read_exceptions():
    """Return {check: {subject}} from lines of the form `check subject reason`."""
    found = {}
    with open(os.path.join(HERE, "exceptions.txt"), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split(None, 2)
            if not words or words[0].startswith("#"):
                continue
            if len(words) < 3:
                raise SystemExit(f"tools/check/exceptions.txt:{number}: needs check, subject, reason")
            found.setdefault(words[0], set()).add(words[1])
    return found


def files(*suffixes, top=TOP_FOLDERS):
    """Yield the tree's files with these suffixes, as paths relative to the root, sorted."""
    for folder in top:
        for path, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(names):
                if name.endswith(suffixes):
                    yield os.path.join(path, name)


def text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def lines(*words):
    """Run a command and return the lines it prints."""
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
