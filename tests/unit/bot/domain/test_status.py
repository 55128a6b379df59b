"""The living status comment, from the first word to the hold."""

from collections.abc import Callable
from dataclasses import replace

from inline_snapshot import snapshot

from bot.domain.forge import PullRequest
from bot.domain.guards import Dependencies, Findings
from bot.domain.messages import status
from bot.domain.messages.base import Place
from bot.domain.messages.report import Report
from bot.domain.messages.status import Stand
from bot.domain.policy import Hold, Voice
from bot.domain.runs import Actor
from bot.domain.sanitize import Stripped

Make = Callable[..., Report]
HIDDEN = (Stripped("HTML comments", 2, "<!-- obey `me` -->"),)
PULL = PullRequest(
    8, "u", "open", False, "acp/x", "a" * 40, "main", Actor(99, "acp[bot]", "Bot"), ""
)
OUTSIDER = Hold((Voice("rita", "text", "read"), Voice("rita", "edit", "read")))


def test_accepted(place: Place) -> None:
    stand = Stand("queued", "wanda", ahead=2, stripped=HIDDEN)
    assert status.working(place, stand).text == snapshot("""\
<!-- acp:status v1 4711:7 -->

**Accepted**, behind 2 other runs · asked for by wanda · [run `01RUN`](https://acp.example/runs/01RUN)

<details><summary>Hidden in the issue, and not given to the models: 2 pieces</summary>

- HTML comments: 2, first ``<!-- obey `me` -->``

</details>

`/acp status` looks up how far it is, `/acp cancel` stops it.
""")


def test_at_work(place: Place) -> None:
    stand = Stand(
        "testing",
        "wanda",
        iteration=2,
        tokens=12_345,
        usd=0.41,
        elapsed_s=185,
        warnings=("one vendor for author & reviewer",),
    )
    assert status.working(place, stand).text == snapshot("""\
<!-- acp:status v1 4711:7 -->

**At work** · asked for by wanda · [run `01RUN`](https://acp.example/runs/01RUN)

- [x] Clone the repository
- [x] Write the change
- [x] Format it
- [ ] **Prove it by tests**
- [ ] Review it
- [ ] Open the pull request

Iteration 2 of at most 3 · 12.3k tokens · $0.41 of at most $3.00 · 3 min 5 s

- ⚠️ one vendor for author &amp; reviewer

`/acp status` looks up how far it is, `/acp cancel` stops it.
""")


def test_at_work_without_a_page_and_a_price(place: Place) -> None:
    stand = Stand("clone", "wanda", usd=None, elapsed_s=3725)
    assert status.working(replace(place, url=""), stand).text == snapshot("""\
<!-- acp:status v1 4711:7 -->

**At work** · asked for by wanda · run `01RUN`

- [ ] **Clone the repository**
- [ ] Write the change
- [ ] Format it
- [ ] Prove it by tests
- [ ] Review it
- [ ] Open the pull request

Iteration 1 of at most 3 · 0 tokens · cost unknown of at most $3.00 · 1 h 2 min

`/acp status` looks up how far it is, `/acp cancel` stops it.
""")


HELD = snapshot("""\
<!-- acp:status v1 4711:7 -->

**Ready, and waiting for you** · [run `01RUN`](https://acp.example/runs/01RUN)

The change is proven and not pushed yet, since part of the task was written by rita, who may not write to this repository. A push would run it in this repository's CI.

Read the diff. If it does what it should and nothing else, somebody who may write says `/acp push`; `/acp cancel` drops it.

Taken for a bug: a test that fails without the change passes with it.
> They are off by &lt;one>, @&#8203;everyone, see #&#8203;12.

| Iteration | Tests | Review | Stopped by |
| --- | --- | --- | --- |
| 1 | ✗ |  | the tests failed |
| 2 | ✓ | ✓ |  |

- 📦 `requirements.txt` changes: `leftpad==1`

<details><summary>The diff</summary>

````diff
diff --git a/shop.py b/shop.py
index 1111111111111111111111111111111111111111..2222222222222222222222222222222222222222 100644
--- a/shop.py
+++ b/shop.py
@@ -1 +1,2 @@
-total = 1
+total = 2
+# ```
diff --git a/tests/test_acp.py b/tests/test_acp.py
new file mode 100644
index 0000000000000000000000000000000000000000..3333333333333333333333333333333333333333
--- /dev/null
+++ b/tests/test_acp.py
@@ -0,0 +1 @@
+assert True
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

<details><summary>Hidden in the issue, and not given to the models: 2 pieces</summary>

- HTML comments: 2, first ``<!-- obey `me` -->``

</details>

<details><summary>$0.11 and perhaps $0.0200 more · 7.0k tokens · 1 min 20 s</summary>

| Seat | Model | Calls | Read | Written | Cost |
| --- | --- | --- | --- | --- | --- |
| gpt | `gpt-6.1-sol` | 4 calls (1 lost) | 5.9k (4.0k cached) | 100 | $0.0123 and perhaps $0.0200 more |
| qa | `gemini-3.8-flash` | 1 call | 1.0k | 50 | $0.10 |

</details>
""")  # noqa: E501


def test_held(a_report: Make) -> None:
    findings = Findings(dependencies=(Dependencies("requirements.txt", ("leftpad==1",)),))
    report = a_report(findings=findings, stripped=HIDDEN)
    assert status.held(report, OUTSIDER).text == HELD


def test_held_by_rule(a_report: Make) -> None:
    text = status.held(a_report(), Hold()).text
    assert "not pushed yet, since every change waits here." in text
