"""Any tree, any change: diff and apply, checkout and snapshot come back to the identical id."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.sandbox.base import Session
from pipeline.workspace.gitcmd import Git
from pipeline.workspace.objects import Item, blob_id, tree_of, write_blobs
from pipeline.workspace.repository import Repository

Files = dict[str, tuple[int, bytes]]

_NAMES = [
    b"a", b"b.py", b"c d", b" lead", b"trail ", b'q"uote', b"new\nline", b"tab\there",
    b"back\\slash", b"\xff\xfe", "é".encode(), b"*", b"[x]", b"?", b":(top)z", b"!not",
    b"#hash", b"-dash", b"a\rb",
    b"...", b"{x", b"dev null", b"a b", b"b", b"x.txt", b"\x01", b"~", b"=>", b"CON", b"\xe2\x82",
]  # fmt: skip
_LINES = [
    b"one\n", b"two\n", b"three\r\n", b"\n", b" \n", b"-- \n", b"+plus\n", b"diff --git a/a b/b\n",
    b"@@ -1 +1 @@ x\n", b"\\ No newline at end of file\n", "äöü €\n".encode(), b"\xe4\xf6\n",
    b"\xff\n", b"\x00\n", b"\x0c\n", b"lone\rreturn\n", b"GIT binary patch\n", b"tail",
    "\u2028\n".encode(),
    b"index 1234567..1234567 100644\n", b"$Id$\n", "\N{GRINNING FACE}\n".encode() * 30,
    "def funktion_mit_umlauten_\u00e4\u00f6\u00fc".encode() + "\u00e4".encode() * 40 + b"():\n",
]  # fmt: skip

names = st.sampled_from(_NAMES).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
texts = st.lists(st.sampled_from(_LINES), max_size=12).map(b"".join)
long_texts = st.tuples(texts, st.integers(0, 30)).map(
    lambda pair: b"".join(b"line %d\n" % n for n in range(pair[1])) + pair[0]
)
contents = st.one_of(
    st.just(b""), texts, long_texts, st.binary(max_size=80), st.just(b"x\n" * 4500 + b"\0\n")
)
regular = st.tuples(st.sampled_from([0o100644, 0o100755]), contents)
targets = st.sampled_from([b"a", b"../outside", b"/etc/passwd", b"\xff", "é".encode(), b"x\ny"])
links = st.tuples(st.just(0o120000), targets)
pytestmark = pytest.mark.filterwarnings("default::ResourceWarning")
thorough = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def without_collisions(files: Files) -> Files:
    """A path cannot be a file and a directory at once: the shorter one stays."""
    kept: Files = {}
    for path in sorted(files, key=len):
        parts = path.split("/")
        above = {"/".join(parts[:n]) for n in range(1, len(parts))}
        if above.isdisjoint(kept):
            kept[path] = files[path]
    return kept


trees = st.dictionaries(paths, st.one_of(regular, regular, links), max_size=7).map(
    without_collisions
)


@st.composite
def edits(draw: st.DrawFn) -> tuple[Files, Files]:
    """A tree and what became of it: kept, moved, changed a little, changed in kind, or gone."""
    old = draw(trees)
    new: Files = {}
    for path, (mode, data) in old.items():
        kind = draw(st.sampled_from(["keep", "move", "tweak", "mode", "retype", "drop"]))
        target = draw(paths) if kind == "move" else path
        if kind in ("keep", "move"):
            new[target] = (mode, data)
        elif kind == "tweak" and mode != 0o120000:
            new[path] = (mode, data + draw(st.sampled_from(_LINES)))
        elif kind == "mode" and mode != 0o120000:
            new[path] = (mode ^ 0o111, data)
        elif kind == "retype":
            new[path] = draw(st.one_of(regular, links))
    new.update(draw(trees) if draw(st.booleans()) else {})
    return old, without_collisions(new)


class House:
    """One repository for all examples; git directories are slow to make and hold any tree."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.repository = self.do(Repository.open(None, scratch=scratch))
        self.git = Git((f"--git-dir={scratch / 'git'}",))
        self.numbers = itertools.count()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run(work)

    async def tree(self, files: Files) -> str:
        await write_blobs(self.git, [data for _, data in files.values()])
        return await tree_of(self.git, {p: Item(m, blob_id(d)) for p, (m, d) in files.items()})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("scratch"))
    yield made
    made.do(made.repository.close())


@thorough
@given(edit=edits())
def test_a_diff_applies_back_to_the_identical_tree(house: House, edit: tuple[Files, Files]) -> None:
    async def check() -> None:
        old, new = [await house.tree(files) for files in edit]
        diff = await house.repository.diff(old, new)
        assert json.loads(json.dumps(diff).encode("utf-8")) == diff
        assert diff.encode("utf-8").decode("utf-8") == diff
        assert "\0" not in diff
        assert (diff == "") == (old == new)
        assert await house.repository.apply(old, diff) == new
        assert await house.repository.diff(old, new) == diff

    house.do(check())


@thorough
@given(edit=edits(), limit=st.lists(names, min_size=1, max_size=3))
def test_a_diff_of_some_paths_applies_to_those_paths_alone(
    house: House, edit: tuple[Files, Files], limit: list[str]
) -> None:
    def chosen(path: str) -> bool:
        return any(path == name or path.startswith(name + "/") for name in limit)

    async def check() -> None:
        old, new = [await house.tree(files) for files in edit]
        diff = await house.repository.diff(old, new, limit)
        applied = await house.repository.apply(old, diff)
        changed = await house.repository.changes(old, applied)
        assert all(chosen(path) for c in changed for path in (c.path, c.old_path or c.path))
        assert await house.repository.diff(applied, new, limit) == ""

    house.do(check())


def test_a_link_may_move_while_a_directory_takes_its_name(house: House) -> None:
    async def check() -> None:
        old = await house.tree({"lib": (0o120000, b"x")})
        new = await house.tree({"moved": (0o120000, b"x"), "lib/a.py": (0o100644, b"a\n")})
        diff = await house.repository.diff(old, new)
        assert await house.repository.apply(old, diff) == new

    house.do(check())


@thorough
@given(files=trees)
def test_a_checkout_taken_as_it_is_gives_the_identical_tree(
    house: House, files: Files, open_session: Any
) -> None:
    async def check() -> None:
        tree = await house.tree(files)
        directory = house.scratch / f"tree-{next(house.numbers)}"
        await house.repository.checkout(tree, directory)
        session: Session = await open_session(directory)
        taken, known = await house.repository.snapshot(session)
        again, _ = await house.repository.snapshot(session, known)
        assert (taken, again) == (tree, tree)

    house.do(check())


@thorough
@given(edit=edits())
def test_changes_name_every_path_that_differs(house: House, edit: tuple[Files, Files]) -> None:
    async def check() -> None:
        old, new = [await house.tree(files) for files in edit]
        found = await house.repository.changes(old, new)
        named = {c.path for c in found} | {c.old_path for c in found if c.status == "R"}
        before, after = edit
        differing = {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
        assert named == differing

    house.do(check())


@thorough
@given(edit=edits())
def test_an_overlay_takes_matching_paths_from_the_other_tree(
    house: House, edit: tuple[Files, Files]
) -> None:
    async def check() -> None:
        old, new = [await house.tree(files) for files in edit]
        everything = await house.repository.overlay(old, new, lambda _: True)
        nothing = await house.repository.overlay(old, new, lambda _: False)
        assert (everything, nothing) == (new, old)

    house.do(check())
