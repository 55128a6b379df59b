"""The settings of a runner: a container engine apart from the bot, where commands are run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from pipeline.sandbox.engine import Runner

_by = AliasChoices
_SCHEME = "unix://"


class RunnerSettings(BaseSettings):
    """Which engine may be driven, and which cgroup divided. An engine is never looked for."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=True, env_file=None
    )

    cgroup: Path | None = Field(
        None,
        validation_alias=_by("ACP_CGROUP"),
        description="A cgroup (v2) that is left to us, such as `/sys/fs/cgroup/acp`, to hold "
        "memory and processes of commands; by default our own, where it is delegated",
    )
    runner_socket: Path | None = Field(
        None,
        validation_alias=_by("ACP_RUNNER_SOCKET"),
        description="Socket of the container engine (Docker's API) of a separate runner, such as "
        "`/runner/docker.sock`; it is never looked for",
    )
    runner_image: str = Field(
        "acp",
        validation_alias=_by("ACP_RUNNER_IMAGE"),
        description="Image in which the runner runs commands; it must be there already",
        min_length=1,
    )
    runner_runtime: str = Field(
        "",
        validation_alias=_by("ACP_RUNNER_RUNTIME"),
        description="Runtime that the runner's engine knows by that name, such as `runsc`",
    )
    runner_shared: str = Field(
        "/",
        validation_alias=_by("ACP_RUNNER_SHARED"),
        description="Directories that bot and runner see at the same path, with commas between; "
        "`/` where both are one machine",
    )

    @field_validator("runner_socket", mode="before")
    @classmethod
    def _is_a_path(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        path = value.removeprefix(_SCHEME)
        if not path.startswith("/"):
            raise ValueError(
                "must be the path of a unix socket: over the network an engine gives root to "
                "everybody who reaches it"
            )
        return path

    @field_validator("runner_shared")
    @classmethod
    def _are_paths(cls, value: str) -> str:
        if not all(word.startswith("/") for word in _words(value)) or not _words(value):
            raise ValueError("must be absolute paths of directories, with commas between")
        return value

    def runner(self) -> Runner | None:
        """The runner, where one is set."""
        from pipeline.sandbox.engine import Runner

        if self.runner_socket is None:
            return None
        shared = tuple(Path(word).resolve() for word in _words(self.runner_shared))
        return Runner(self.runner_socket, self.runner_image, self.runner_runtime, shared)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
