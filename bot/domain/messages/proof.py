"""What the tests and the reviewer said: two short comments, and the whole in a check run."""

from __future__ import annotations

from bot.domain.forge import Annotation, CheckRun
from bot.domain.markdown import details, fence, plain, prose
from bot.domain.messages import report as parts
from bot.domain.messages.base import Comment, comment
from bot.domain.messages.report import Report, fitted
from pipeline.verification.evidence import Failure

CHECK = "acp"
_SHORT = 12_000
_TITLE = 120
_MESSAGE = 2000


def test_output(report: Report) -> Comment:
    """What the test runs said: the verdict, the runs, and the output's head and tail."""
    evidence = report.evidence
    verdict = f"**Tests: {_verdict(report, passed=report.tests_passed)}**"

    def build(share: int) -> str:
        output = report.result.test_output
        return comment(
            "test_output",
            report.place,
            verdict,
            parts.proof(report) if evidence else "",
            parts.runs(report),
            details("test_output", fence(output, "text", limit=min(share, _SHORT)))
            if output.strip()
            else "There is no output.",
        ).text

    return fitted("test_output", report.place, build)


def qa_output(report: Report) -> Comment:
    """What the reviewer said."""

    def build(share: int) -> str:
        said = prose(report.result.qa_output, min(share // 2, _SHORT))
        return comment(
            "qa_output",
            report.place,
            f"**Review: {_verdict(report, passed=report.qa_passed)}**",
            details("qa_output", said) if said else "The reviewer has said nothing.",
        ).text

    return fitted("qa_output", report.place, build)


def check(report: Report, head_sha: str) -> CheckRun:
    """The check run of a commit: the summary, and both outputs whole."""
    result = report.result
    text = "\n\n".join(
        part
        for part in (
            f"### test_output\n\n{fence(result.test_output, 'text')}" if result.test_output else "",
            f"### qa_output\n\n{fence(result.qa_output, 'text')}" if result.qa_output else "",
        )
        if part
    )
    return CheckRun(
        name=CHECK,
        head_sha=head_sha,
        external_id=report.place.run_id,
        status="completed",
        conclusion="success" if result.ok else "neutral",
        title="The change is proven"
        if result.ok
        else f"Not proven: {parts.explain(report.result.reason)}"[:_TITLE],
        summary="\n\n".join(
            part
            for part in (
                parts.proof(report),
                parts.iterations(report),
                parts.runs(report),
                parts.bill(report),
            )
            if part
        ),
        text=text,
        annotations=_annotations(report),
        details_url=report.place.url,
    )


def _verdict(report: Report, *, passed: bool | None) -> str:
    if passed is None:
        return "not checked"
    return "passed" if passed else parts.explain(report.result.reason)


def _annotations(report: Report) -> tuple[Annotation, ...]:
    """One for every test that fails with the change, at the head of its file."""
    evidence = report.evidence
    if evidence is None:
        return ()
    return tuple(_annotation(one) for one in (*evidence.still_red, *evidence.regressions))


def _annotation(failure: Failure) -> Annotation:
    path = failure.id.partition("::")[0]
    message = plain(f"{failure.id}\n{failure.message}")[:_MESSAGE]
    return Annotation(path=path, line=1, level="failure", message=message)
