"""Both ways to open a directory beneath a root refuse the same things."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import UnsafePath
from pipeline.sandbox import beneath

WAYS = [beneath.by_steps]
if beneath.openat2_works():
    WAYS.append(beneath.by_openat2)


@pytest.fixture
def top(tmp_path: Path) -> Iterator[int]:
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "file").write_text("")
    (tree / "link").symlink_to("a")
    (tree / "out").symlink_to("..")
    (tree / "a" / "up").symlink_to(tmp_path)
    (tree / "a" / "dangling").symlink_to("nowhere")
    descriptor = os.open(tree, beneath.DIRECTORY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("parts", [(), ("a",), ("a", "b")])
def test_a_directory_inside_is_opened(
    top: int, tmp_path: Path, way: beneath.Opener, parts: tuple[str, ...]
) -> None:
    opened = way(top, parts)
    assert os.fstat(opened).st_ino == tmp_path.joinpath("tree", *parts).stat().st_ino
    os.close(opened)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "parts",
    [("link",), ("link", "b"), ("out",), ("a", "up"), ("a", "up", "tree"), ("a", "dangling")],
)
def test_a_link_on_the_way_is_refused(
    top: int, way: beneath.Opener, parts: tuple[str, ...]
) -> None:
    with pytest.raises(UnsafePath):
        way(top, parts)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("parts", "kind"), [(("x",), FileNotFoundError), (("a", "file"), NotADirectoryError)]
)
def test_what_is_no_directory_is_told_from_a_link(
    top: int, way: beneath.Opener, parts: tuple[str, ...], kind: type[OSError]
) -> None:
    with pytest.raises(kind):
        way(top, parts)


@pytest.mark.parametrize("way", WAYS)
def test_no_descriptor_is_left_open(top: int, way: beneath.Opener) -> None:
    listing = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
    before = len(list(listing.iterdir()))
    for parts in [("link",), ("x",), ("a", "file")]:
        with pytest.raises((UnsafePath, OSError)):
            way(top, parts)
    os.close(way(top, ("a", "b")))
    assert len(list(listing.iterdir())) == before
