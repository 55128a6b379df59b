"""The pull request and the comments of proof, as they stand on the forge."""

from collections.abc import Callable

from inline_snapshot import snapshot

from bot.domain.guards import Dependencies, Findings
from bot.domain.markdown import BUDGET, size
from bot.domain.messages import proof, pull_request
from bot.domain.messages import report as parts
from bot.domain.messages.pull_request import Commits
from bot.domain.messages.report import Report
from bot.domain.runs import Actor
from bot.domain.task import Task

Make = Callable[..., Report]
COMMITS = Commits("acp/issue-7-totals", code="c" * 40, test="d" * 40)
WANDA = Actor(6, "wanda", "User")


BODY = snapshot("""\
<!-- acp:pull v1 4711:7 -->

Closes #7

Totals are &#42;wrong&#42;, fixes #&#8203;12 (2 files, +3 -1)

| File | Lines |
| --- | --- |
| `shop.py` | +2 -1 |
| `tests/test_acp.py` | +1 -0 |

Taken for a bug: a test that fails without the change passes with it.
> They are off by &lt;one>, @&#8203;everyone, see #&#8203;12.

| Iteration | Tests | Review | Stopped by |
| --- | --- | --- | --- |
| 1 | ✗ |  | the tests failed |
| 2 | ✓ | ✓ |  |

Check it yourself: the test fails without the change and passes with it.

```sh
git fetch origin acp/issue-7-totals
git checkout dddddddddddddddddddddddddddddddddddddddd && python -m pytest tests/test_acp.py  # fails
git checkout cccccccccccccccccccccccccccccccccccccccc && python -m pytest tests/test_acp.py  # passes
```

| Run | Command | Results | Exit code | Time |
| --- | --- | --- | --- | --- |
| baseline | `python -m pytest -q` | 3 passed | 0 | 1.0 s |
| reproduction | `python -m pytest -q tests/test_acp.py` | 1 failed | 1 | 0.5 s |
| suite | `python -m pytest -q` | 4 passed | 0 | 1.2 s |

<details><summary>The whole evidence</summary>

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

**Look at this**

- 📦 `uv.lock` changes
- ⚠️ `a.py` becomes executable.

**Not verified**

- author and reviewer share one vendor (openai)
- 1 test failed before the change already

<details><summary>Cost and models</summary>

$0.11 and perhaps $0.0200 more · 7.0k tokens · 1 min 20 s

| Seat | Model | Calls | Read | Written | Cost |
| --- | --- | --- | --- | --- | --- |
| gpt | `gpt-6.1-sol` | 4 calls (1 lost) | 5.9k (4.0k cached) | 100 | $0.0123 and perhaps $0.0200 more |
| qa | `gemini-3.8-flash` | 1 call | 1.0k | 50 | $0.10 |

</details>

Asked for by wanda · [run `01RUN`](https://acp.example/runs/01RUN) · code ran in bubblewrap (no network) · task text `eeeeeeeeeeeeeeee`
""")  # noqa: E501


def test_the_body(a_report: Make) -> None:
    findings = Findings(
        dependencies=(Dependencies("uv.lock", ()),), notes=("`a.py` becomes executable.",)
    )
    report = a_report(
        findings=findings, warnings=("author and reviewer share one vendor (openai)",)
    )
    assert pull_request.body(report, COMMITS).text == BODY


def test_the_body_of_what_is_not_proven(a_report: Make) -> None:
    report = a_report(status="failed", reason="unproven", tests_diff="", test_paths=(), evidence={})
    text = pull_request.body(report, Commits("acp/x", "c" * 40)).text
    assert "**Not proven**: take this for a start" in text
    assert "git checkout" not in text


def test_the_coders_words_are_marked_as_such_and_neutralised(a_report: Make) -> None:
    report = a_report(summary="Count\nfrom 1. Fixes #3, @ana: ![x](https://y)")
    text = pull_request.body(report, COMMITS).text
    assert "own words, which nothing has checked: Count from 1. Fixes" in text
    assert "#3" not in text
    assert "@ana" not in text
    assert "![x]" not in text


def test_the_body_in_a_template(a_report: Make) -> None:
    template = (
        "<!-- Thank you! -->\n## Description\n\n## How was it tested?\n\n"
        "## Checklist\n- [ ] I have read the rules\n"
    )
    text = pull_request.body(a_report(), COMMITS, template).text
    assert text.index("Closes #7") < text.index("## Description") < text.index("| `shop.py` |")
    assert text.index("## How was it tested?") < text.index("git checkout")
    assert text.rstrip().endswith("- [ ] I have read the rules")
    assert "Thank you" not in text


def test_a_template_that_is_too_long_is_left_out_and_that_is_said(a_report: Make) -> None:
    text = pull_request.body(a_report(), COMMITS, "x" * 20_000).text
    assert "The template of this repository is too long" in text


