"""A process that loses its power at every write in turn: once before it, and once after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

_STORE = frozenset({"done", "append", "move"})
_FORGE = frozenset(
    {"upsert_comment", "react", "upsert_pull", "upsert_check", "push", "commit_by_api"}
)


class PowerCut(BaseException):
    """The process is gone."""


class Fuse:
    """Blows at every write that it has not yet blown at; then nothing goes through until `mend`."""

    def __init__(self) -> None:
        self.cuts = 0
        self._blown = False
        self._seen: set[tuple[object, ...]] = set()

    def mend(self) -> None:
        """The process begins again."""
        self._blown = False

    def store(self, store: Any) -> Any:
        """The store, as a process without power reaches it: not at all."""
        return _Wired(store, _STORE, self._write)

    def forge(self, forge: Any) -> Any:
        """The forge, likewise; it can be closed, so that tests leave no connection behind."""
        return _Wired(forge, _FORGE, self._send)

    def _cut(self, *key: object) -> None:
        if self._blown or key not in self._seen:
            self._seen.add(key)
            self.cuts += not self._blown
            self._blown = True
            raise PowerCut(key)

    def _write(self, verb: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def write(*args: Any, **named: Any) -> Any:
            key = (verb, str(args[2]), named.get("key", ""))
            self._cut("before", *key)
            result = work(*args, **named)
            self._cut("after", *key)
            return result

        return write

    def _send(self, verb: str, work: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        async def send(*args: Any, **named: Any) -> Any:
            said = () if verb == "push" else args[:2]  # a push begins with a scratch directory
            key = (verb, *(str(one)[:60] for one in said))
            self._cut("before", *key)
            result = await work(*args, **named)
            self._cut("after", *key)
            return result

        return send


class _Wired:
    """Passes everything on, the writes through the fuse."""

    def __init__(self, inner: Any, writes: frozenset[str], wire: Callable[..., Any]) -> None:
        self._inner, self._writes, self._wire = inner, writes, wire

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._wire(name, found) if name in self._writes else found
