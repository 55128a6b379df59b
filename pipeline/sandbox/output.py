"""Keeping the first and the last of an output of any size in bounded memory."""

from __future__ import annotations


class HeadTail:
    """Takes bytes as they come and remembers `keep` of them at each end."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.total += len(data)
        room = self._keep - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        # Trimming only at twice the size keeps the copying linear in what is fed.
        if len(self._tail) > 2 * self._keep:
            self._trim()

    def render(self) -> bytes:
        """Everything, or both ends with a line between that counts the bytes left out."""
        self._trim()
        left_out = self.total - len(self._head) - len(self._tail)
        if not left_out:
            return bytes(self._head + self._tail)
        line = f"\n[... {left_out} bytes left out ...]\n".encode()
        return bytes(self._head) + line + bytes(self._tail)

    def _trim(self) -> None:
        del self._tail[: max(0, len(self._tail) - self._keep)]