def test_only_our_own_issue_is_closed_and_nobody_is_called(a_report: Make) -> None:
    report = a_report(task=Task("Fixes #1 @a"), qa_output="closes #2 @b ![x](y)", evidence={})
    every = pull_request.body(report, COMMITS).text + proof.qa_output(report).text
    assert every.count("Closes #7") == 1
    assert "#1" not in every
    assert "#2" not in every
    assert "@a" not in every
    assert "](y)" in every
    assert "![" not in every


def test_the_messages_of_the_commits(a_report: Make) -> None:
    report = a_report()
    assert pull_request.title(report) == "Totals are *wrong*, fixes #\u200b12"
    assert pull_request.test_commit(report) == snapshot("""\
Test: Totals are *wrong*, fixes #\u200b12

Fails until the next commit. For #7.
""")
    assert pull_request.code_commit(report, WANDA, "github.com") == snapshot("""\
Totals are *wrong*, fixes #\u200b12

For #7.
Run: https://acp.example/runs/01RUN

Co-authored-by: wanda <6+wanda@users.noreply.github.com>
""")


def test_a_login_adds_no_line_to_a_commit(a_report: Make) -> None:
    evil = Actor(6, "x>\nSigned-off-by: y <z", "User")
    text = pull_request.code_commit(a_report(), evil, "github.com")
    assert text.count("\n") == 6
    assert "Co-authored-by: xSigned-off-byyz <6+xSigned-off-byyz@users" in text


def test_the_output_of_the_tests(a_report: Make) -> None:
    assert proof.test_output(a_report()).text == snapshot("""\
<!-- acp:test_output v1 4711:7 -->

**Tests: passed**

Taken for a bug: a test that fails without the change passes with it.
> They are off by &lt;one>, @&#8203;everyone, see #&#8203;12.

| Run | Command | Results | Exit code | Time |
| --- | --- | --- | --- | --- |
| baseline | `python -m pytest -q` | 3 passed | 0 | 1.0 s |
| reproduction | `python -m pytest -q tests/test_acp.py` | 1 failed | 1 | 0.5 s |
| suite | `python -m pytest -q` | 4 passed | 0 | 1.2 s |

<details><summary>test_output</summary>

```text
4 passed
```

</details>
""")


def test_no_output(a_report: Make) -> None:
    report = a_report(test_output="", qa_output="", evidence={}, tests_passed=None, qa_passed=None)
    assert proof.test_output(report).text == snapshot("""\
<!-- acp:test_output v1 4711:7 -->

**Tests: not checked**

There is no output.
""")
    assert proof.qa_output(report).text == snapshot("""\
<!-- acp:qa_output v1 4711:7 -->

**Review: not checked**

The reviewer has said nothing.
""")


def test_the_review(a_report: Make) -> None:
    assert proof.qa_output(a_report()).text == snapshot("""\
<!-- acp:qa_output v1 4711:7 -->

**Review: passed**

<details><summary>qa_output</summary>

PASS

- &#91;x] totals are right (shop.py:1)

</details>
""")


def test_a_failed_review_says_so_and_the_tests_keep_their_verdict(a_report: Make) -> None:
    report = a_report(status="failed", reason="qa failed", qa_passed=False)
    assert "**Tests: passed**" in proof.test_output(report).text
    assert "**Review: the review objected**" in proof.qa_output(report).text


def test_the_check_holds_the_whole(a_report: Make) -> None:
    check = proof.check(a_report(), "c" * 40)
    assert (check.name, check.conclusion, check.title) == ("acp", "success", "The change is proven")
    assert check.summary.endswith(parts.bill(a_report()))
    assert check.text == snapshot("""\
### test_output

```text
4 passed
```

### qa_output

```text
PASS

- [x] totals are right (shop.py:1)
```\
""")


def test_a_failed_check_names_the_tests(a_report: Make) -> None:
    good = a_report()
    assert good.evidence is not None
    evidence = {**good.result.evidence, "regressions": good.result.evidence["red"]}
    report = a_report(status="failed", reason="tests failed", tests_passed=False, evidence=evidence)
    check = proof.check(report, "c" * 40)
    assert (check.conclusion, check.title) == ("neutral", "Not proven: the tests failed")
    (note,) = check.annotations
    assert (note.path, note.line, note.level) == ("tests/test_acp.py", 1, "failure")
    assert note.message == "tests/test_acp.py::test_total\nassert 1 == 2"


def test_however_long_the_output_every_body_fits(a_report: Make) -> None:
    long = "\x1b[31m`é@everyone\n```\n" * 300_000
    report = a_report(test_output=long, qa_output=long)
    bodies = [
        proof.test_output(report).text,
        proof.qa_output(report).text,
        pull_request.body(report, COMMITS).text,
    ]
    for text in bodies:
        assert size(text) <= BUDGET
        assert text.count("<details>") == text.count("</details>")
        assert "\x1b" not in text
