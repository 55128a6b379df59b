"""Set-ups of other languages from a registry of this machine: real clients, through the proxy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.environment.guide import Guide
from pipeline.environment.provision import Provisioner
from pipeline.environment.registries import Registries
from pipeline.sandbox.none import NoSandbox
from tests.unit.environment.local_registry import (
    NETWORK,
    LocalRegistry,
    crate,
    go_module,
    resolve,
)
from tests.unit.environment.providing import Machine, written
from tests.unit.verification.judging import strongest

PROGRAMS = "/usr/local/bin:/usr/bin:/bin"
GO_TEST = """\
package app

import (
\t"net"
\t"testing"

\t"registry.test/greet"
)

func TestSays(t *testing.T) {
\tif greet.Hello() != "hello" {
\t\tt.Fatal()
\t}
}

func TestServes(t *testing.T) {
\tif _, err := net.Listen("tcp", "127.0.0.1:0"); err != nil {
\t\tt.Fatal(err)
\t}
}
"""
RUST = """\
pub fn say() -> &'static str { greet::hello() }

#[test]
fn says() { assert_eq!(say(), "hello"); }

#[test]
fn serves() { std::net::TcpListener::bind("127.0.0.1:0").unwrap(); }
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LocalRegistry]:
    tmp_path.chmod(0o711)
    home = tmp_path / "shop"
    home.mkdir()
    with LocalRegistry(home).serving() as registry:
        yield registry


async def machine(shop: LocalRegistry, **more: Any) -> Machine:
    room = shop.home.parent
    set_up = Registries(
        hosts=(shop.where,), networks=(NETWORK,), certificates=shop.authority, **more
    )
    guide = Guide(set_up, resolve=resolve)
    return Machine(await strongest(), Provisioner(room / "kept", set_up, guide=guide), room)


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips where the machine lacks a tool, and says which."""
    missing = [name for name in programs if shutil.which(name, path=PROGRAMS) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not on this machine: {', '.join(missing)}")


@dataclass
class Offered:
    """A project, and what the operator's settings say beside the registry."""

    files: dict[str, str]
    settings: dict[str, Any]


def go(shop: LocalRegistry) -> Offered:
    module = {"go.mod": "module registry.test/greet\n\ngo 1.19\n"}
    module["greet.go"] = 'package greet\n\nfunc Hello() string { return "hello" }\n'
    sums = go_module(shop, "registry.test/greet", "v1.0.0", module)
    wants = "module registry.test/app\n\ngo 1.19\n\nrequire registry.test/greet v1.0.0\n"
    files = {"go.mod": wants, "go.sum": sums, "app_test.go": GO_TEST}
    return Offered(files, {"go_proxy": f"{shop.url}/go"})


def rust(shop: LocalRegistry) -> Offered:
    text = 'pub fn hello() -> &\'static str { "hello" }\n'
    checksum, index = crate(shop, "greet", "1.0.0", text), f"sparse+{shop.url}/cargo/"
    package = '[package]\nname = "app"\nversion = "1.0.0"\nedition = "2021"\n\n[dependencies]\n'
    lock = (
        'version = 3\n\n[[package]]\nname = "app"\nversion = "1.0.0"\n'
        'dependencies = [\n "greet",\n]\n\n[[package]]\nname = "greet"\nversion = "1.0.0"\n'
        f'source = "{index}"\nchecksum = "{checksum}"\n'
    )
    return Offered(
        {
            ".cargo/config.toml": f'[registries.here]\nindex = "{index}"\n',
            "Cargo.toml": f'{package}greet = {{ version = "1", registry = "here" }}\n',
            "Cargo.lock": lock,
            "src/lib.rs": RUST,
        },
        {},
    )


ROUTES = [
    pytest.param(go, "go test ./...", id="go", marks=needs("go")),
    pytest.param(
        rust, "cargo test --offline --locked", id="cargo", marks=needs("cargo", "rustc", "cc")
    ),
]


@pytest.mark.parametrize(("offer", "command"), ROUTES)
async def test_a_project_runs_its_tests_inside_as_outside(
    shop: LocalRegistry, offer: Any, command: str
) -> None:
    offered = offer(shop)
    here = await machine(shop, **offered.settings)
    base = here.base(written(here.room / "source", offered.files))
    inside = await here.suite(base)
    assert (inside.problem, inside.red()) == ("", ())
    fetched = len(shop.asked)
    assert fetched > 0
    outside = await Machine(NoSandbox(), here.provisioner, here.room).suite(base)
    assert outside.counts == inside.counts
    # The second time nothing is fetched.
    assert len(shop.asked) == fetched
    assert (await here.tried(base)).test == tuple(command.split())


@pytest.mark.parametrize(("offer", "command"), ROUTES)
async def test_what_cannot_be_fetched_is_told_and_verifies_nothing(
    shop: LocalRegistry, offer: Any, command: str
) -> None:
    offered = offer(shop)
    shop.files.clear()
    here = await machine(shop, **offered.settings)
    base = here.base(written(here.room / "source", offered.files))
    run = await here.suite(base)
    assert run.results == {}
    assert "failed (exit code 1" in run.problem
    assert "greet" in run.problem
