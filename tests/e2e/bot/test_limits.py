"""What the forge bounds: how often we may ask, how long a text may be, what we are permitted."""

from __future__ import annotations

import json
import re

import pytest

from bot.adapters.github.tokens import RUN_PERMISSIONS
from bot.domain.messages.base import Place, marker
from bot.emulators.github import GitHubEmulator
from bot.emulators.github.faults import Kind
from tests.e2e.bot.house import SECRET, SHOP, House

LOUD = f"""
def test_that_is_loud():
    for number in range(9000):
        print("\\x1b[31m```", number, "@everyone closes #1 {SECRET} </details>" + "x" * 500)
"""
_FENCE = re.compile(r"^(`{3,}|~{3,})", re.MULTILINE)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("secondary", "/repos/*/issues/*/comments"),
        ("primary", "/repos/*/pulls"),
        ("429-retry-after", "/app/installations/*/access_tokens"),
    ],
)
async def test_45_where_the_forge_asks_to_wait_the_run_waits_and_goes_on(
    house: House, kind: Kind, path: str
) -> None:
    fault = house.github.faults.add("POST", path, kind, seconds=2400.0)
    await house.label(house.issue())

    assert fault.hits == 1
    (waited,) = house.naps
    assert 2390 < waited < 2410
    assert house.runs[0].outcome == "completed"
    assert len(house.github.pulls(SHOP)) == 1


async def test_45_where_the_forge_does_not_say_how_long_it_is_a_minute(house: House) -> None:
    house.github.faults.add("POST", "/repos/*/issues/*/comments", "429")
    await house.label(house.issue())

    (waited,) = house.naps
    assert 59 < waited < 63
    assert house.runs[0].outcome == "completed"


async def test_45_a_clone_that_is_not_answered_is_tried_again(house: House) -> None:
    house.github.faults.add("*", "/acme/shop.git/*", "502-before", times=2)
    await house.label(house.issue())

    assert house.naps
    assert house.runs[0].outcome == "completed"


async def test_45_a_forge_that_stays_away_ends_the_run_in_the_end(house: House) -> None:
    house.github.faults.add("GET", "/repos/*", "502-before", times=10_000)
    await house.label(house.issue())

    assert house.naps == sorted(house.naps)
    assert house.runs[0].outcome == "failed"


async def test_46_megabytes_of_hostile_output_become_bodies_that_fit_and_show_nothing(
    house: House,
) -> None:
    config = '[tool.pytest.ini_options]\npythonpath = ["."]\naddopts = "-s"\n'
    house.github.commit(SHOP, "main", "pyproject.toml", config, by="ana")
    house.github.commit(SHOP, "main", "tests/test_loud.py", LOUD, by="ana")
    issue = house.issue()
    await house.label(issue)

    pull = house.github.pull(SHOP)
    (check,) = house.github.check_runs(SHOP)
    said = [pull.body or "", check.text or "", *house.told(pull), *house.told(issue)]
    assert "bytes of" in said[2]
    for text in said:
        assert len(text.encode()) <= 65_535
        assert SECRET not in text
        assert "\x1b" not in text
        _check_closed(text)


def _check_closed(text: str) -> None:
    """Every fence is closed, and outside of them every fold is."""
    outside, open_fence = [], ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if open_fence:
            closes = mark and mark[1].startswith(open_fence) and not line.strip("`~ ")
            open_fence = "" if closes else open_fence
        elif mark:
            open_fence = mark[1]
        else:
            outside.append(line)
    assert not open_fence
    plain = "\n".join(outside)
    assert plain.count("<details>") == plain.count("</details>")
    assert "@everyone" not in plain


async def test_48_without_the_permission_for_checks_there_are_comments_only(
    github: GitHubEmulator,
) -> None:
    rights = {name: level for name, level in RUN_PERMISSIONS.items() if name != "checks"}
    house = await House(github, permissions=rights).open()
    try:
        await house.label(house.issue())
        assert house.runs[0].outcome == "completed"
        assert not github.check_runs(SHOP)
        assert len(house.told(github.pull(SHOP))) == 2
    finally:
        await house.close()


async def test_27_no_token_is_in_anything_that_is_kept_or_said(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    issue = house.issue()
    await house.label(issue)

    run = house.runs[0]
    tokens = [one for one in house.secrets if one != SECRET]
    kept = [json.dumps(event.data) for event in house.store.events(run.id)]
    kept += [json.dumps(entry.reply) for entry in house.store.journal(run.id).values()]
    pull = house.github.pull(SHOP)
    kept += [pull.body or "", *house.told(pull), *house.told(issue), caplog.text, repr(run)]
    kept += [house.github.store(SHOP).git("log", "-p", house.pull().head).decode()]
    assert tokens
    assert not [token for token in tokens if any(token in text for text in kept)]


async def test_the_daily_cap_is_said_once(house: House) -> None:
    house.allow(runs_per_issue=0)
    issue = house.issue()
    await house.say(issue, "/acp run")
    await house.say(issue, "/acp run")

    assert {run.outcome for run in house.runs} == {"refused"}
    (answer,) = house.told(issue)
    assert "this issue has had" in answer
    assert marker("answer", Place(house.repository_id, issue.number)) in answer
