"""An index that asks for a password, which no sandbox ever sees."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.environment.guide import Guide
from pipeline.environment.keyring import Credential, Keyring
from pipeline.environment.plan import Recipe
from pipeline.environment.provision import Base, Provisioner
from pipeline.environment.registries import Registries
from tests.unit.environment.local_registry import NETWORK, LocalRegistry, packed, resolve, wheel
from tests.unit.environment.providing import Machine, written
from tests.unit.verification.judging import strongest

SECRET = "wanda:c4nary-of-the-index"
TOKEN = "c4nary-of-npm"
LOOKS = "{ env; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; } 2>/dev/null"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LocalRegistry]:
    tmp_path.chmod(0o711)
    home = tmp_path / "shop"
    home.mkdir()
    with LocalRegistry(home, locked="/team/").serving() as registry:
        yield registry


async def machine(shop: LocalRegistry, registries: Registries, secret: str) -> Machine:
    url = registries.python_index or registries.npm_registry
    keyring = Keyring([Credential.of(url, secret)], shop.authority)
    known = replace(registries, networks=(NETWORK,), certificates=shop.authority, keyring=keyring)
    room = shop.home.parent
    guide = Guide(known, resolve=resolve)
    return Machine(await strongest(), Provisioner(room / "kept", known, guide=guide), room)


def lined(here: Machine, test: str, *setup: str) -> Base:
    """A project of Python that these lines set up."""
    folder = written(here.room / "source", {"setup.py": ""})
    return Base(folder, "", Recipe(".", setup, test), "acme")


def holding(room: Path, secret: str) -> list[str]:
    """Files below that hold the secret."""
    every = (path for path in room.rglob("*") if path.is_file() and not path.is_symlink())
    return [path.name for path in every if secret.encode() in path.read_bytes()]


async def test_a_package_is_installed_from_an_index_with_a_password(shop: LocalRegistry) -> None:
    shop.credential = SECRET
    name, data = wheel("greet", "1.0", "HELLO = 'hello'\n")
    link = f'<a href="{shop.url}/team/files/{name}">{name}</a>'
    shop.files |= {"/team/simple/greet/": link.encode(), f"/team/files/{name}": data}
    here = await machine(shop, Registries(f"{shop.url}/team/simple"), SECRET)
    seen = f"! {LOOKS} | grep -aq 'c4nar[y]'"
    files = "! grep -rqs 'c4nar[y]' \"$VIRTUAL_ENV/..\" /tmp /etc ."
    test = "python -c 'import greet; assert greet.HELLO'"
    base = lined(here, test, "uv pip install greet", seen, files)
    run = await here.suite(base)
    assert (run.problem, run.counts) == ("", {"passed": 1})
    fetched = [path for path, shown in shop.asked if shown.startswith("Basic ")]
    assert f"/team/files/{name}" in fetched
    assert holding(here.room / "kept", "c4nary") == []


async def test_a_set_up_can_do_no_more_with_the_password_than_install(shop: LocalRegistry) -> None:
    shop.credential = SECRET
    here = await machine(shop, Registries(f"{shop.url}/team/simple"), SECRET)
    script = (
        "import os, ssl, urllib.request as u\n"
        f"for path, data in (('/team/x', b'upload'), ('/api/users', None)):\n"
        f"    try: u.urlopen(u.Request('{shop.url}' + path, data=data))\n"
        "    except OSError as error: print(error)\n"
        f"print(u.urlopen('{shop.url}/team/own').read())\n"
    )
    shop.files["/team/own"] = b"readable"
    base = lined(here, "true", f'python3 -c "{script}"; exit 3')
    problem = (await here.tried(base)).problem
    assert problem.count("HTTP Error 403") == 2
    assert "b'readable'" in problem
    assert "only reading with a password" in problem
    assert "not below the registry whose password" in problem
    assert [path for path, _ in shop.asked if path in ("/team/x", "/api/users")] == []
    assert SECRET not in problem


async def test_a_wrong_password_is_the_registrys_answer(shop: LocalRegistry) -> None:
    shop.credential = "somebody:else"
    here = await machine(shop, Registries(f"{shop.url}/team/simple"), SECRET)
    problem = (await here.tried(lined(here, "true", "uv pip install greet"))).problem
    assert "401" in problem
    assert "c4nary" not in problem


async def test_the_password_goes_to_nobody_who_cannot_show_to_be_the_registry(
    shop: LocalRegistry, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with LocalRegistry(other).serving() as impostor:
        here = await machine(impostor, Registries(f"{impostor.url}/team/simple"), SECRET)
        assert here.provisioner._registries.keyring is not None
        here.provisioner._registries.keyring._certificates = shop.authority
        ask = f"import urllib.request as u; u.urlopen('{impostor.url}/team/simple/')"
        problem = (await here.tried(lined(here, "true", f'python3 -c "{ask}"'))).problem
    assert "502" in problem
    assert impostor.asked == []


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on this machine")
async def test_a_token_of_npm_stays_outside_too(shop: LocalRegistry) -> None:
    shop.bearer, url = TOKEN, f"{shop.url}/team/npm"
    tarball = packed(
        {
            "package/package.json": '{"name": "greet", "version": "1.0.0"}',
            "package/index.js": "module.exports = 'hello';\n",
        }
    )
    version = {"name": "greet", "version": "1.0.0", "dist": {"tarball": f"{url}/greet/-/g.tgz"}}
    page = {"name": "greet", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    shop.files |= {
        "/team/npm/greet": json.dumps(page).encode(),
        "/team/npm/greet/-/g.tgz": tarball,
    }
    here = await machine(shop, Registries(npm_registry=url), TOKEN)
    script = {"test": "node -e \"require('greet')\""}
    package = json.dumps({"scripts": script, "dependencies": {"greet": "1"}})
    run = await here.suite(here.base(written(here.room / "source", {"package.json": package})))
    assert (run.problem, run.counts) == ("", {"passed": 1})
    assert ("/team/npm/greet/-/g.tgz", f"Bearer {TOKEN}") in shop.asked
    assert holding(here.room / "kept", "c4nary") == []
