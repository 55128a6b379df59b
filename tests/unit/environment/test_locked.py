"""What locks of poetry and pdm say."""

from __future__ import annotations

import pytest

from pipeline.environment.locked import pins, poetry_needs

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def package(name: str, version: str, *more: str) -> str:
    files = f'files = [{{file = "x.whl", hash = "{A}"}}, {{file = "x.gz", hash = "{B}"}}]'
    return "\n".join(["[[package]]", f'name = "{name}"', f'version = "{version}"', files, *more])


LOCKS = {
    "a version with its checksums": (package("a", "1.0"), f"a==1.0 --hash={A} --hash={B}\n"),
    "one that holds on some machines": (
        package("a", "1.0", "markers = 'sys_platform == \"win32\"'"),
        f"a==1.0 --hash={A} --hash={B}\n",
    ),
    "two, each where its marker does": (
        package("a", "1", "markers = 'python_version < \"3.10\"'")
        + "\n"
        + package("a", "2", "marker = 'python_version >= \"3.10\"'"),
        f'a==1 ; (python_version < "3.10") --hash={A} --hash={B}\n'
        f'a==2 ; (python_version >= "3.10") --hash={A} --hash={B}\n',
    ),
    "a marker for each group, and a version that nothing places": (
        package("a", "1", "markers = {main = \"os_name == 'x'\", test = \"os_name == 'y'\"}")
        + "\n"
        + package("a", "2"),
        f"a==1 ; (os_name == 'x') or (os_name == 'y') --hash={A} --hash={B}\n",
    ),
    "an older lock": (
        '[[package]]\nname = "a"\nversion = "1"\n[metadata.files]\n'
        f'a = [{{file = "x", hash = "{A}"}}]',
        f"a==1 --hash={A}\n",
    ),
    "another index": (
        package("a", "1", '[package.source]\ntype = "legacy"'),
        f"a==1 --hash={A} --hash={B}\n",
    ),
    "no index": (package("a", "1", '[package.source]\ntype = "git"'), ""),
    "a folder": (package("a", "1", 'path = "./a"'), ""),
    "a line that is more than it seems": (package("a", "1 --index-url=https://evil"), ""),
    "a name that is an option": ('[[package]]\nname = "-r x"\nversion = "1"', ""),
    "no package": ("package = 1", ""),
    "nothing that can be read": ("[[", ""),
}


@pytest.mark.parametrize(("lock", "lines"), LOCKS.values(), ids=LOCKS)
def test_a_lock_gives_constraints(lock: str, lines: str) -> None:
    assert pins(lock) == lines


NEEDS: dict[str, tuple[object, list[str]]] = {
    "a version": ("^1.0", ["a"]),
    "extras and a marker": (
        {"version": "*", "extras": ["x", "y"], "markers": "os_name == 'nt'"},
        ["a[x,y] ; os_name == 'nt'"],
    ),
    "versions for several machines": ([{"version": "1"}, {"version": "2"}], ["a"]),
    "what only an extra brings": ({"version": "1", "optional": True}, []),
    "a folder": ({"path": "../a"}, ["../a"]),
    "a folder that is worked on": ({"path": "../a", "develop": True}, ["-e", "../a"]),
    "a repository": (
        {"git": "https://g.example/a", "tag": "v1"},
        ["a @ git+https://g.example/a@v1"],
    ),
    "an address": ({"url": "https://g.example/a.whl"}, ["a @ https://g.example/a.whl"]),
}


@pytest.mark.parametrize(("said", "words"), NEEDS.values(), ids=NEEDS)
def test_poetrys_own_table_is_understood(said: object, words: list[str]) -> None:
    assert poetry_needs({"python": "^3.9", "a": said}) == words


@pytest.mark.parametrize("table", [None, 1, {"-r x": "1"}])
def test_another_table_asks_for_nothing(table: object) -> None:
    assert poetry_needs(table) == []
