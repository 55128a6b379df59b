"""The tester: writes the reproduction from task and base; the verifier decides by running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from typing_extensions import override

from pipeline.agents import prompts, ruling, signatures
from pipeline.agents.base import Seat
from pipeline.agents.loop import Closing, Talk, converse
from pipeline.agents.seated import ModelAgent
from pipeline.agents.toolbox import READERS, Toolbox, spec
from pipeline.errors import EditRejected
from pipeline.progress import Kind
from pipeline.state import Claim as StateClaim
from pipeline.state import Dispute, PipelineState, Ruling
from pipeline.tools import ruff
from pipeline.verification.decide import BASELINE, decide
from pipeline.verification.evidence import Evidence
from pipeline.verification.kinds import UNCLAIMED, Claim
from pipeline.verification.kinds import Kind as TaskKind
from pipeline.verification.reproduction import ReproductionCheck
from pipeline.workspace import context
from pipeline.workspace.workspace import Workspace

SUBMIT = spec(
    "submit",
    "Hand in the test; it is checked on the present code.",
    {
        "kind": {"type": "string", "enum": [kind.value for kind in TaskKind]},
        "quote": "string",
        "test": "string",
    },
)


@dataclass
class TestingAgent(ModelAgent):
    """Writes one test file, without seeing the patch, and judges the patch by evidence."""

    __test__: ClassVar[bool] = False  # not a test class, whatever pytest thinks of its name
    role: ClassVar[str] = "tester"
    preferred: ClassVar[Sequence[str]] = ("anthropic", "openai", "google")

    async def run(self, state: PipelineState, workspace: Workspace, seat: Seat) -> PipelineState:
        """Keep a reproduction that holds from iteration to iteration; judge anew each time."""
        if not state.get("claim"):
            drafted = await self._reproduce(state, workspace, seat)
            if drafted is not None:
                state["claim"] = StateClaim(
                    kind=drafted.claim.kind.value, quote=drafted.claim.quote
                )
                await _install(state, workspace, drafted.source)
                if drafted.check is not None and state.get("nothing_to_change"):
                    return _nothing_to_change(state, drafted.check, seat)
        state = await self._judge(state, seat)
        if state["evidence"]["hollow"]:
            await _uninstall(state, workspace)
        return state

    async def _reproduce(
        self, state: PipelineState, workspace: Workspace, seat: Seat
    ) -> Reproduction | None:
        """Let the model write the test in a fork of the base that holds nothing of the patch."""
        path = state["test_paths"][0]
        async with await workspace.fork(workspace.repository.base_tree) as base:
            accepting = Accepting(state, base, path, seat)
            talk = Talk(
                client=self.client,
                system=self.system,
                opening=await _opening(state, workspace, base, seat.verifier.how_to_write(path)),
                tools=READERS,
                finish=SUBMIT,
                max_turns=self.max_turns or 30,
            )
            await converse(talk, Toolbox(base), seat, accepting)
        return accepting.accepted

    async def _judge(self, state: PipelineState, seat: Seat) -> PipelineState:
        claim = _claim(state)
        named = {one["test"]: one["quote"] for one in state.get("expectations", ())}
        with seat.meter.timed("tests"):
            evidence = await seat.verifier.judge(
                state.get("proposed_code", ""), state.get("proposed_tests", ""), claim, named
            )
        evidence = replace(evidence, dropped=_dropped(state))
        verdict = decide(evidence)
        state["tests_passed"] = verdict.passed
        state["test_output"] = evidence.output
        state["evidence"] = evidence.to_dict() | {
            "reason": verdict.reason,
            "hopeless": _is_hopeless(evidence),
        }
        state.pop("feedback", None)
        if not verdict.passed:
            state["feedback"] = verdict.feedback
        _disputed(state, evidence)
        seat.report(Kind.VERDICT, "passed" if verdict.passed else verdict.reason)
        return state


@dataclass(frozen=True, slots=True)
class Reproduction:
    """An accepted test: source ("" where its kind needs none), claim, and run on the base."""

    source: str
    claim: Claim
    check: ReproductionCheck | None


class Accepting(Closing):
    """Accepts a test only when it has been seen to do on the base what its kind asks for."""

    def __init__(self, state: PipelineState, base: Workspace, path: str, seat: Seat) -> None:
        self._state = state
        self._base = base
        self._path = path
        self._seat = seat
        self.accepted: Reproduction | None = None
        self._tried = ""

    @override
    async def accept(self, arguments: Mapping[str, Any]) -> None:
        """Run the test on the base; raise EditRejected with what is wrong with it."""
        claim = Claim(TaskKind(arguments["kind"]), arguments["quote"])
        if problem := claim.problem(self._state["task"]):
            raise EditRejected(problem)
        if not claim.kind.needs_test:
            if _dropped(self._state):
                raise EditRejected("a test was dropped: another one must take its place")
            if self._tried and claim.kind is TaskKind.REFACTORING:
                raise EditRejected(f"you said that this is a {self._tried}: then a test proves it")
            self.accepted = Reproduction("", claim, None)
            return
        self._tried = claim.kind.value
        await self._base.write(self._path, arguments["test"])
        await ruff.format_paths(self._base, [self._path])
        with self._seat.meter.timed("tests"):
            tests = await self._base.diff()
            check = await self._seat.verifier.check_reproduction(tests, claim)
            empty = await self._emptied(tests, claim) if check.ok else ""
        if empty:
            self._seat.report(Kind.TESTS, f"test refused: {empty}")
            raise EditRejected(f"the test is no proof: {empty}")
        if not self._is_wanted(check):
            self._seat.report(Kind.TESTS, f"test refused: {check.complaint.splitlines()[0]}")
            raise EditRejected(check.complaint)
        self._seat.report(Kind.TESTS, f"{self._path} fails on the base, as it should")
        self.accepted = Reproduction(await self._base.read(self._path), claim, check)

    async def _emptied(self, tests: str, claim: Claim) -> str:
        """What a test of a feature would not notice; the tester never sees the bodies."""
        patch = self._state.get("proposed_code", "")
        if claim.kind is not TaskKind.FEATURE or not patch:
            return ""
        return await self._seat.verifier.check_emptied(patch, tests, claim)

    def _is_wanted(self, check: ReproductionCheck) -> bool:
        """Where the author says that nothing needs to change, a passing test is an answer too."""
        return check.ok or (bool(self._state.get("nothing_to_change")) and check.passes_on_base)


async def _install(state: PipelineState, workspace: Workspace, source: str) -> None:
    """Put the test beside the patch, and make its diff against base plus `proposed_code`."""
    state["proposed_tests"] = ""
    if not source:
        return
    repository = workspace.repository
    code = await repository.apply(repository.base_tree, state.get("proposed_code", ""))
    await workspace.write(state["test_paths"][0], source)
    state["proposed_tests"] = await repository.diff(code, await workspace.snapshot())


async def _uninstall(state: PipelineState, workspace: Workspace) -> None:
    """Take the test back: the next iteration begins with another one."""
    await workspace.delete(state["test_paths"][0])
    state["proposed_tests"] = ""
    del state["claim"]


async def _opening(state: PipelineState, workspace: Workspace, base: Workspace, runner: str) -> str:
    return prompts.opening(
        "tester",
        listing=context.listing(await base.files()),
        task=state["task"],
        path=state["test_paths"][0],
        runner=runner,
        signatures=await _signatures(workspace),
        nothing_to_change=state.get("nothing_to_change", ""),
        rulings="\n".join(ruling.render(one) for one in _rulings(state)) if _dropped(state) else "",
    )


def _rulings(state: PipelineState) -> Sequence[Ruling]:
    return state["dispute"]["rulings"] if "dispute" in state else ()


def _dropped(state: PipelineState) -> tuple[str, ...]:
    """Ids of tests that were ruled to contradict the task."""
    return tuple(state["dispute"]["dropped"]) if "dispute" in state else ()


def _disputed(state: PipelineState, evidence: Evidence) -> None:
    """Count how often the same authored tests have failed in a row."""
    ids = sorted(failure.id for failure in evidence.still_red)
    old = state.get("dispute")
    if not ids:
        if old and not old["dropped"]:
            del state["dispute"]
        return
    again = old is not None and not set(ids).isdisjoint(old["ids"]) and old["times"] > 0
    state["dispute"] = Dispute(
        ids=ids,
        times=old["times"] + 1 if old and again else 1,
        rulings=old["rulings"] if old else [],
        dropped=old["dropped"] if old else [],
    )


async def _signatures(workspace: Workspace) -> str:
    repository = workspace.repository
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    tree = await workspace.snapshot()
    for change in await repository.changes(repository.base_tree, tree):
        if not change.path.endswith(".py") or change.status == "D":
            continue
        after[change.path] = (await repository.read(tree, change.path)).decode("utf-8", "replace")
        if change.status == "M":
            old = await repository.read(repository.base_tree, change.path)
            before[change.path] = old.decode("utf-8", "replace")
    return signatures.added(before, after)


def _is_hopeless(evidence: Evidence) -> bool:
    """Even the unchanged code could not be run: no patch can mend that, so none is paid for."""
    baseline = evidence.run(BASELINE)
    return baseline is not None and bool(baseline.problem)


def _claim(state: PipelineState) -> Claim:
    """The tester's claim; without one the patch is held to the strictest proof, that of a bug."""
    said = state.get("claim")
    return Claim(TaskKind(said["kind"]), said["quote"]) if said else UNCLAIMED


def _nothing_to_change(state: PipelineState, check: ReproductionCheck, seat: Seat) -> PipelineState:
    """The base itself answers: a test that passes proves the author right, one that fails wrong."""
    state["tests_passed"] = check.passes_on_base
    state["test_output"] = check.run.output
    if not check.passes_on_base:
        state["feedback"] = (
            "You said that nothing needs to change, but a test written from the task fails on this "
            f"checkout:\n{check.failure}"
        )
    seat.report(Kind.VERDICT, "nothing to change" if check.passes_on_base else "not done yet")
    return state
