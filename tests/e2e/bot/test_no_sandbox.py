"""Where no sandbox works, whoever asks by webhook gets an answer, and nothing is run or paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.sandbox.refused import WORDS, Refused

if TYPE_CHECKING:
    from tests.e2e.bot.house import House


async def test_without_isolation_a_run_is_refused_with_an_explanation(house: House) -> None:
    house.workshop.isolation = Refused()
    issue = house.issue()
    await house.label(issue)

    (said,) = house.told(issue)
    assert "No sandbox works on the machine" in said
    assert "acp doctor" in said
    assert [run.reason for run in house.runs] == [WORDS]
    assert not any(model.requests for model in house.workshop.models.values())
