"""A server that answers from a script, and the emulated GitHub with an App installed on it."""

import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from bot.adapters.github.client import GitHubApp
from bot.adapters.github.forge import GitHubForge
from bot.adapters.github.tokens import RUN_PERMISSIONS
from bot.domain.runs import RepositoryId
from bot.emulators.github import GitHubEmulator
from pipeline.workspace.repository import Repository
from tests.contract.emulator_github.description import Description

SHOP = "acme/shop"
FILES = {"README.md": "# Shop\n", "shop/totals.py": "TOTAL = 1\n", "bin/run": "#!/bin/sh\n"}


@dataclass
class Said:
    """One scripted answer."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Stage:
    """Answers one script after the other; the last one stays. Remembers what was asked."""

    def __init__(self) -> None:
        self.script: list[Said] = []
        self.asked: list[tuple[str, str]] = []
        self.authorizations: list[str | None] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/api/v3"

    def says(self, status: int, body: Any = b"", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script.append(Said(status, body, named))

    def answer(self, method: str, path: str, authorization: str | None) -> Said:
        self.asked.append((method, path.removeprefix("/api/v3")))
        self.authorizations.append(authorization)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def _handler(stage: Stage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = stage.answer(self.command, self.path, self.headers.get("Authorization"))
            body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

        @override
        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    thread = threading.Thread(target=stage.server.serve_forever, args=(0.01,))
    thread.start()
    yield stage
    stage.server.shutdown()
    stage.server.server_close()
    thread.join()


class Scene:
    """acme/shop with the App installed on it, and acme/secrets next to it without."""

    def __init__(self, github: GitHubEmulator) -> None:
        self.github, self.secrets = github, list[str]()
        self.shop = github.repository(SHOP, files=FILES, private=True)
        self.other = github.repository("acme/secrets", files={"a": "b\n"}, private=True)
        self.record = github.app("acp", permissions=RUN_PERMISSIONS, events=["issues"])
        self.installation = github.install(self.record, "acme", [SHOP])
        self.app = self.connected()
        self.id = self.named(self.shop.id, SHOP)
        self.forges: list[GitHubForge] = []

    def connected(self) -> GitHubApp:
        return GitHubApp(
            app_id=str(self.record.id),
            private_key=self.record.private_key,
            on_secret=self.secrets.append,
            api_url=self.github.api_url,
            clock=self.github.clock.now,
        )

    def named(self, number: int, full_name: str) -> RepositoryId:
        return RepositoryId(number, full_name, self.installation.id, "main", private=True)

    async def forge(self, permissions: Mapping[str, str] = RUN_PERMISSIONS) -> GitHubForge:
        """One more run's forge, closed with the test."""
        self.forges.append(await self.app.forge(self.id, permissions))
        return self.forges[-1]

    def operations(self) -> list[str]:
        return [one.operation for one in self.github.exchanges]

    def writes(self) -> list[str]:
        """Writes so far, without those that are about tokens."""
        return [
            one for one in self.operations() if not one.startswith("GET") and "token" not in one
        ]

    async def aclose(self) -> None:
        for forge in self.forges:
            await forge.aclose()
        await self.app.aclose()


@pytest.fixture(scope="session")
def description() -> Description:
    return Description()


@pytest.fixture
async def scene(description: Description) -> AsyncIterator[Scene]:
    """Every request of the forge is held against GitHub's own description."""
    with GitHubEmulator() as github:
        scene = Scene(github)
        yield scene
        await scene.aclose()
        wrong = {line for one in github.exchanges for line in description.complaints(one)}
    assert not wrong, "\n".join(sorted(wrong))


@pytest.fixture
async def forge(scene: Scene) -> GitHubForge:
    return await scene.forge()


class Clone:
    """The run's pristine clone, in a directory that no agent sees."""

    def __init__(self, repository: Repository, git_dir: Path) -> None:
        self.repository, self.git_dir = repository, str(git_dir)

    async def commit(
        self, path: str, data: bytes, *, parent: str = "", mode: int = 0o100644
    ) -> str:
        """A commit of one more file on `parent` (default: base)."""
        tree = self.repository.base_tree
        made = await self.repository.write(tree, path, data, mode)
        author = "acp[bot] <1+acp[bot]@users.noreply.h>"
        return await self.repository.commit(
            made, f"Add {path}", parent=parent or self.repository.base_sha, author=author
        )


@pytest.fixture
async def clone(forge: GitHubForge, tmp_path: Path) -> AsyncIterator[Clone]:
    repository = await Repository.open(
        forge.clone_url(), scratch=tmp_path, auth_env=await forge.clone_env()
    )
    async with repository:
        yield Clone(repository, tmp_path / "git")
