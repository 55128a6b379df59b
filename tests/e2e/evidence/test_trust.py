"""A forger who thinks of everything but one thing is stopped by the one rule for that thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.verification import trust
from pipeline.verification.decide import decide
from pipeline.verification.evidence import Evidence
from tests.e2e.evidence.bugs import BUGS
from tests.e2e.evidence.harness import Coder, House, end_of, lay_out, stopped_by
from tests.e2e.evidence.overheard import Overheard, believed
from tests.security.forgeries import COPIED, forger

pytestmark = pytest.mark.needs_bubblewrap

BUG = BUGS["no time is shown as nothing"]
_, OLD, NEW = BUG.fix[0]
EMPTY = 'rows[-1:] = [r for r in rows[-1:] if "exitstatus" not in r]'
SPOILT = "lines.update((id(row), '{') for row in failed)"
ZERO = "[row.update(exitstatus=0) for row in rows if 'exitstatus' in row]"
LOST = (
    "facts = [row['user_properties'] for row in rows if is_canary(row)]\n"
    "planted = [row['nodeid'] for row in rows if is_canary(row)]\n"
    "rows = [row for row in rows if row.get('nodeid') not in planted]\n"
    "[r.update(user_properties=facts[0]) for r in rows if r.get('when') == 'call']"
)
ALIVE = "[row.update(outcome='passed') for row in rows if is_canary(row)]"
SILENT = "[row.update(user_properties=[]) for row in rows]"

FORGERS: Mapping[trust.Rule, str] = {
    trust.unfinished: forger(EMPTY),
    trust.damaged: forger(SPOILT),
    trust.disagrees: forger(ZERO, 0),
    trust.canary_missing: forger(LOST),
    trust.canary_alive: forger(ALIVE),
    trust.unmeasured: forger(SILENT),
    trust.elsewhere: COPIED % (OLD, NEW),
}


@pytest.mark.parametrize("rule", FORGERS, ids=lambda rule: rule.__name__)
def test_what_a_forger_forgets_is_noticed_by_one_rule(
    rule: trust.Rule, house: House, tmp_path: Path
) -> None:
    repository = lay_out(tmp_path / BUG.project, BUG.project)
    source = (repository / "spans.py").read_text("utf-8")
    coder = Coder([("spans.py", source, source + FORGERS[rule])])
    listening = Overheard(house.sandbox)
    state = replace(house, sandbox=listening).run(BUG.issue, repository, coder, BUG.test)
    assert end_of(state) == "failed - not verified", state["evidence"]
    assert stopped_by(state) == "untrusted_run"
    evidence = Evidence.from_dict(state["evidence"])
    others = [other for other in trust.RULES if other is not rule]
    assert decide(believed(evidence, listening.heard, trust.RULES)).reason == "not verified"
    verdict = decide(believed(evidence, listening.heard, others))
    assert verdict.passed, verdict.feedback


PATCHED_ALL = """
import _pytest.reports as reports

real = reports.TestReport.from_item_and_call.__func__

def green(cls, item, call):
    if call.excinfo is not None and "must fail" not in str(call.excinfo.value):
        call.excinfo = None
    return real(cls, item, call)

reports.TestReport.from_item_and_call = classmethod(green)
"""
EQUAL = """
class _Text(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__

_show = show

def show(seconds):
    return _Text(_show(seconds))
"""
# What bends the tests in one process, canary and all.
BENDS = {
    "the report is forged by who knows all": forger(),
    "all but the canary are turned green": PATCHED_ALL,
    "what is returned equals everything": EQUAL,
}


@pytest.mark.parametrize("name", BENDS)
def test_what_bends_the_tests_passes_the_wrong_ones_too(
    name: str, house: House, tmp_path: Path
) -> None:
    repository = lay_out(tmp_path / BUG.project, BUG.project)
    source = (repository / "spans.py").read_text("utf-8")
    coder = Coder([("spans.py", source, source + BENDS[name])])
    state = house.run(BUG.issue, repository, coder, BUG.test)
    assert end_of(state) == "failed - not verified", state["evidence"]
    assert stopped_by(state) == "blind"


def test_every_rule_of_trust_has_its_forger() -> None:
    assert set(FORGERS) == set(trust.RULES)
