"""Set-ups of other languages from a registry of this machine: real clients, through the proxy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.environment.guide import Guide
from pipeline.environment.provision import Provisioner
from pipeline.environment.registries import Registries
from pipeline.sandbox.none import NoSandbox
from tests.unit.environment.local_registry import NETWORK, LocalRegistry, resolve
from tests.unit.environment.offers import OFFERS, PROGRAMS, Offer
from tests.unit.environment.providing import Machine, written
from tests.unit.verification.judging import strongest


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


def route(name: str) -> Any:
    """Skipped where the machine lacks a tool, and says which. Maven's is among the benchmarks."""
    programs = OFFERS[name].programs
    missing = [one for one in programs if shutil.which(one, path=PROGRAMS) is None]
    why = f"not on this machine: {', '.join(missing)}"
    return pytest.param(OFFERS[name], id=name, marks=pytest.mark.skipif(bool(missing), reason=why))


ROUTES = [route("go"), route("cargo")]


@pytest.mark.parametrize("offer", ROUTES)
async def test_a_project_runs_its_tests_inside_as_outside(
    shop: LocalRegistry, offer: Offer
) -> None:
    offered = offer.make(shop)
    assert offered
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
    assert (await here.tried(base)).test == tuple(offer.command.split())


@pytest.mark.parametrize("offer", ROUTES)
async def test_what_cannot_be_fetched_is_told_and_verifies_nothing(
    shop: LocalRegistry, offer: Offer
) -> None:
    offered = offer.make(shop)
    assert offered
    shop.files.clear()
    here = await machine(shop, **offered.settings)
    run = await here.suite(here.base(written(here.room / "source", offered.files)))
    assert run.results == {}
    assert "failed (exit code 1" in run.problem
    assert "greet" in run.problem
