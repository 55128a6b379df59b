"""Real set-ups from the package registries of this machine. The full table: benchmarks."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

from pipeline.environment.provision import Base, Provisioner
from pipeline.environment.registries import Registries
from pipeline.sandbox.none import NoSandbox
from tests.unit.environment.providing import Machine, written
from tests.unit.verification.judging import strongest

pytestmark = pytest.mark.registry

GROUPS = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling", "hatch-vcs"]
build-backend = "hatchling.build"
[project]
name = "widget"
dynamic = ["version"]
dependencies = ["iniconfig"]
[project.scripts]
widget = "widget:main"
[dependency-groups]
test = ["pytest"]
[tool.hatch.build.targets.wheel]
packages = ["lib/widget"]
[tool.hatch.version]
source = "vcs"
[tool.hatch.build.hooks.vcs]
version-file = "lib/widget/_version.py"
""",
    "lib/widget/__init__.py": """\
import iniconfig

from ._version import version


def main():
    print("hello")
""",
    "tests/test_widget.py": """\
import importlib.metadata
import subprocess

import widget


def test_the_trees_own_code_is_imported_and_its_metadata_known():
    assert "/lib/widget/" in widget.__file__
    assert "site-packages" not in widget.__file__
    # A tree without its history gets a version, and the file that the build wrote is found.
    assert importlib.metadata.version("widget") == widget.version == "0.0.0"


def test_its_commands_are_there():
    assert subprocess.check_output(["widget"]) == b"hello\\n"
""",
}
LIST = {
    "requirements.txt": "iniconfig\n",
    "requirements-dev.txt": "pytest\n",
    "app.py": "import iniconfig\n",
    "test_app.py": "import app\n\n\ndef test_app():\n    assert app.iniconfig\n",
}
PACKAGE = {
    "package.json": '{"scripts": {"test": "node --test"}, "dependencies": {"kleur": "4.1.5"}}',
    "sum.test.mjs": "import test from 'node:test';\nimport kleur from 'kleur';\n"
    "test('one', () => { if (!kleur.red) throw new Error('no kleur'); });\n",
}


KLEUR = (
    "sha512-o+NO+8WrRiQEE4/7nwRJhN1HWpVmJm511pBHUxPLtp0BUISz"
    "lBplORYSmTclCnJvQq2tKu/sgl3xVpkc7ZWuQQ=="
)
LOCKS = {
    # The host that this lock names is not there: packages come from the registry that is set up.
    "yarn": (
        "yarn.lock",
        "# yarn lockfile v1\n\n\nkleur@4.1.5:\n"
        '  version "4.1.5"\n  resolved "https://elsewhere.test/kleur/-/kleur-4.1.5.tgz"\n'
        f"  integrity {KLEUR}\n",
    ),
    "pnpm": (
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      kleur:\n"
        "        specifier: 4.1.5\n        version: 4.1.5\npackages:\n  kleur@4.1.5:\n"
        f"    resolution: {{integrity: {KLEUR}}}\nsnapshots:\n  kleur@4.1.5: {{}}\n",
    ),
}
INI = "9deba5723312380e77435581c6bf4935c94cbfab9b1ed33ef8d238ea168eb760"
POETRY = {
    "pyproject.toml": "[tool.poetry]\npackage-mode = false\n"
    '[tool.poetry.dependencies]\npython = "^3.9"\niniconfig = "^2.0"\n',
    "poetry.lock": '[[package]]\nname = "iniconfig"\nversion = "2.1.0"\n'
    f'files = [{{file = "iniconfig-2.1.0-py3-none-any.whl", hash = "sha256:{INI}"}}]\n',
    "test_lock.py": "from importlib.metadata import version\n\n\n"
    "def test_lock():\n    assert version('iniconfig') == '2.1.0'\n",
}


def index_host() -> str:
    """Of the index that uv is set up with here."""
    words = ("pip", "compile", "-q", "--no-header", "--offline", "--emit-index-url", "-")
    asked = subprocess.run([find_uv_bin(), *words], input=b"", capture_output=True, check=False)
    found = re.search(rb"https://([^/\s:]+)", asked.stdout)
    return found[1].decode() if found else ""


@pytest.fixture(scope="module")
def networks() -> tuple[str, ...]:
    """Where the index is, as the operator of this machine would say it."""
    try:
        found = socket.getaddrinfo(index_host() or "registry.invalid", 443)
    except OSError:
        pytest.skip("no package registry can be reached from here")
    return tuple({str(one[4][0]) for one in found})


@pytest.fixture(scope="module")
def provisioner(tmp_path_factory: pytest.TempPathFactory, networks: tuple[str, ...]) -> Provisioner:
    home = tmp_path_factory.mktemp("registry")
    home.chmod(0o711)
    return Provisioner(home / "kept", Registries(networks=networks))


@pytest.fixture
def room(tmp_path: Path) -> Path:
    tmp_path.chmod(0o711)
    return tmp_path


@pytest.fixture
async def machine(provisioner: Provisioner, room: Path) -> Machine:
    return Machine(await strongest(), provisioner, room)


def project(machine: Machine, name: str, files: dict[str, str]) -> Base:
    root = machine.room / name
    return machine.base(written(root, files))


async def test_a_package_with_a_group_runs_its_tests_inside_as_outside(machine: Machine) -> None:
    base = project(machine, "groups", GROUPS)
    inside = await machine.suite(base)
    assert (inside.problem, inside.counts) == ("", {"passed": 2})
    outside = await Machine(NoSandbox(), machine.provisioner, machine.room).suite(base)
    assert (outside.problem, outside.counts) == ("", {"passed": 2})
    environment = await machine.tried(base)
    assert environment.roots == ("lib", ".")
    assert environment.label.endswith("(pyproject.toml and group test)")


async def test_lists_of_requirements_are_installed(machine: Machine) -> None:
    run = await machine.suite(project(machine, "list", LIST))
    assert (run.problem, run.counts) == ("", {"passed": 1})


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on this machine")
async def test_packages_of_npm_are_found_from_the_tree(machine: Machine) -> None:
    run = await machine.suite(project(machine, "package", PACKAGE))
    assert (run.problem, run.counts) == ("", {"passed": 1})
    assert run.command == "node --test"


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on this machine")
@pytest.mark.parametrize("manager", LOCKS)
async def test_a_package_manager_that_is_not_here_comes_with_the_environment(
    machine: Machine, manager: str
) -> None:
    name, lock = LOCKS[manager]
    own = {**PACKAGE, name: lock}
    own["package.json"] = own["package.json"].replace("node --test", "node --test && true")
    run = await machine.suite(project(machine, manager, own))
    assert (run.problem, run.counts) == ("", {"passed": 1})
    assert run.command == f"{manager} test"


async def test_a_lock_of_poetry_is_held_to(machine: Machine) -> None:
    run = await machine.suite(project(machine, "poetry", POETRY))
    assert (run.problem, run.counts) == ("", {"passed": 1})


async def test_another_file_than_the_lock_has_seen_is_refused(machine: Machine) -> None:
    lock = POETRY["poetry.lock"].replace(INI, "0" * 64)
    environment = await machine.tried(project(machine, "other", {**POETRY, "poetry.lock": lock}))
    assert "Hash mismatch" in environment.problem


async def test_a_package_that_there_is_not_is_told_with_its_last_lines(machine: Machine) -> None:
    files = {"requirements.txt": "acp-no-such-package-of-this-test==99\n"}
    environment = await machine.tried(project(machine, "wrong", files))
    assert "`uv pip install -r requirements.txt` failed" in environment.problem
    assert "acp-no-such-package-of-this-test" in environment.problem
