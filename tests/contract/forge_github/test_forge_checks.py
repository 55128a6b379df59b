"""Check runs: one for one run and commit, whatever happens on the way."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.github.forge import GitHubForge
from bot.domain.forge import Annotation, CheckRun
from bot.errors import ForgeUnavailable

SHOP = "acme/shop"


@pytest.fixture
def check(scene: Any) -> CheckRun:
    sha = scene.github.head(SHOP)
    return CheckRun(
        name="acp",
        head_sha=sha,
        external_id="run-1",
        status="in_progress",
        title="Working",
        summary="Iteration 1",
    )


def notes(count: int) -> tuple[Annotation, ...]:
    return tuple(Annotation("shop/totals.py", n + 1, "failure", f"line {n}") for n in range(count))


async def test_a_check_run_is_made_and_then_finished(
    scene: Any, forge: GitHubForge, check: CheckRun
) -> None:
    made = await forge.upsert_check(check)
    done = replace(check, status="completed", conclusion="success", title="Proven", text="log")
    assert await forge.upsert_check(done) == made
    (shown,) = scene.github.check_runs(SHOP)
    assert (shown.id, shown.status, shown.conclusion, shown.title, shown.text) == (
        made,
        "completed",
        "success",
        "Proven",
        "log",
    )


@pytest.mark.parametrize("count", [0, 1, 50, 51, 120])
async def test_47_annotations_go_in_batches_and_none_twice(
    scene: Any, forge: GitHubForge, check: CheckRun, count: int
) -> None:
    done = replace(check, status="completed", conclusion="failure", annotations=notes(count))
    await forge.upsert_check(done)
    await forge.upsert_check(done)
    (shown,) = scene.github.check_runs(SHOP)
    assert [one.message for one in shown.annotations] == [f"line {n}" for n in range(count)]


async def test_annotations_that_come_later_are_added(
    scene: Any, forge: GitHubForge, check: CheckRun
) -> None:
    await forge.upsert_check(check)
    await forge.upsert_check(replace(check, annotations=notes(70)))
    (shown,) = scene.github.check_runs(SHOP)
    assert len(shown.annotations) == 70


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_lost_answer_makes_no_second_check_run(
    scene: Any, forge: GitHubForge, check: CheckRun, method: str
) -> None:
    scene.github.faults.add(method, "/repos/*/check-runs*", "502-after")
    full = replace(check, annotations=notes(60))
    for _ in range(2):
        with suppress(ForgeUnavailable):  # the second call finds what the first left
            await forge.upsert_check(full)
    (shown,) = scene.github.check_runs(SHOP)
    assert len(shown.annotations) == 60


async def test_another_run_has_another_check_run(
    scene: Any, forge: GitHubForge, check: CheckRun
) -> None:
    one = await forge.upsert_check(check)
    two = await forge.upsert_check(replace(check, external_id="run-2"))
    assert one != two


async def test_a_long_text_keeps_head_and_tail(
    scene: Any, forge: GitHubForge, check: CheckRun
) -> None:
    text = "head\n" + "é" * 200_000 + "\ntail"
    await forge.upsert_check(replace(check, text=text, summary=text))
    (shown,) = scene.github.check_runs(SHOP)
    for stored in (shown.text, shown.summary):
        assert len(stored.encode()) <= 65_535
        assert stored.startswith("head")
        assert stored.endswith("tail")


async def test_48_without_the_permission_there_is_none(scene: Any, check: CheckRun) -> None:
    kept = {"contents": "write", "issues": "write", "pull_requests": "write"}
    scene.github.accept(scene.installation, kept)
    forge = await scene.forge()
    assert await forge.upsert_check(check) == 0
    assert len(scene.github.check_runs(SHOP)) == 0
    assert [one for one in scene.writes() if "check" in one] == []
