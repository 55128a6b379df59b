"""A workspace: one tree in a directory, open in a sandbox session, read and written path-safely."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Self

from pipeline.errors import WorkspaceError
from pipeline.journal import Recorder
from pipeline.sandbox.base import ExecResult, Limits, Session, Sink
from pipeline.workspace.discard import discard
from pipeline.workspace.objects import FILE, RUNS
from pipeline.workspace.paths import check_path, in_git_directory, is_cache
from pipeline.workspace.recorded import recorded
from pipeline.workspace.repository import Repository
from pipeline.workspace.snapshots import Known

OpenSession = Callable[[Path], Awaitable[Session]]
_READ_BYTES = 32 * 2**20


class Workspace:
    """A directory that holds `tree` until somebody changes it. Made by `open` or `fork`.

    `root` is for agents that edit files on disk: `snapshot` finds what they did. `session` is
    another one after each `reset`, so nobody should hold on to it. `recorder` has the journal of
    what is run here; a fork shares it.
    """

    def __init__(
        self,
        repository: Repository,
        home: Path,
        session: Session,
        known: Known,
        open_session: OpenSession,
    ) -> None:
        self.repository = repository
        self.session = session
        self.tree = known.tree
        self.root = home / "tree"
        self.recorder = Recorder()
        self._home = home
        self._known = known
        self._open_session = open_session
        self._closed = False

    @classmethod
    async def open(
        cls, repository: Repository, tree: str, open_session: OpenSession, *, scratch: Path
    ) -> Workspace:
        """Check `tree` out below `scratch` and open a session over it.

        Raises CheckoutError, and what `open_session` raises.
        """
        home = await asyncio.to_thread(_new_home, scratch)
        try:
            session, known = await _set_up(repository, tree, home / "tree", open_session)
        except BaseException:
            await asyncio.to_thread(discard, home)
            raise
        return cls(repository, home, session, known, open_session)

    async def fork(self, tree: str) -> Workspace:
        """Another directory and session of the repository, holding `tree`; the caller closes it."""
        fork = await Workspace.open(
            self.repository, tree, self._open_session, scratch=self._home.parent
        )
        fork.recorder = self.recorder
        return fork

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def reset(self, tree: str) -> None:
        """Make the directory hold exactly `tree`: a new directory in the old one's place.

        Nothing that a command left can survive that, whatever its mode, owner or kind.
        """
        await self.session.close()
        await asyncio.to_thread(discard, self.root)
        self.session, self._known = await _set_up(
            self.repository, tree, self.root, self._open_session
        )
        self.tree = tree

    async def snapshot(self) -> str:
        """The tree id of the present content."""
        tree, self._known = await self.repository.snapshot(self.session, self._known)
        return tree

    async def diff(self, paths: Sequence[str] = ()) -> str:
        """The git diff from the base to the present content."""
        return await self.repository.diff(self.repository.base_tree, await self.snapshot(), paths)

    async def read(self, path: str) -> str:
        """A file's text. Raises UnsafePath, FileNotFoundError, WorkspaceError if not UTF-8."""
        data = await self.read_bytes(path)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise WorkspaceError(f"{path!r} is not UTF-8 text") from None

    async def read_bytes(self, path: str, max_bytes: int = _READ_BYTES) -> bytes:
        """A file's bytes. Raises UnsafePath, FileNotFoundError, WorkspaceError if it is larger."""
        return await self.session.get(check_path(path), max_bytes)

    async def write(self, path: str, content: str | bytes, mode: int | None = None) -> None:
        """Write a file, making directories; `mode` None keeps the file's own. Raises UnsafePath."""
        path = check_path(path)
        try:
            data = content.encode("utf-8") if isinstance(content, str) else content
        except UnicodeEncodeError:
            raise WorkspaceError(f"the text for {path!r} holds half a character") from None
        await self.session.put(path, data, self._mode(path) if mode is None else mode)

    def _mode(self, path: str) -> int:
        """An edit keeps a script executable, and makes a file of a link."""
        try:
            found = (self.root / path).lstat().st_mode
        except OSError:
            return FILE
        return RUNS if stat.S_ISREG(found) and found & 0o100 else FILE

    async def delete(self, path: str) -> None:
        """Remove a file. Raises UnsafePath, FileNotFoundError."""
        await self.session.delete(check_path(path))

    async def files(self) -> Sequence[str]:
        """The paths of all files and links but caches and git directories, sorted."""
        paths = [entry.path for entry in await self.session.entries()]
        return [path for path in paths if not is_cache(path) and not in_git_directory(path)]

    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str = ".",
        limits: Limits | None = None,
        env: Mapping[str, str] | None = None,
        on_output: Sink | None = None,
    ) -> ExecResult:
        """Run a command in the sandbox, once: what the journal knows is not run again.

        Secrets are taken out of what it says. Raises SandboxError if nothing could start, OutOfStep
        where the journal holds another command.
        """
        redact, pen = self.recorder.redact, self.recorder.pen
        stream = redact.stream(on_output) if on_output else None

        async def run() -> ExecResult:
            done = await self.session.exec(argv, cwd=cwd, limits=limits, env=env, on_output=stream)
            if stream is not None:
                stream.close()
            return replace(done, output=redact.data(done.output))

        if pen is None:
            return await run()
        return await recorded(pen, self.session, redact, [list(argv), cwd, dict(env or {})], run)

    async def close(self) -> None:
        """Close the session and remove the directory. Idempotent."""
        if self._closed:
            return
        self._closed = True
        await self.session.close()
        await asyncio.to_thread(discard, self._home)


def _new_home(scratch: Path) -> Path:
    home = Path(mkdtemp(prefix="workspace-", dir=scratch.absolute()))
    # A session may run under another uid, which has to pass through to the tree.
    home.chmod(0o711)
    return home


async def _set_up(
    repository: Repository, tree: str, root: Path, open_session: OpenSession
) -> tuple[Session, Known]:
    await repository.checkout(tree, root)
    session = await open_session(root)
    try:
        return session, await repository.seed(session, tree)
    except BaseException:
        await session.close()
        raise
