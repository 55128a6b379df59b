"""Sets real projects up and runs their suites outside and inside the sandbox: one table.

`python -m benchmarks.environments [NAME==VERSION ...] [routes]`; `routes` is one project for each
line of the detection table. Sources come from the package index as source
distributions, fetched by pip in the sandbox. A private network that registries are in is named
with --network, as an operator would.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tarfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.routes import locked, offered
from pipeline.environment.environment import Environment
from pipeline.environment.guide import Guide
from pipeline.environment.interpreters import choose, installed
from pipeline.environment.plan import Recipe
from pipeline.environment.provision import Base, Provisioner
from pipeline.environment.registries import Registries
from pipeline.environment.workbench import Workbench
from pipeline.sandbox.base import Limits, Sandbox
from pipeline.sandbox.none import NoSandbox
from pipeline.sandbox.select import strongest
from pipeline.verification.report import TestRun
from pipeline.verification.runner import canary_name, run_tests
from tests.unit.environment.providing import Folder, written

NODE = {
    "package.json": '{"name": "slugs", "version": "1.0.0",\n'
    ' "scripts": {"test": "node --test"}, "dependencies": {"kleur": "^4.1.5"}}\n',
    "index.js": "const kleur = require('kleur');\n"
    "exports.slug = (text) => text.toLowerCase().replace(/[^a-z]+/g, '-');\n"
    "exports.plain = () => { kleur.enabled = false; return kleur.red('x'); };\n",
    "test/slug.test.js": "const test = require('node:test');\nconst assert = require('assert');\n"
    "const { slug, plain } = require('../index.js');\n"
    "test('a slug', () => assert.equal(slug('A b'), 'a-b'));\n"
    "test('no colour', () => assert.equal(plain(), 'x'));\n",
}
MAKE = {
    "Makefile": "test: add\n\t./add 1 2 | grep -qx 3\n\nadd: add.c\n\tcc -o $@ $<\n",
    "add.c": "#include <stdio.h>\n#include <stdlib.h>\nint main(int n, char **a)\n"
    '{ if (n != 3) return 2; printf("%d\\n", atoi(a[1]) + atoi(a[2])); return 0; }\n',
}
PROJECTS = (
    *("click==8.3.1", "itsdangerous==2.2.0", "boltons==25.0.0", "humanize==4.14.0"),
    *("pluggy==1.6.0", "sqlparse==0.5.4", "wcwidth==0.2.14", "toolz==1.1.0"),
    *("attrs==25.4.0", "iniconfig==2.3.0", "tabulate==0.9.0", "natsort==8.4.0"),
    *("pyparsing==3.2.3", "tomlkit==0.13.3", "termcolor==3.1.0", "colorama==0.4.6"),
)
_LIMITS = Limits(wall_s=600.0, cpu_s=1200)


@dataclass
class Row:
    """What was seen of one project."""

    name: str
    source: str = ""
    cold_s: float = 0.0
    warm_s: float = 0.0
    outside: dict[str, int] = field(default_factory=dict)
    inside: dict[str, int] = field(default_factory=dict)
    problem: str = ""

    @property
    def equal(self) -> bool:
        return not self.problem and self.outside == self.inside and "passed" in self.inside

    def line(self) -> str:
        cells = (
            self.name,
            self.source,
            f"{self.cold_s:.1f}",
            f"{self.warm_s:.2f}",
            _counts(self.outside),
            _counts(self.inside),
            "yes" if self.equal else "no",
        )
        return "| " + " | ".join(cells) + " |"


HEAD = (
    "| Project | Told by | Cold, s | Warm, s | Outside | Inside | Equal |\n"
    "| --- | --- | --- | --- | --- | --- | --- |"
)


async def measure(
    name: str, source: Path, sandbox: Sandbox, provisioner: Provisioner, scratch: Path
) -> Row:
    """Set `source` up twice, then run its suite without and with the sandbox."""
    row = Row(name)
    base = Base(Folder(source), "", Recipe(), "benchmark")
    for warm in (False, True):
        began = time.perf_counter()
        async with provisioner.environment(sandbox, base) as environment:
            took = time.perf_counter() - began
            row.source, row.problem = environment.label, environment.problem
            if warm:
                row.warm_s = took
            else:
                row.cold_s = took
    for box, counts in ((NoSandbox(), row.outside), (sandbox, row.inside)):
        async with provisioner.environment(box, base) as environment:
            if row.problem:
                continue
            tree = _copy(source, scratch)
            if box is not sandbox and (modules := environment.env.get("NODE_PATH")):
                (tree / "node_modules").symlink_to(modules)  # as the tool itself would have it
            ran = await suite(box, environment, tree)
            counts.update(ran.counts)
            row.problem = ran.problem
    return row


async def suite(sandbox: Sandbox, environment: Environment, tree: Path) -> TestRun:
    """One run of everything; options of plugins that are not there are left out, as in a run."""
    session = await sandbox.open(environment.spec(tree))
    try:
        name = canary_name()
        ran = await run_tests(session, environment, canary=name, limits=_LIMITS)
        if "unrecognized arguments" in ran.problem:
            args = ("-o", "addopts=")
            ran = await run_tests(session, environment, args=args, canary=name, limits=_LIMITS)
    finally:
        await session.close()
    return ran


async def fetch(
    names: Sequence[str], sandbox: Sandbox, registries: Registries, home: Path
) -> dict[str, Path]:
    """The unpacked source distributions of `names` ("project==version"), by name."""
    bench = Workbench(home, choose("", installed()), registries)
    bench.lay_out()
    guide = Guide(registries)
    proxy = guide.proxy(await guide.gate(sandbox, bench, "python"))
    tree = home / "downloads"
    tree.mkdir()
    async with proxy.listening() as socket:
        session = await sandbox.open(bench.spec(tree, socket))
        try:
            venv = ("uv", "venv", "-q", "--seed", "--allow-existing", str(bench.target))
            assert (await session.exec(venv)).ok
            for name in names:
                words = ("-q", "--no-deps", "--no-binary", ":all:", "-d", name, name)
                pip = ("python", "-m", "pip", "download", *words)
                done = await session.exec(pip)
                if not done.ok:
                    print(f"{name} could not be fetched:\n{done.text[-1000:]}")
        finally:
            await session.close()
    return {
        name: _unpacked(archive) for name in names for archive in sorted((tree / name).glob("*.gz"))
    }


def _copy(source: Path, scratch: Path) -> Path:
    tree = scratch / str(len(list(scratch.iterdir())))
    shutil.copytree(source, tree, symlinks=True)
    return tree


def _rooms(home: Path) -> None:
    home.chmod(0o711)
    for name in ("fetch", "runs", "locks", "shops"):
        (home / name).mkdir()
        (home / name).chmod(0o711)


def _unpacked(archive: Path) -> Path:
    target = archive.parent / "source"
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return next(path for path in target.iterdir() if path.is_dir())


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in counts.items())


async def main(names: Sequence[str], networks: Sequence[str]) -> None:
    sandbox = await strongest()
    registries = Registries(networks=tuple(networks))
    with TemporaryDirectory(prefix="acp-bench-") as name, ExitStack() as shops:
        home = Path(name)
        _rooms(home)
        wanted = [one for one in names if "==" in one]
        sources = await fetch(wanted, sandbox, registries, home / "fetch") if wanted else {}
        provisioner = Provisioner(home / "cache", registries)
        projects = {one: (source, provisioner) for one, source in sources.items()}
        failed: list[str] = []
        if "routes" in names:
            made, failed = await locked(sandbox, registries, home / "locks")
            made |= {
                "npm": written(home / "node", NODE).root,
                "make": written(home / "make", MAKE).root,
            }
            projects |= {one: (source, provisioner) for one, source in made.items()}
            more, lacking = shops.enter_context(offered(home / "shops"))
            projects |= more
            failed += lacking
        print(HEAD, flush=True)
        for project, (source, maker) in projects.items():
            row = await measure(project, source, sandbox, maker, home / "runs")
            print(row.line(), flush=True)
            failed += [f"{project}: {row.problem}"] if row.problem else []
        print("\n".join(failed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    every = (*PROJECTS, "routes")
    parser.add_argument("names", nargs="*", default=every, metavar="NAME==VERSION | routes")
    parser.add_argument("--network", action="append", default=[], metavar="CIDR")
    given = parser.parse_args()
    asyncio.run(main(given.names, given.network))
