"""What leaves for the forge has lost every secret before it is cut."""

from __future__ import annotations

from bot.domain.result import Result
from bot.domain.scrub import Scrubber
from bot.domain.task import Task
from bot.services.publish import scrubbed

SECRET = "sk-ant-0123456789"


def test_every_text_of_a_result_is_scrubbed_and_the_diff_is_not() -> None:
    dirty = f"before {SECRET} after"
    result = Result(
        task=Task("t"),
        status="failed",
        feedback=dirty,
        summary=dirty,
        nothing_to_change=dirty,
        test_output=dirty,
        qa_output=dirty,
        code_diff=dirty,
        evidence={"runs": [{"output": dirty, "seconds": 1.5}], "red": (dirty,)},
        warnings=(dirty,),
    )
    clean = scrubbed(result, Scrubber([SECRET]))
    words = (clean.feedback, clean.summary, clean.nothing_to_change)
    shown = (*words, clean.test_output, clean.qa_output)
    assert SECRET not in str((*shown, clean.evidence, clean.warnings))
    assert clean.evidence["runs"][0]["seconds"] == 1.5
    assert clean.code_diff == dirty
