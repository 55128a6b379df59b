"""Speaks to the container engine of a runner through its socket, by the SDK of Docker's API."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import SandboxError, SandboxUnavailable

_log = logging.getLogger(__name__)

UNTIL = "acp.sandbox.until"
_ATTACHED = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
_GONE, _CONFLICT = 404, 409
_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Runner:
    """A machine or container that runs nothing but sandboxes, and how its engine is reached.

    `shared` are the directories that both see at the same path; all else that a session shows is
    expected in `image`. `runtime` is one that the engine knows by that name, such as runsc.
    """

    socket: Path
    image: str = "acp"
    runtime: str = ""
    shared: tuple[Path, ...] = (Path("/"),)


@dataclass(frozen=True, slots=True)
class Started:
    """A container that waits for its orders; who holds `line` holds its life."""

    number: str
    line: socket.socket


class Engine:
    """The engine of one runner. Its methods wait for it, so they belong into a thread."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def check(self) -> Mapping[str, Any]:
        """The image's own settings. Raises SandboxUnavailable where the engine cannot do."""
        if not self.runner.socket.is_socket():
            raise SandboxUnavailable(f"{self.runner.socket} is no socket of an engine")
        try:
            with self._asked() as api:
                info = api.info()
        except SandboxError as error:
            raise SandboxUnavailable(str(error)) from error
        lacks = [name for name in ("MemoryLimit", "PidsLimit") if not info.get(name)]
        if lacks:
            raise SandboxUnavailable(
                f"the engine cannot hold containers to their limits ({', '.join(lacks)}): its "
                "machine lacks cgroups"
            )
        return self._image()

    def start(self, config: Mapping[str, Any]) -> Started:
        """Make a container, hold its line, and start it. Raises SandboxError."""
        with self._asked() as api, contextlib.ExitStack() as on_failure:
            number: str = api.create_container_from_config(dict(config))["Id"]
            on_failure.callback(self.remove, number)
            line = _attached(api, number)
            on_failure.callback(line.close)
            api.start(number)
            on_failure.pop_all()
        return Started(number, line)

    def end(self, number: str) -> None:
        """Kill its first process, and wait until nobody is left. Raises SandboxError."""
        with self._asked(_GONE, _CONFLICT) as api:
            api.kill(number, "KILL")
        with self._asked(_GONE) as api:
            api.wait(number, timeout=_WITHIN_S)

    def remove(self, number: str) -> None:
        """Kill and forget it; one that is not there any more is no error. Raises SandboxError."""
        with self._asked(_GONE, _CONFLICT) as api:
            api.remove_container(number, force=True, v=True)

    def sweep(self) -> None:
        """Remove what hosts left behind that were killed before their containers had started."""
        with self._asked() as api:
            found = api.containers(all=True, filters={"label": UNTIL})
        for one in found:
            if _past(one["Labels"][UNTIL]):
                _log.warning("a container was left over and is removed: %s", one["Id"][:12])
                self.remove(one["Id"])

    def _image(self) -> Mapping[str, Any]:
        try:
            with self._asked() as api:
                found: Mapping[str, Any] = api.inspect_image(self.runner.image)["Config"]
        except SandboxError as error:
            raise SandboxUnavailable(
                f"{error}; build or load it on the runner, or set ACP_RUNNER_IMAGE"
            ) from error
        return found or {}

    @contextlib.contextmanager
    def _asked(self, *fine: int) -> Iterator[Any]:
        """The SDK's client. Its errors become ours; those of the statuses `fine` are none."""
        from docker.api.client import APIClient
        from docker.errors import APIError, DockerException
        from requests.exceptions import RequestException

        try:
            with APIClient(f"unix://{self.runner.socket}", timeout=_WITHIN_S) as api:
                # Proxies of our environment are not for a socket.
                api.trust_env = False
                yield api
        except APIError as error:
            if error.status_code not in fine:
                raise SandboxError(f"the engine said: {error.explanation or error}") from error
        except (DockerException, RequestException) as error:
            raise SandboxError(f"the engine does not answer: {error}") from error


def _attached(api: Any, number: str) -> socket.socket:
    """The connection itself, taken out of the SDK's hands."""
    held = api.attach_socket(number, params=_ATTACHED)
    line = socket.socket(fileno=os.dup(held.fileno()))
    held._response.close()  # noqa: SLF001 - the only way to its connection
    held.close()
    return line


def label(seconds: float) -> dict[str, str]:
    """What marks a container as ours, with the time after which nobody can need it any more."""
    return {UNTIL: str(int(time.time() + seconds))}


def _past(until: str) -> bool:
    return until.isdigit() and int(until) < time.time()
