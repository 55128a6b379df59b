"""The sandbox in which environments are built: uv, a Python, and what the operator has set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.environment.interpreter import Interpreter
from pipeline.environment.registries import Registries
from pipeline.sandbox.base import Limits, Mount, Spec, Writable

# Compilers and installers are larger and slower than tests.
LIMITS = Limits(wall_s=900.0, cpu_s=1800, file_mb=2048, disk_mb=4096, output_mb=64)
_MOST_MB = 6144
_COMMON = {
    "CI": "true",
    "NO_COLOR": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "UV_COMPILE_BYTECODE": "1",
    "UV_HTTP_TIMEOUT": "60",
    "UV_NO_MANAGED_PYTHON": "1",
    "UV_NO_PROGRESS": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "npm_config_update_notifier": "false",
}


@dataclass(frozen=True, slots=True)
class Workbench:
    """`home` is a directory of the host for one build; commands may write its folder `box`.

    Beside it stand things that commands may see (`bin`) and things that they may not. `env` and
    `more` are variables and mounts of the plan.
    """

    home: Path
    interpreter: Interpreter
    registries: Registries
    env: Mapping[str, str] = field(default_factory=dict)
    more: tuple[Mount, ...] = ()

    @property
    def box(self) -> Path:
        """What commands may write besides the tree."""
        return self.home / "box"

    @property
    def target(self) -> Path:
        """The environment that is being made, the same path inside and outside."""
        return self.box / "env"

    def lay_out(self) -> None:
        """Make the folders, and `uv` a command of its own, without what stands beside it here."""
        from uv import find_uv_bin

        tools = self.home / "bin"
        for folder in (self.box, self.target, tools):
            folder.mkdir()
            folder.chmod(0o755)
        (tools / "uv").symlink_to(Path(find_uv_bin()).resolve())
        self.registries.equip(tools)

    def spec(self, tree: Path, proxy: Path | None = None) -> Spec:
        """A session over `tree`: SETUP with the socket `proxy`, RUN without."""
        tools = self.home / "bin"
        uv = (tools / "uv").resolve()
        own = (*self.interpreter.mounts, Mount(tools), Mount(uv))
        shown = (*own, *self.registries.mounts(), *self.more)
        path = (str(self.target / "bin"), str(tools), str(self.interpreter.python.parent))
        return Spec(
            tree,
            tuple(dict.fromkeys(shown)),
            path,
            {**self._variables(), **self.env},
            LIMITS,
            (Writable(self.box, most_mb=_MOST_MB),),
            proxy,
        )

    def _variables(self) -> dict[str, str]:
        box = self.box
        own = {
            "VIRTUAL_ENV": self.target,
            "UV_PROJECT_ENVIRONMENT": self.target,
            "UV_CACHE_DIR": box / "cache",
            "UV_TOOL_DIR": box / "tools",
            "npm_config_cache": box / "cache" / "npm",
        }
        kept = {name: str(value) for name, value in own.items()}
        return {**_COMMON, **kept, **self.registries.variables(self.home / "bin")}
