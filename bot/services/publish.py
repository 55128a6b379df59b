"""From a finished loop to a pull request: a ladder of rungs, each looked at before it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.domain import policy
from bot.domain.forge import Forge, PullRequest
from bot.domain.guards import Findings, Refused, SecretScan, inspect
from bot.domain.messages import proof, pull_request, status
from bot.domain.messages.base import Comment as Said
from bot.domain.messages.pull_request import Commits
from bot.domain.messages.report import Report
from bot.domain.policy import Refusal, Rules
from bot.domain.repo_config import WrongConfig
from bot.domain.result import Result
from bot.domain.runs import Outcome, RunStatus
from bot.domain.scrub import each_text, without_host_paths
from bot.domain.store import Ending
from bot.services.admit import Admitted, TurnedAway
from bot.services.branch import Branches
from bot.services.run_book import RunBook
from bot.services.tell import Teller
from pipeline.state import PipelineState

Json = Mapping[str, Any]
_MOVED = "The base has moved on, and the change does not apply to it as it is: expect a conflict."
_TEMPLATES = (".github/pull_request_template.md", ".github/PULL_REQUEST_TEMPLATE.md")


@dataclass(frozen=True, slots=True)
class Publication:
    """Publishes one run's result, or says why not. Safe to begin again after any rung.

    `turned`: why nothing may be pushed any more, though the run was let in. `notes` belong into the
    pull request.
    """

    book: RunBook
    forge: Forge
    teller: Teller
    branches: Branches
    scan: SecretScan
    rules: Rules
    admitted: Admitted
    turned: TurnedAway | None = None
    notes: tuple[str, ...] = ()

    async def publish(self, result: Result, state: PipelineState) -> None:
        """The last stretch of a run: held, published, or answered; the run is moved along."""
        findings = await self._findings(result)
        scrub = self.teller.scrub
        report = Report(
            place=self.teller.place,
            result=scrubbed(result, scrub),
            requester=self.book.run.request.requester.login,
            sandbox=self.teller.sandbox,
            tests_passed=state.get("tests_passed"),
            qa_passed=state.get("qa_passed"),
            attempts=tuple(each_text(list(state.get("attempts", ())), scrub)),
            stripped=self.admitted.stripped,
            findings=findings,
            digest=self.admitted.digest,
        )
        self.teller.report = report
        kind = str(result.evidence.get("kind", ""))
        what = policy.publication(
            result.status, result.reason, changed=bool(result.diff), kind=kind, rules=self.rules
        )
        if what == "answer":
            await self._answer(report)
        elif findings.refused:
            said = status.not_published(report, findings.refused)
            await self._end(report, said, "failed", "the change does what none may do")
        elif self.turned is not None:
            await self._turned_away(report, self.turned)
        elif self._must_wait():
            hold = policy.hold(self.rules.hold, self.admitted.voices)
            if hold is not None:
                await self.teller.say(status.held(report, hold))
            await self.book.move(RunStatus.HELD, _cost(result))
        else:
            await self._open(report, draft=what == "draft")

    def _must_wait(self) -> bool:
        held = policy.hold(self.rules.hold, self.admitted.voices)
        return held is not None and not self.book.run.push_by

    async def _turned_away(self, report: Report, turned: TurnedAway) -> None:
        """What held at the start does not hold any more; nothing is pushed."""
        match turned.detail:
            case Refusal() as refusal:
                who = self.book.run.push_by or report.requester
                said = status.refused_by_now(report, who, refusal)
                reason = "permission gone" if refusal is Refusal.OUTSIDER else refusal.value
                await self._end(report, said, "refused", reason)
            case WrongConfig() as wrong:
                said = status.wrong_config_by_now(report, wrong.problems)
                await self._end(report, said, "refused", turned.why)
            case _:
                await self._end(report, status.withdrawn(report), "cancelled", "withdrawn")

    async def _open(self, report: Report, *, draft: bool) -> None:
        pushed = await self.book.once("push", lambda: self.branches.push(report))
        if await self.branches.conflicts(report.result):
            noted = replace(report.findings, notes=(*report.findings.notes, _MOVED))
            report = replace(report, findings=noted)
        commits = Commits(pushed["branch"], code=pushed["code"], test=pushed["test"])

        async def pull() -> Json:
            opened = await self._pull(report, commits, draft=draft)
            return {"number": opened.number, "url": opened.url, "draft": opened.draft}

        opened = await self.book.once("pull", pull)
        number = int(opened["number"])
        await self.book.once("dress", lambda: self._dress(number))
        await self.book.once("check", lambda: self._check(report, commits.code))
        for name, said in (
            ("test_output", proof.test_output(report)),
            ("qa_output", proof.qa_output(report)),
        ):
            await self.book.once(name, partial(self._comment, number, said))
        shown = PullRequest(
            number=number,
            url=opened["url"],
            state="open",
            draft=opened["draft"],
            head=commits.branch,
            head_sha=commits.code,
            base=self.admitted.base,
            author=self.forge.me,
            body="",
        )
        last = status.completed(report, shown, updated=pushed["updated"])
        await self._end(report, last, "completed", "", pull_request=number)

    async def _pull(self, report: Report, commits: Commits, *, draft: bool) -> PullRequest:
        template = ""
        for path in _TEMPLATES:
            if data := await self.forge.file(path, self.admitted.base_sha):
                template = data.decode("utf-8", "replace")
                break
        return await self.forge.upsert_pull(
            head=commits.branch,
            base=self.admitted.base,
            title=self.teller.scrub(pull_request.title(report)),
            body=self.teller.scrub(pull_request.body(report, commits, template).text),
            draft=draft,
        )

    async def _dress(self, number: int) -> Json:
        """Labels and reviewers, as the repository's file asks."""
        if self.rules.labels:
            await self.forge.label(number, add=self.rules.labels)
        if self.rules.reviewers:
            await self.forge.request_reviewers(number, self.rules.reviewers)
        return {}

    async def _check(self, report: Report, head_sha: str) -> Json:
        check = proof.check(report, head_sha)
        scrub = self.teller.scrub
        clean = replace(check, summary=scrub(check.summary), text=scrub(check.text))
        return {"id": await self.forge.upsert_check(clean)}

    async def _comment(self, number: int, comment: Said) -> Json:
        text = self.teller.scrub(comment.text)
        return {"id": await self.forge.upsert_comment(number, comment.marker, text)}

    async def _answer(self, report: Report) -> None:
        """No pull request: the issue gets the reason, and how to go on."""
        result = report.result
        if result.status == "no_change":
            said = status.no_change(report, result.nothing_to_change)
            await self._end(report, said, "no_change", "")
        else:
            await self._end(report, status.failed(report), "failed", result.reason)

    async def _end(
        self,
        report: Report,
        said: Said,
        outcome: Outcome,
        reason: str,
        *,
        pull_request: int = 0,
    ) -> None:
        well = outcome in {"completed", "no_change"}
        await self.book.once("last word", lambda: self.teller.done(said, well=well))
        cost = _cost(report.result)
        ending = replace(cost, outcome=outcome, reason=reason, pull_request=pull_request)
        await self.book.move(RunStatus.FINISHED, ending)

    async def _findings(self, result: Result) -> Findings:
        if not result.diff:
            return Findings()
        links = await self.branches.moved_links(result)
        found = inspect(result.diff, self.rules, self.scan, links=links)
        found = replace(found, notes=(*found.notes, *self.notes))
        if self.teller.known(result.diff) == result.diff:
            return found
        ours = Refused("secret", "", "The change holds a secret of this service.")
        return replace(found, refused=(*found.refused, ours))


def _cost(result: Result) -> Ending:
    return Ending(cost_usd=result.cost_usd, lost_usd=result.lost_usd or 0.0)


def scrubbed(result: Result, scrub: Callable[[str], str]) -> Result:
    """The result without secrets, before anything is cut: half a secret would not be known again.

    Nor does it hold this host's paths. The diffs stay as they are: a change that holds a secret is
    refused, not mended.
    """

    def clean(text: str) -> str:
        return without_host_paths(scrub(text))

    return replace(
        result,
        feedback=clean(result.feedback),
        summary=clean(result.summary),
        nothing_to_change=clean(result.nothing_to_change),
        test_output=clean(result.test_output),
        qa_output=clean(result.qa_output),
        evidence=each_text(dict(result.evidence), clean),
        warnings=tuple(each_text(list(result.warnings), clean)),
    )
