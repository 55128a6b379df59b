"""Finds out which registries a set-up may reach, by asking the clients of this machine.

No list of hosts stands here: each client says which registry it is set up with, and an index says
where its files are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from pipeline.environment.gate import Gate
from pipeline.environment.plan import Language
from pipeline.environment.proxy import Proxy, Resolve, look_up
from pipeline.environment.registries import Registries, host_of
from pipeline.environment.workbench import Workbench
from pipeline.sandbox.base import Limits, Sandbox

_URL = re.compile(r"https://[^\s,|'\"]+")
_UV = ("uv", "pip", "compile", "-q", "--no-header", "--no-config", "--offline", "--emit-index-url")
_NAMED_BY: Mapping[Language, tuple[str, ...]] = {
    "node": ("npm", "config", "get", "registry"),
    "go": ("go", "env", "GOPROXY"),
}
# A small project that every index for Python has: pytest needs it.
_SAMPLE = "iniconfig"
_LIMITS = Limits(wall_s=60.0, cpu_s=60)


@dataclass(slots=True)
class Guide:
    """Asks once per language and remembers."""

    registries: Registries
    resolve: Resolve = look_up
    known: dict[Language, Gate] = field(default_factory=dict)

    def proxy(self, gate: Gate) -> Proxy:
        """A way out through `gate`."""
        upstream, keyring = self.registries.upstream, self.registries.keyring
        return Proxy(gate, upstream=upstream, resolve=self.resolve, keyring=keyring)

    async def gate(self, sandbox: Sandbox, bench: Workbench, language: Language) -> Gate:
        """What a set-up in `language` may reach.

        What no client says is not reached: a set-up that needs it fails, and says what it asked
        for. Raises SandboxError.
        """
        if language not in self.known:
            empty = bench.home / "asked"
            empty.mkdir()
            indexes, others = await self._ask(sandbox, bench, empty, language)
            hosts = [host_of(url) for url in (*indexes, *others)]
            for index in indexes:
                hosts += await self._files_of(sandbox, bench, empty, index)
            self.known[language] = self.registries.gate(hosts)
        return self.known[language]

    async def _ask(
        self, sandbox: Sandbox, bench: Workbench, empty: Path, language: Language
    ) -> tuple[list[str], list[str]]:
        """The indexes for Python, and the registries of the other language."""
        (empty / "none.in").touch()
        session = await sandbox.open(bench.spec(empty))
        try:
            python = str(bench.interpreter.python)
            said = await session.exec((*_UV, "--python", python, "none.in"), limits=_LIMITS)
            other = _NAMED_BY.get(language)
            more = await session.exec(other, limits=_LIMITS) if other else None
        finally:
            await session.close()
        return _URL.findall(said.text), _URL.findall(more.text) if more and more.ok else []

    async def _files_of(
        self, sandbox: Sandbox, bench: Workbench, empty: Path, index: str
    ) -> list[str]:
        """Where the index, which is trusted, says that its files are."""
        name = "acp_files_of.py"
        text = files("pipeline.environment.inside").joinpath(name).read_bytes()
        page = f"{index.rstrip('/')}/{_SAMPLE}/"
        proxy = self.proxy(self.registries.gate((host_of(index),)))
        async with proxy.listening() as socket:
            session = await sandbox.open(bench.spec(empty, socket))
            try:
                await session.put(name, text)
                argv = (str(bench.interpreter.python), "-I", name, page)
                said = await session.exec(argv, limits=_LIMITS)
            finally:
                await session.close()
        return [host_of(url) for url in _URL.findall(said.text)] if said.ok else []
