"""Which of a machine's interpreters a project gets, and where its code is imported from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.environment.interpreter import Interpreter, own_base
from pipeline.environment.interpreters import choose, installed
from pipeline.environment.roots import import_roots
from pipeline.errors import WorkspaceError


def python(release: str) -> Interpreter:
    major, minor, *_ = map(int, release.split("."))
    return Interpreter(Path(f"/opt/{release}/bin/python"), (major, minor), release, "", False, ())


HERE = [python(release) for release in ("3.11.7", "3.13.0", "3.12.1", "3.9.18", "3.7.16")]


@pytest.mark.parametrize(
    ("wish", "release"),
    [
        ("", "3.11.7"),
        (">=3.8", "3.11.7"),
        (">=3.12", "3.13.0"),
        ("3.12", "3.12.1"),
        ("3.12.9", "3.12.1"),
        ("<3.10", "3.9.18"),
        (">=3.9.2,<3.10", "3.9.18"),
        (">=3.12.4", "3.13.0"),
        ("^3.12", "3.13.0"),
        ("~3.12", "3.12.1"),
        ("~=3.12", "3.13.0"),
        ("nonsense", "3.11.7"),
    ],
)
def test_ours_is_taken_where_it_fits_and_else_the_newest_that_does(wish: str, release: str) -> None:
    assert choose(wish, HERE).release == release


@pytest.mark.parametrize("wish", [">=3.14", "3.7", "==2.7.*"])
def test_an_interpreter_that_is_not_here_is_named_with_those_that_are(wish: str) -> None:
    with pytest.raises(WorkspaceError, match=r"asks for Python .*has 3\.11, 3\.13, .*install that"):
        choose(wish, HERE)


def test_our_own_interpreter_is_found_first() -> None:
    found = installed()
    assert found[0].python == own_base()
    assert len({one.version for one in found}) == len(found)


def site(env: Path) -> Path:
    folder = env / "lib" / "python3.11" / "site-packages"
    folder.mkdir(parents=True)
    return folder


def test_an_editable_installation_tells_where_code_comes_from(tmp_path: Path) -> None:
    (site(tmp_path) / "x.pth").write_text("/workspace/lib\nimport sys\n/elsewhere\n/workspace\n")
    assert import_roots(tmp_path, "/workspace") == ["lib", "."]


def test_the_finder_of_setuptools_tells_it_too(tmp_path: Path) -> None:
    text = "MAPPING: dict[str, str] = {'pkg': '/workspace/a/src/pkg', 'x.y': '/workspace/b/x/y'}\n"
    (site(tmp_path) / "__editable___pkg_finder.py").write_text(text)
    assert import_roots(tmp_path, "/workspace", "a") == ["a/src", "b", "a"]


def test_a_link_that_a_set_up_left_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("/workspace/secret\n")
    (site(tmp_path / "env") / "x.pth").symlink_to(secret)
    assert import_roots(tmp_path / "env", "/workspace") == ["."]
