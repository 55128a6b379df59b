from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from pipeline.environment import find_environment
from pipeline.environment.interpreter import inspect, own_base
from pipeline.errors import WorkspaceError
from pipeline.sandbox.none import NoSandbox
from pipeline.verification.runner import canary_name, run_tests
from tests.unit.verification.judging import CALC, TRUE_FIX, court, strongest

EDITABLE_HOOK = """
import sys
from importlib.machinery import PathFinder


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, [{home!r}]) if name == "calc" else None


sys.meta_path.insert(0, Finder)
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("cache")
    folder.chmod(0o755)
    return folder


def make_venv(repo: Any, environment: Any, *, with_pytest: Any = True) -> Any:
    """A real venv; pytest comes from the bare environment, so that no index is asked."""
    target = repo / ".venv"
    venv.EnvBuilder(symlinks=True, with_pip=False).create(target)
    site = next(target.glob("lib/python3*/site-packages"))
    if with_pytest:
        packages = next(Path(environment.launcher).parents[1].glob("lib/python3*/site-packages"))
        shutil.copytree(packages, site, dirs_exist_ok=True)
    return site


async def call(environment: Any, tree: Any, *argv: Any) -> Any:
    session = await (await strongest()).open(environment.spec(tree))
    try:
        return await session.exec(argv)
    finally:
        await session.close()


async def suite(environment: Any, tree: Any, sandbox: Any = None) -> Any:
    session = await (sandbox or await strongest()).open(environment.spec(tree))
    try:
        return await run_tests(session, environment, canary=canary_name())
    finally:
        await session.close()


def write(root: Any, files: Any) -> Any:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


async def test_a_bare_environment_holds_pytest_and_nothing_of_ours(
    tmp_path: Path, cache: Path
) -> None:
    environment = find_environment(None, cache=cache)
    code = (
        "import importlib.util as u, sys\n"
        "names = ['pytest', 'pluggy', 'openai', 'pipeline', 'git', 'pydantic', 'ruff']\n"
        "print([n for n in names if u.find_spec(n)], sys.flags.no_user_site)\n"
    )
    done = await call(environment, write(tmp_path / "t", {"a": ""}), "python", "-c", code)
    assert done.text == "['pytest', 'pluggy'] 1\n"
    assert "(bare)" in environment.label


async def test_ruff_and_pytest_are_commands_of_the_environment(tmp_path: Path, cache: Path) -> None:
    environment = find_environment(None, cache=cache)
    tree = write(tmp_path / "t", CALC)
    assert (await call(environment, tree, "ruff", "--version")).text.startswith("ruff ")
    assert "1 passed" in (await call(environment, tree, "pytest", "-q")).text


@pytest.mark.parametrize(
    "files",
    [
        CALC,
        {"src/" + key if key.startswith("calc") else key: text for key, text in CALC.items()},
        {"calc.py": CALC["calc/__init__.py"], "test_one.py": CALC["tests/test_one.py"]},
        {**CALC, "conftest.py": "import calc\n", "tests/__init__.py": ""},
        {
            "calc/__init__.py": CALC["calc/__init__.py"],
            "calc/tests/__init__.py": "",
            "calc/tests/test_one.py": (
                "from .. import one\n\n\ndef test_one():\n    assert one() == 1\n"
            ),
        },
        {
            "calc/__main__.py": "print(41 + 1)\n",
            "tests/test_one.py": (
                "import subprocess, sys\n\n\ndef test_one(tmp_path):\n"
                "    argv = [sys.executable, '-m', 'calc']\n"
                "    assert subprocess.check_output(argv, cwd=tmp_path) == b'42\\n'\n"
            ),
        },
        {**CALC, "pytest.ini": "[pytest]\naddopts = -x --ff -k one --import-mode=importlib\n"},
        {**CALC, "pytest.ini": "[pytest]\nfilterwarnings = error\naddopts = --strict-config\n"},
    ],
    ids=["flat", "src", "module", "conftest", "nested", "command", "addopts", "strict"],
)
async def test_the_common_layouts_run_without_an_installation(
    tmp_path: Path, cache: Path, files: Any
) -> None:
    run = await suite(find_environment(None, cache=cache), write(tmp_path / "t", files))
    assert run.problem == ""
    assert run.counts == {"passed": 1}
    assert run.python


async def test_the_run_leaves_nothing_in_the_tree(tmp_path: Path, cache: Path) -> None:
    tree = write(tmp_path / "t", CALC)
    await suite(find_environment(None, cache=cache), tree)
    found = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    assert found == set(CALC)


async def test_a_venv_of_the_repository_is_used_with_its_own_packages(
    tmp_path: Path, cache: Path
) -> None:
    repo = write(tmp_path / "repo", CALC)
    site = make_venv(repo, find_environment(None, cache=cache))
    write(site, {"helper_of_the_project.py": "ONE = 1\n"})
    environment = find_environment(str(repo), cache=cache)
    test = "from helper_of_the_project import ONE\n\n\ndef test_one():\n    assert ONE == 1\n"
    run = await suite(environment, write(tmp_path / "t", {"tests/test_one.py": test}))
    assert (run.problem, run.counts) == ("", {"passed": 1})
    assert "of .venv" in environment.label


async def test_an_editable_link_to_the_users_work_tree_does_not_win(
    tmp_path: Path, cache: Path
) -> None:
    work = write(tmp_path / "work", CALC)
    site = make_venv(work, find_environment(None, cache=cache))
    write(site, {"editable.pth": f"{work}\n"})
    environment = find_environment(str(work), cache=cache)
    async with court(tmp_path, environment=environment, sandbox=NoSandbox()) as it:
        assert (await it.verdict(TRUE_FIX)).passed


async def test_an_import_hook_that_wins_all_the_same_makes_the_run_untrusted(
    tmp_path: Path, cache: Path
) -> None:
    repo = write(tmp_path / "repo", CALC)
    site = make_venv(repo, find_environment(None, cache=cache))
    write(site, {"hook.pth": "import hook_of_the_project\n"})
    write(site, {"hook_of_the_project.py": EDITABLE_HOOK.format(home=str(repo))})
    environment = find_environment(str(repo), cache=cache)
    run = await suite(environment, write(tmp_path / "t", CALC), NoSandbox())
    assert "not against the tree: calc" in run.problem


def test_a_venv_without_pytest_is_passed_over_and_it_is_said(tmp_path: Path, cache: Path) -> None:
    make_venv(tmp_path, find_environment(None, cache=cache), with_pytest=False)
    environment = find_environment(str(tmp_path), cache=cache)
    assert ".venv has no pytest" in environment.label
    assert environment.order == "last"


def test_a_venv_whose_interpreter_is_gone_is_passed_over(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(tmp_path / "nowhere")
    assert "(bare)" in find_environment(str(tmp_path), cache=cache).label


def test_nothing_of_a_committed_venv_runs(tmp_path: Path, cache: Path) -> None:
    trap = tmp_path / ".venv" / "bin" / "python"
    trap.parent.mkdir(parents=True)
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    trap.chmod(0o755)
    assert ".venv does not work" in find_environment(str(tmp_path), cache=cache).label
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [None, "#!/bin/sh\n", "\x7fELF"])
def test_a_named_interpreter_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, cache: Path, content: Any
) -> None:
    python = tmp_path / "bin" / "python"
    if content is not None:
        python.parent.mkdir()
        python.write_text(content)
        python.chmod(0o755)
    with pytest.raises(WorkspaceError, match="interpreter"):
        find_environment(None, python, cache=cache)


def test_every_stop_of_a_chain_of_links_is_shown_inside(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "python", tmp_path / "b" / "python"
    first.parent.mkdir()
    second.parent.mkdir()
    second.symlink_to(own_base())
    first.symlink_to(second)
    shown = {str(mount.source) for mount in inspect(first).mounts}
    assert {str(first), str(second)} <= shown


def test_the_support_directory_is_shared_and_a_damaged_one_is_made_anew(cache: Path) -> None:
    first = Path(find_environment(None, cache=cache).launcher)
    marker = first.stat().st_ino
    assert Path(find_environment(None, cache=cache).launcher).stat().st_ino == marker
    (first.parent / "acp_probe.py").unlink()
    again = Path(find_environment(None, cache=cache).launcher)
    assert again == first
    assert (again.parent / "acp_probe.py").is_file()
    assert not [*cache.glob("making-*"), *cache.glob("damaged-*")]


def test_a_cache_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    guessed = tmp_path / f"acp-support-{os.geteuid()}"
    guessed.mkdir()
    guessed.chmod(0o777)
    code = "from pipeline.environment import find_environment as f; print(f(None).launcher)"
    root = Path(__file__).parents[3]
    env = {"TMPDIR": str(tmp_path), "PYTHONPATH": str(root), "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
    assert str(guessed) + "/" not in done.stdout.decode()
    assert list(guessed.iterdir()) == []
