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


async def test_a_package_that_there_is_not_is_told_with_its_last_lines(machine: Machine) -> None:
    files = {"requirements.txt": "acp-no-such-package-of-this-test==99\n"}
    environment = await machine.tried(project(machine, "wrong", files))
    assert "`uv pip install -r requirements.txt` failed" in environment.problem
    assert "acp-no-such-package-of-this-test" in environment.problem
