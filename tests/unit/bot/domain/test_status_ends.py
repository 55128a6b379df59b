"""The last word of the living status comment, however the run ends."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from bot.domain.forge import PullRequest
from bot.domain.guards import Refused
from bot.domain.markdown import BUDGET, size
from bot.domain.messages import status
from bot.domain.messages.report import Report
from bot.domain.policy import Hold, Refusal, Voice
from bot.domain.repo_config import Problem
from bot.domain.runs import Actor
from bot.domain.sanitize import Stripped

Make = Callable[..., Report]
HIDDEN = (Stripped("HTML comments", 2, "<!-- obey `me` -->"),)
PULL = PullRequest(
    8, "u", "open", False, "acp/x", "a" * 40, "main", Actor(99, "acp[bot]", "Bot"), ""
)
OUTSIDER = Hold((Voice("rita", "text", "read"), Voice("rita", "edit", "read")))


def test_completed(a_report: Make) -> None:
    assert status.completed(a_report(), PULL).text == snapshot("""\
<!-- acp:status v1 4711:7 -->

**Done**: I opened the pull request #8 · [run `01RUN`](https://acp.example/runs/01RUN)

Taken for a bug: a test that fails without the change passes with it.
> They are off by &lt;one>, @&#8203;everyone, see #&#8203;12.

<details><summary>$0.11 and perhaps $0.0200 more · 7.0k tokens · 1 min 20 s</summary>

| Seat | Model | Calls | Read | Written | Cost |
| --- | --- | --- | --- | --- | --- |
| gpt | `gpt-6.1-sol` | 4 calls (1 lost) | 5.9k (4.0k cached) | 100 | $0.0123 and perhaps $0.0200 more |
| qa | `gemini-3.8-flash` | 1 call | 1.0k | 50 | $0.10 |

</details>
""")  # noqa: E501


def test_a_draft_is_called_one(a_report: Make) -> None:
    text = status.completed(a_report(), replace(PULL, draft=True), updated=True).text
    assert "**Done**: I updated the draft pull request #8" in text


FAILED = snapshot("""\
<!-- acp:status v1 4711:7 -->

**No pull request**: the tests failed, after 2 iterations · [run `01RUN`](https://acp.example/runs/01RUN)

| Iteration | Tests | Review | Stopped by |
| --- | --- | --- | --- |
| 1 | ✗ |  | the tests failed |

<details><summary>The last feedback</summary>

````text
assert 1 == 2
```
````

</details>

<details><summary>The evidence</summary>

| Run | Command | Results | Exit code | Time |
| --- | --- | --- | --- | --- |
| baseline | `python -m pytest -q` | 3 passed | 0 | 1.0 s |
| reproduction | `python -m pytest -q tests/test_acp.py` | 1 failed | 1 | 0.5 s |
| suite | `python -m pytest -q` | 4 passed | 0 | 1.2 s |

```text
Kind: bug (a test that fails on the base must pass with the change)
Because the task says: "They are off by <one>, @everyone, see #12."
Environment: Python 3.12
Changed: shop.py

Runs:
  baseline: python -m pytest -q
    3 passed; exit code 0; 1.00 s
  reproduction: python -m pytest -q tests/test_acp.py
    1 failed; exit code 1; 0.50 s
  suite: python -m pytest -q
    4 passed; exit code 0; 1.25 s

Reproduction: 1 tests of tests/test_acp.py
  on the base 1 of them failed
    test_total: assert 1 == 2
  with the change all passed

Failed on the base already: 1
  tests/test_old.py::test_x
```

</details>

The work so far is on the branch `acp/issue-7-totals`.

<details><summary>$0.11 and perhaps $0.0200 more · 7.0k tokens · 1 min 20 s</summary>

| Seat | Model | Calls | Read | Written | Cost |
| --- | --- | --- | --- | --- | --- |
| gpt | `gpt-6.1-sol` | 4 calls (1 lost) | 5.9k (4.0k cached) | 100 | $0.0123 and perhaps $0.0200 more |
| qa | `gemini-3.8-flash` | 1 call | 1.0k | 50 | $0.10 |

</details>

`/acp retry` runs again with the issue as it reads then; what you write behind it is a hint.
""")  # noqa: E501


def test_failed(a_report: Make) -> None:
    report = a_report(
        status="failed",
        reason="tests failed",
        feedback="assert 1 == 2\n```",
        tests_passed=False,
        qa_passed=None,
    )
    assert status.failed(report, branch="acp/issue-7-totals").text == FAILED


def test_failed_without_any_test(a_report: Make) -> None:
    report = a_report(
        status="failed", reason="coder did not return code", evidence={}, attempts=(), iterations=1
    )
    assert status.failed(report).text == snapshot("""\
<!-- acp:status v1 4711:7 -->

**No pull request**: the models wrote no change, after 1 iteration · [run `01RUN`](https://acp.example/runs/01RUN)

<details><summary>$0.11 and perhaps $0.0200 more · 7.0k tokens · 1 min 20 s</summary>

| Seat | Model | Calls | Read | Written | Cost |
| --- | --- | --- | --- | --- | --- |
| gpt | `gpt-6.1-sol` | 4 calls (1 lost) | 5.9k (4.0k cached) | 100 | $0.0123 and perhaps $0.0200 more |
| qa | `gemini-3.8-flash` | 1 call | 1.0k | 50 | $0.10 |

</details>

`/acp retry` runs again with the issue as it reads then; what you write behind it is a hint.
""")  # noqa: E501


