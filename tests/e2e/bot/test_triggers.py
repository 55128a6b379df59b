"""From a label or a comment to a pull request; numbers are the scenarios of docs/reference."""

from __future__ import annotations

from tests.e2e.bot.house import LABEL, SHOP, House


async def test_01_a_label_by_a_writer_becomes_a_pull_request(house: House) -> None:
    issue = house.issue()
    await house.label(issue, LABEL, by="ana")

    (run,) = house.runs
    assert (run.status, run.outcome, run.reason) == ("finished", "completed", "")
    pull = house.github.pull(SHOP)
    assert run.pull_request == pull.number
    assert pull.title == issue.title
    assert f"Closes #{issue.number}" in pull.body
    said = house.told(pull)
    assert len(said) == 2
    assert "22 passed" in said[0]
    assert "PASS" in said[1]
    (status,) = house.told(issue)
    assert f"#{pull.number}" in status
