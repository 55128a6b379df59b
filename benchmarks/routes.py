"""A small project for every route of the detection table, its lock made by the tool of its kind.

What the registries of this machine do not have (modules of Go, crates, Maven's plugins) comes from
a registry of its own over TLS, through the same proxy. Debian's packages for the tools: golang-go;
cargo-web; maven, junit4 and lib*-java for surefire and the plugins of resources and compiler.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.environment.guide import Guide
from pipeline.environment.interpreter import Interpreter
from pipeline.environment.interpreters import choose, installed
from pipeline.environment.plan import Language
from pipeline.environment.provision import Provisioner
from pipeline.environment.registries import Registries
from pipeline.environment.workbench import Workbench
from pipeline.sandbox.base import Sandbox
from tests.unit.environment.local_registry import NETWORK, LocalRegistry, resolve
from tests.unit.environment.offers import OFFERS, PROGRAMS
from tests.unit.environment.providing import written

_PYTHON = """\
[build-system]
requires = ["{backend}"]
build-backend = "{api}"

[project]
name = "widget"
version = "1.0.0"
requires-python = ">=3.9"
dependencies = ["iniconfig"]
"""
_GROUP = '\n[dependency-groups]\ntest = ["pytest"]\n'
_POETRY = (
    '\n[tool.poetry]\npackages = [{ include = "widget", from = "src" }]\n'
    '\n[tool.poetry.group.test.dependencies]\npytest = "*"\n'
)
_MODULES = {
    "src/widget/__init__.py": "import iniconfig\n\nKNOWN = iniconfig.IniConfig\n",
    "tests/test_widget.py": "import widget\n\n\ndef test_known():\n    assert widget.KNOWN\n\n\n"
    "def test_the_tree():\n    assert '/src/widget/' in widget.__file__\n",
}
_NODE = {
    "package.json": '{"name": "slugs", "version": "1.0.0",\n'
    ' "scripts": {"test": "node --test && mkdirp --version"},\n'
    ' "dependencies": {"kleur": "^4.1.5"}, "devDependencies": {"mkdirp": "^3.0.1"}}\n',
    "index.js": "const kleur = require('kleur');\n"
    "exports.plain = () => { kleur.enabled = false; return kleur.red('x'); };\n",
    "test/plain.test.js": "const test = require('node:test');\nconst assert = require('assert');\n"
    "const { plain } = require('../index.js');\n"
    "test('no colour', () => assert.equal(plain(), 'x'));\n",
}
_INDEX = "$(uv pip compile -q --no-header --offline --emit-index-url none.in | sed 's/.* //')"
_SOURCE = 'printf \'[[tool.poetry.source]]\\nname = "index"\\nurl = "%s"\\n\''
_NPM = "npm exec -y -s --package"
_SERVER = "YARN_HTTPS_PROXY=$HTTPS_PROXY YARN_NPM_REGISTRY_SERVER=$(npm config get registry)"

_LANGUAGES: tuple[Language, ...] = ("python", "node")


def _python(backend: str, api: str, more: str) -> dict[str, str]:
    return {"pyproject.toml": _PYTHON.format(backend=backend, api=api) + more, **_MODULES}


@dataclass(frozen=True)
class Route:
    """Files, and the line that makes the lock."""

    files: Mapping[str, str]
    lock: str


ROUTES = {
    "poetry": Route(
        _python("poetry-core>=2", "poetry.core.masonry.api", _POETRY),
        f"touch none.in; {_SOURCE} {_INDEX} >> pyproject.toml; rm none.in; "
        "uv tool run -q --from poetry poetry lock",
    ),
    # With its newest dependencies its newest release does not start.
    "pdm": Route(
        _python("pdm-backend", "pdm.backend", _GROUP),
        "uv tool run -q --exclude-newer 2025-09-01 --from pdm pdm lock",
    ),
    "pylock": Route(
        _python("hatchling", "hatchling.build", _GROUP),
        "uv pip compile -q --group test pyproject.toml --format pylock.toml -o pylock.toml",
    ),
    "npm, locked": Route(_NODE, "npm install --package-lock-only"),
    "pnpm": Route(_NODE, f"{_NPM} pnpm@10 -- pnpm install --lockfile-only"),
    # The host that a lock names is not asked: packages come from npm's registry.
    "yarn 1": Route(
        _NODE,
        f"YARN_REGISTRY=$(npm config get registry) {_NPM} yarn@1 -- yarn install --ignore-scripts;"
        " rm -r node_modules; sed -i 's#https://[^/]*/#https://elsewhere.test/#' yarn.lock",
    ),
    "yarn 4": Route(
        _NODE,
        f"touch yarn.lock; {_SERVER} {_NPM} @yarnpkg/cli-dist@4 -- "
        "yarn install --mode=update-lockfile; rm -rf .yarn",
    ),
}


async def locked(
    sandbox: Sandbox, registries: Registries, home: Path
) -> tuple[dict[str, Path], list[str]]:
    """The routes' projects with their locks, by name, and what could not be made."""
    made, failed = {}, []
    guide, python = Guide(registries), choose("", installed())
    hosts: set[str] = set()
    for language in _LANGUAGES:
        bench = _bench(home / language, python, registries)
        hosts |= (await guide.gate(sandbox, bench, language)).hosts
    for number, (name, route) in enumerate(ROUTES.items()):
        bench = _bench(home / str(number), python, registries)
        tree = written(bench.home / "tree", route.files).root
        async with guide.proxy(registries.gate(sorted(hosts))).listening() as socket:
            session = await sandbox.open(bench.spec(tree, socket))
            try:
                done = await session.exec(["sh", "-ec", route.lock])
            finally:
                await session.close()
        if done.ok:
            made[name] = tree
        else:
            failed.append(f"{name}: its lock could not be made\n{done.text[-800:]}")
    return made, failed


def _bench(home: Path, python: Interpreter, registries: Registries) -> Workbench:
    home.mkdir()
    bench = Workbench(home, python, registries)
    bench.lay_out()
    return bench


@contextlib.contextmanager
def offered(home: Path) -> Iterator[tuple[dict[str, tuple[Path, Provisioner]], list[str]]]:
    """Projects of other languages, each with who sets it up, while a registry serves them.

    And what is not on this machine.
    """
    (home / "shop").mkdir()
    with LocalRegistry(home / "shop").serving() as shop:
        made, failed = {}, []
        for name, offer in OFFERS.items():
            lacking = [one for one in offer.programs if shutil.which(one, path=PROGRAMS) is None]
            given = None if lacking else offer.make(shop)
            if given is None:
                what = ", ".join(lacking) or "packages for it"
                failed.append(f"{name}: not on this machine: {what}")
                continue
            tree = written(home / f"{name}-source", given.files).root
            set_up = Registries(
                hosts=(shop.where,),
                networks=(NETWORK,),
                certificates=shop.authority,
                **given.settings,
            )
            guide = Guide(set_up, resolve=resolve)
            made[name] = (tree, Provisioner(home / f"{name}-kept", set_up, guide=guide))
        yield made, failed
