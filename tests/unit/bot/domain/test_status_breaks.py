"""What is said where a run breaks off, and what a green run's exit code means."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from inline_snapshot import snapshot

from bot.domain.bill import Spent
from bot.domain.messages import report, status
from bot.domain.messages.base import Place
from bot.domain.messages.report import Report
from tests.unit.bot.conftest import USAGE

Make = Callable[..., Report]


def test_what_people_can_mend_is_told_to_them(place: Place) -> None:
    why = "cannot push acp/issue-7-x: a rule of the repository forbids this push"
    assert status.broken(place, why, Spent(1_200, 0.05, 0.0, USAGE)).text == snapshot("""\
<!-- acp:status v1 4711:7 -->

**Broke off** · [run `01RUN`](https://acp.example/runs/01RUN)

cannot push acp/issue-7-x: a rule of the repository forbids this push

$0.0500 · 1.2k tokens. `/acp retry` tries again.

<details><summary>By seat, up to the last step that was done</summary>

| Seat | Model | Calls | Read | Written | Cost |
| --- | --- | --- | --- | --- | --- |
| gpt | `gpt-6.1-sol` | 4 calls | 5.9k (4.0k cached) | 100 | $0.0123 |
| qa | `gemini-3.8-flash` | 1 call | 1.0k | 50 | $0.10 |

</details>
""")


def test_what_only_the_operator_can_mend_is_in_the_log(place: Place) -> None:
    assert "the operator's log says why" in status.broken(place, "", Spent(0, None)).text


def test_nothing_is_said_for_an_unknown_number_of_tokens(place: Place) -> None:
    assert "tokens" not in status.cancelled(place, "wanda", Spent(None, 0.1)).text


def test_a_forge_that_is_away_names_no_time(place: Place) -> None:
    assert "**Waiting**: the forge does not answer" in status.parked(place, "").text


def test_the_exit_code_of_a_guarded_green_run_is_explained(a_report: Make) -> None:
    plain: Any = a_report()
    evidence = plain.evidence.to_dict()
    guarded = [{**run, "canary": "c4n4ry"} for run in evidence["runs"]]
    told = replace(plain, result=replace(plain.result, evidence={**evidence, "runs": guarded}))
    line = "one planted test must fail"
    assert line in report.runs(told)
    assert line not in report.runs(plain)


def test_cancelled(place: Place) -> None:
    assert status.cancelled(place, "wanda", Spent(12_345, 0.41, 0.02, USAGE)).text == snapshot("""\
<!-- acp:status v1 4711:7 -->

**Cancelled** by wanda · [run `01RUN`](https://acp.example/runs/01RUN)

Nothing was pushed. $0.41 and perhaps $0.0200 more · 12.3k tokens.

<details><summary>By seat, up to the last step that was done</summary>

| Seat | Model | Calls | Read | Written | Cost |
| --- | --- | --- | --- | --- | --- |
| gpt | `gpt-6.1-sol` | 4 calls | 5.9k (4.0k cached) | 100 | $0.0123 |
| qa | `gemini-3.8-flash` | 1 call | 1.0k | 50 | $0.10 |

</details>

`/acp run` starts again.
""")
    assert "**Cancelled** ·" in status.cancelled(place, "", Spent()).text


def test_parked(place: Place) -> None:
    assert status.parked(place, "10:40 UTC").text == snapshot("""\
<!-- acp:status v1 4711:7 -->

**Waiting** until about 10:40 UTC, as asked to · [run `01RUN`](https://acp.example/runs/01RUN)

`/acp status` looks up how far it is, `/acp cancel` stops it.
""")
