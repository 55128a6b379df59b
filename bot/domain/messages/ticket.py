"""What is said on tickets, as Markdown: few words, each said once, with the rest attached."""

from __future__ import annotations

from collections.abc import Collection
from typing import assert_never

from bot.domain.jira import Letter
from bot.domain.jira_policy import NoRepository
from bot.domain.markdown import code, inline, prose
from bot.domain.messages.base import left_out
from bot.domain.orders import Settle
from bot.domain.policy import Refusal
from bot.domain.runs import Run
from bot.domain.sanitize import Stripped

VERBS = ("run", "retry", "status", "cancel", "push")
_AGAIN = "Then comment `/acp run`."
_SHOWN = 6000


def started(repository: str, requester: str, stripped: tuple[Stripped, ...]) -> str:
    """The run has been let in."""
    head = f"**At work** in {code(repository)}, asked for by {inline(requester)}."
    return _join(head, left_out(stripped), "`/acp cancel` in a comment stops it.")


def opened(title: str, url: str, *, draft: bool, report: str) -> str:
    """A pull request is there. `report` is the name of the attachment."""
    what = "A draft pull request" if draft else "A pull request"
    return _join(
        f"**{what} is open**: [{inline(title)}]({url})",
        f"What was changed and proven, and what it cost: see {code(report)}." if report else "",
    )


def not_opened(why: str, report: str) -> str:
    """The run has ended without a pull request; `why` is the first line of the report."""
    return _join(
        why,
        f"The whole of it: see {code(report)}." if report else "",
        "`/acp retry` in a comment runs again, with the ticket as it reads then.",
    )


def held(names: Collection[str], report: str) -> str:
    """The change is proven, and waits."""
    who = ", ".join(inline(one, 80) for one in names) or "nobody in particular"
    return _join(
        "**Ready, and waiting**: nothing is pushed yet.",
        f"The ticket holds words of people who may not start runs: {who}." if names else "",
        f"Read {code(report)}, and comment `/acp push` to open the pull request, or `/acp cancel`.",
    )


def given_up(starts: int) -> str:
    """The run took every worker down that began it, or was cut off by chance as often."""
    return not_opened(
        f"**Broke off**: the run was begun {starts} times and never came to an end; the "
        "operator's log says why.",
        "",
    )


def last_letter(run: Run, text: str) -> Letter:
    """The last word of a run where nobody executes it any more; its ticket hears one alone."""
    assert run.request.ticket is not None
    mark = f"run {run.id}, ended"
    return Letter(f"{run.id}:ended", run.request.ticket.key, mark, f"{text}\n\n_{mark}_")


def settled(run: Run, order: Settle) -> Letter:
    """What became of the pull request that a run has opened."""
    assert run.request.ticket is not None
    name = f"{run.request.repository.full_name}#{order.number}"
    what, after = ("merged", "") if order.merged else ("closed", "without a merge ")
    text = f"**{what.capitalize()}** {after}by {inline(order.by, 80)}: [{name}]({order.url})"
    if not order.merged:
        text += "\n\n`/acp retry` in a comment runs again, with the ticket as it reads then."
    mark = f"pull request {name}, {what}"
    return Letter(
        name=f"pull:{order.repository_id}:{order.number}:{what}",
        key=run.request.ticket.key,
        mark=mark,
        text=f"{text}\n\n_{mark}_",
        stage="merged" if order.merged else "",
    )


def plain(text: str) -> str:
    """Something that the bot says on issues as well."""
    return prose(text, _SHOWN)


def no_repository(found: NoRepository) -> str:
    """The ticket names no repository that it may name."""
    names = ", ".join(code(one) for one in found.found)
    head = "**Not started**: "
    match found.why:
        case "unmapped":
            return _join(
                f"{head}I do not know which repository this ticket is about.",
                "Any one of these says so, the first that is there counts:",
                "- the field of the ticket that holds the repository, if there is one here\n"
                "- a label `repo:owner/name`\n"
                "- a component or the project, as the operator of this service has mapped them",
                _AGAIN,
            )
        case "ambiguous":
            return _join(f"{head}this ticket names several repositories: {names}.", _AGAIN)
        case "unreadable":
            return _join(f"{head}{names} is no repository; write `owner/name`.", _AGAIN)
        case "forbidden":
            return _join(
                f"{head}{names} is not among the repositories that tickets may name here; the "
                "operator of this service can add it."
            )
        case "not installed":
            return _join(
                f"{head}the GitHub App is not installed for {names}; whoever administers it can "
                "install it.",
                _AGAIN,
            )
        case _:
            assert_never(found.why)


def refused(person: str) -> str:
    """Somebody may not start runs from tickets."""
    return (
        f"**Not started**: {inline(person, 80)} may not start runs from tickets; the operator of "
        "this service can allow it. Anybody who may can comment `/acp run`."
    )


def withdrawn() -> str:
    """Between trigger and start somebody changed their mind."""
    return (
        "**Not started**: the ticket does not ask for this any more. It was closed, its label "
        "taken off, or it was moved back. `/acp run` in a comment starts again."
    )


def refused_there(refusal: Refusal) -> str:
    """The repository's own file forbids it."""
    if refusal is Refusal.DISABLED:
        return "**Not started**: I am switched off in that repository (`.github/acp.yml`)."
    return (
        "**Not started**: that repository names the people who may start me (`.github/acp.yml`), "
        "and takes no runs from tickets."
    )


def nobody_known(status: str, label: str) -> str:
    """A request arrived, and the ticket's history does not show who made it."""
    ways = [f"move the ticket to {code(status)}"] if status else []
    ways += [f"set the label {code(label)}"] if label else []
    ways += ["comment `/acp run`"]
    said = " or ".join(ways)
    return (
        "**Not started**: the history of this ticket does not show who asked for it. "
        f"{said[0].upper()}{said[1:]}."
    )


def active(run_id: str, *, held: bool = False) -> str:
    """There is a run already."""
    if held:
        return (
            f"Run {code(run_id)} has a change ready, which waits: `/acp push` opens the pull "
            "request, `/acp cancel` drops it."
        )
    return f"Run {code(run_id)} is already at work on this ticket."


def no_run(verb: str) -> str:
    """There is nothing that the command could be about."""
    what = "No change is waiting here." if verb == "push" else "There is no run of this ticket now."
    return f"{what} `/acp run` starts one."


def ended(run_id: str, outcome: str) -> str:
    """How the last run ended."""
    return f"No run is going on. The last one was {code(run_id)}: {inline(outcome)}."


def cancelled(person: str) -> str:
    """A run was stopped before it had begun."""
    return f"**Cancelled** by {inline(person, 80)}. `/acp run` starts again."


def help_text() -> str:
    """What can be said to us."""
    known = ", ".join(f"`/acp {verb}`" for verb in VERBS)
    return f"I understand {known}, at the start of a line."


def not_moved(status: str, why: str) -> str:
    """A ticket could not be moved; everything else was done."""
    return f"The ticket was not moved to {code(status)}: {inline(why, 300).rstrip('.')}."


def not_attached(name: str, why: str) -> str:
    """A report could not be attached."""
    return f"{code(name)} could not be attached: {inline(why, 300).rstrip('.')}."


def _join(*paragraphs: str) -> str:
    return "\n\n".join(one for one in paragraphs if one)