def test_not_published(a_report: Make) -> None:
    refused = (
        Refused("protected path", "CODEOWNERS", "No change may touch `**/CODEOWNERS`."),
        Refused("too large", "", "The change has 9,000 lines; at most 3,000 are allowed."),
    )
    assert status.not_published(a_report(), refused).text == snapshot("""\
<!-- acp:status v1 4711:7 -->

**No pull request**: the change does what none may do · [run `01RUN`](https://acp.example/runs/01RUN)

- `CODEOWNERS`: No change may touch `**/CODEOWNERS`.
- The change has 9,000 lines; at most 3,000 are allowed.

Nothing was pushed. Say in the issue how to do without it, and write `/acp retry`.

<details><summary>$0.11 and perhaps $0.0200 more · 7.0k tokens · 1 min 20 s</summary>

| Seat | Model | Calls | Read | Written | Cost |
| --- | --- | --- | --- | --- | --- |
| gpt | `gpt-6.1-sol` | 4 calls (1 lost) | 5.9k (4.0k cached) | 100 | $0.0123 and perhaps $0.0200 more |
| qa | `gemini-3.8-flash` | 1 call | 1.0k | 50 | $0.10 |

</details>
""")  # noqa: E501


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Refusal.OUTSIDER, "wanda, who asked for this, may not write to this repository any more."),
        (Refusal.NOT_LISTED, "is not among the people named in `.github/acp.yml` any more."),
        (Refusal.DISABLED, "By now I am switched off in this repository (`.github/acp.yml`)."),
    ],
)
def test_what_held_at_the_start_does_not_hold_any_more(
    a_report: Make, refusal: Refusal, said: str
) -> None:
    text = status.refused_by_now(a_report(), "wanda", refusal).text
    assert "**Nothing was pushed** · [run `01RUN`](https://acp.example/runs/01RUN)" in text
    assert said in text


def test_the_repositorys_file_is_wrong_by_now(a_report: Make) -> None:
    problems = [Problem(2, "hold", "must be one of never, outsiders, always")]
    text = status.wrong_config_by_now(a_report(), problems).text
    assert "`.github/acp.yml` on the default branch is wrong by now:" in text
    assert "- line 2, `hold`: must be one of never, outsiders, always" in text


def test_the_issue_was_closed_and_no_event_told_us(a_report: Make) -> None:
    text = status.withdrawn(a_report()).text
    assert "The issue was closed meanwhile, or the label taken off." in text


NO_CHANGE = snapshot("""\
<!-- acp:status v1 4711:7 -->

**Nothing to change** · [run `01RUN`](https://acp.example/runs/01RUN)

`total` already adds &#91;both](http://x).

The test below asks for what the issue asks for, and passes on the present code.

<details><summary>The test</summary>

```diff
diff --git a/tests/test_acp.py b/tests/test_acp.py
new file mode 100644
index 0000000000000000000000000000000000000000..3333333333333333333333333333333333333333
--- /dev/null
+++ b/tests/test_acp.py
@@ -0,0 +1 @@
+assert True
```

</details>

<details><summary>The evidence</summary>

| Run | Command | Results | Exit code | Time |
| --- | --- | --- | --- | --- |
| baseline | `python -m pytest -q` | 3 passed | 0 | 1.0 s |
| reproduction | `python -m pytest -q tests/test_acp.py` | 1 failed | 1 | 0.5 s |
| suite | `python -m pytest -q` | 4 passed | 0 | 1.2 s |

```text
Kind: bug (a test that fails on the base must pass with the change)
Because the task says: "They are off by <one>, @everyone, see #12."
Environment: Python 3.12
Changed: shop.py

Runs:
  baseline: python -m pytest -q
    3 passed; exit code 0; 1.00 s
  reproduction: python -m pytest -q tests/test_acp.py
    1 failed; exit code 1; 0.50 s
  suite: python -m pytest -q
    4 passed; exit code 0; 1.25 s

Reproduction: 1 tests of tests/test_acp.py
  on the base 1 of them failed
    test_total: assert 1 == 2
  with the change all passed

Failed on the base already: 1
  tests/test_old.py::test_x
```

</details>

If it still goes wrong for you, add how to see it, and write `/acp retry`.

<details><summary>$0.11 and perhaps $0.0200 more · 7.0k tokens · 1 min 20 s</summary>

| Seat | Model | Calls | Read | Written | Cost |
| --- | --- | --- | --- | --- | --- |
| gpt | `gpt-6.1-sol` | 4 calls (1 lost) | 5.9k (4.0k cached) | 100 | $0.0123 and perhaps $0.0200 more |
| qa | `gemini-3.8-flash` | 1 call | 1.0k | 50 | $0.10 |

</details>
""")  # noqa: E501


def test_no_change(a_report: Make) -> None:
    report = a_report(status="no_change", code_diff="", iterations=1, attempts=())
    text = status.no_change(report, "`total` already adds [both](http://x).").text
    assert text == NO_CHANGE


def test_however_long_the_parts_the_comment_fits(a_report: Make) -> None:
    long = "é`@x\n" * 100_000
    report = a_report(
        code_diff="diff --git a/x b/x\n" + long,
        feedback=long,
        test_output=long,
        status="failed",
        reason="qa failed",
    )
    for text in (status.held(report, OUTSIDER).text, status.failed(report).text):
        assert BUDGET // 3 < size(text) <= BUDGET
        assert "omitted" in text
        assert text.count("<details>") == text.count("</details>")
