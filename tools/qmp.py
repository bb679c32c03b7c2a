# SPDX-License-Identifier: Apache-2.0
"""QEMU's monitor protocol, as much of it as reads a machine's memory."""
import json
import socket
import time

CONNECT_SECONDS = 10


class Qmp:
    """A connection to the monitor behind a UNIX socket. Use as a context manager."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                self._socket.connect(path)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._lines.readline()  # the greeting
        self.command("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lines.close()
        self._socket.close()

    def command(self, name, **arguments):
        """Run one command to its end and return its result."""
        words = {"execute": name, **({"arguments": arguments} if arguments else {})}
        self._socket.sendall(json.dumps(words).encode())
        for line in self._lines:
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"{name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise RuntimeError(f"{name}: QEMU has ended")
