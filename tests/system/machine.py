# SPDX-License-Identifier: Apache-2.0
"""A QEMU virtual machine under test: typed at, listened to, watched for panics, always ended."""
import os
import re
import time

import pexpect
import qemu

PROMPT = "mterm> "
# Time-outs only end what hangs: they are long enough for a machine that is busy with other things.
SCALE = float(os.environ.get("TEST_TIMEOUT_SCALE", "3"))
# What the hypervisor prints only when it is broken; no guest's doing may ever bring it out.
PANIC = (r"PANIC|ASSERT|assertion failed|stack smashing|emergency stack|"
         r"LOCK (?:ORDER|RECURSION|IRQ|CHECKER):")
# Lines whose echo is what was typed: they fit on the screen and nothing in them edits.
ECHO = re.compile(r"[!-~][ -~]{0,60}")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\x07")


class MachineError(AssertionError):
    """The machine did something else than the test expects."""


class Machine:
    """One QEMU. Use as a context manager, or by the fixture `machine`, which ends it."""

    def __init__(self, config, log_path):
        self.config = config
        self.log_path = log_path
        self.child = None
        self._log = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, reboot=False):
        """Start QEMU; a reset of the machine ends it unless reboot is set."""
        words = qemu.command(self.config) + ([] if reboot else ["-no-reboot"])
        self._log = open(self.log_path, "a", encoding="utf-8", newline="")
        self._log.write(" ".join(words) + "\n")
        self.child = pexpect.spawn(words[0], words[1:], encoding="utf-8", codec_errors="replace",
                                   dimensions=(24, 80), timeout=30 * SCALE)
        self.child.logfile_read = self._log
        self.child.delaybeforesend = None
        return self

    def stop(self):
        """End QEMU, by its own process number, and wait for it."""
        if self.child is not None:
            self.child.close(force=True)
            self.child = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def expect(self, pattern, timeout=30):
        """Wait for a regular expression (or the first of a list) and return its match; a panic fails."""
        patterns = [pattern] if isinstance(pattern, str) else list(pattern)
        found = self.child.expect([PANIC] + patterns + [pexpect.EOF, pexpect.TIMEOUT],
                                  timeout=timeout * SCALE)
        if 0 < found <= len(patterns):
            return self.child.match
        reasons = {0: "the hypervisor panicked", len(patterns) + 1: "QEMU ended",
                   len(patterns) + 2: f"not seen in {timeout * SCALE:g} s"}
        if found == 0:
            self._read_rest()
        raise MachineError(f"{reasons[found]}, waiting for {patterns!r}; last output:\n{self._tail()}")

    def expect_exit(self, timeout=30):
        """Wait until QEMU ends by itself and return what it still printed."""
        found = self.child.expect([PANIC, pexpect.EOF, pexpect.TIMEOUT], timeout=timeout * SCALE)
        if found != 1:
            raise MachineError(f"QEMU did not end; last output:\n{self._tail()}")
        return ESCAPES.sub("", self.child.before)

    def prompt(self, timeout=60):
        """Wait for mterm's prompt."""
        return self.expect(re.escape(PROMPT), timeout)

    def drain(self, quiet=0.05):
        """Read away what is already printed, until it is quiet for a moment; return it."""
        text = self.child.buffer
        self.child.buffer = type(text)()
        while True:
            try:
                text += self.child.read_nonblocking(4096, quiet)
            except (pexpect.TIMEOUT, pexpect.EOF):
                break
        if re.search(PANIC, text):
            raise MachineError(f"the hypervisor panicked:\n{text[-4000:]}")
        return ESCAPES.sub("", text)

    def send(self, text):
        """Type text as it is. QEMU's own escape character, Ctrl-A, is doubled as a user would."""
        self.child.send(text.replace("\x01", "\x01\x01"))

    def sendline(self, text=""):
        """Type a line and Enter."""
        self.send(text + "\r")

    def cmd(self, text, timeout=30):
        """Run one command of mterm and return what it printed, without echo, prompt and escapes."""
        self.drain()
        self.sendline(text)
        # A line of the log brings its own end and a prompt, so it is the echo that counts.
        self.expect(re.escape(text) + r"\r*\n"
                    if ECHO.fullmatch(text) else r"\n", timeout)
        self.prompt(timeout)
        return ESCAPES.sub("", self.child.before).strip("\n")

    def cmd_until(self, text, pattern, timeout=60, every=0.5):
        """Repeat a command until its output matches the pattern; return the match."""
        end = time.monotonic() + timeout * SCALE
        while True:
            output = self.cmd(text)
            match = re.search(pattern, output, re.M)
            if match:
                return match
            if time.monotonic() > end:
                raise MachineError(f"{text!r} never matched {pattern!r}; last output:\n{output}")
            time.sleep(every)

    def _read_rest(self):
        """Let a panic message come to its end, for the log."""
        try:
            while True:
                self.child.before += self.child.read_nonblocking(4096, 1)
        except (pexpect.TIMEOUT, pexpect.EOF):
            pass

    def _tail(self):
        after = self.child.after if isinstance(self.child.after, str) else ""
        return ESCAPES.sub("", (self.child.before or "") + after)[-4000:]
