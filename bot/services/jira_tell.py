"""What people see of a ticket's run: a letter when it starts, and one when it ends or waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from bot.domain.jira import Letter, Stage, WebLink
from bot.domain.messages import proof
from bot.domain.messages import ticket as words
from bot.domain.messages.base import Comment
from bot.domain.policy import Refusal
from bot.domain.runs import Run
from bot.errors import BotError, UserError
from bot.services.admit import Admitted, TurnedAway
from bot.services.tell import Teller
from pipeline.checkpoint import Checkpoint
from pipeline.errors import PipelineError, SandboxRefused

Json = Mapping[str, Any]
_OPERATOR = "It could not go on; the operator's log says why."


class TicketTeller(Teller):
    """Writes letters into the store's outbox, each once; a `Teller` edits a comment on the forge.

    Nothing here waits for the tracker, or fails because of it.
    """

    @override
    async def accepted(self, admitted: Admitted) -> Json:
        """It has been let in."""
        self._admitted = admitted
        request = self._run.request
        where = request.repository.full_name
        text = words.started(where, request.requester.login, admitted.stripped)
        return await self._post("started", text, stage="started")

    @override
    async def turned_away(self, turned: TurnedAway) -> Json:
        """Why it does not begin."""
        if turned.detail is Refusal.OUTSIDER:
            text = words.refused(self._run.request.requester.login)
            return await self._post("turned away", text)
        if turned.why == "closed":
            return await self._post("turned away", words.withdrawn())
        if isinstance(turned.detail, Refusal):
            return await self._post("turned away", words.refused_there(turned.detail))
        answer = self._answer(turned)
        if answer is None:
            return {}
        return await self._post("turned away", words.plain(_bare(answer)))

    @override
    async def stepped(self, checkpoint: Checkpoint) -> None:
        """Tickets are not told every step."""
        self._checkpoint = checkpoint

    @override
    async def parked(self, until: float) -> None:
        """Nor that the forge asks to wait."""

    @override
    async def cancelled(self, by: str) -> None:
        """A person has stopped it."""
        await self._post("ended", words.cancelled(by))

    @override
    async def broken(self, error: BotError | PipelineError) -> None:
        """It could not go on. Only what is written for users is told to them."""
        why = str(error) if isinstance(error, UserError | SandboxRefused) else ""
        said = words.plain(why) or _OPERATOR
        await self._post("ended", words.not_opened(f"**Broke off**: {said}", ""))

    @override
    async def say(self, comment: Comment) -> int:
        """The change is proven and waits: nothing else is said this way."""
        voices = self._admitted.voices if self._admitted else ()
        names = dict.fromkeys(one.login for one in voices if one.permission == "none")
        await self._post("held", words.held(names, self._name), report=self._whole(comment))
        return 0

    @override
    async def done(self, comment: Comment, *, well: bool) -> Json:
        """The last words: a pull request, or why there is none."""
        report = self._whole(comment)
        opened = await self._book.effect("pull")
        if opened is None or not well:
            why = words.plain(_first(_bare(comment)))
            return await self._post("ended", words.not_opened(why, self._name), report=report)
        number, url = int(opened["number"]), str(opened["url"])
        name = f"{self._run.request.repository.full_name}#{number}"
        link = WebLink(f"acp:{self.place.repository_id}:{number}", url, f"Pull request {name}")
        draft = bool(opened["draft"])
        text = words.opened(name, url, draft=draft, report=self._name)
        return await self._post("ended", text, report=report, link=link, stage="opened")

    @property
    def _name(self) -> str:
        return f"acp-{self._run.id}.md"

    def _whole(self, comment: Comment) -> str:
        """What is said, and what the tests and the review said; for an attachment."""
        parts = [_bare(comment)]
        if self.report is not None:
            parts += [_bare(proof.test_output(self.report)), _bare(proof.qa_output(self.report))]
        return "\n\n---\n\n".join(parts) + "\n"

    async def _post(
        self,
        what: str,
        text: str,
        *,
        report: str = "",
        link: WebLink | None = None,
        stage: Stage = "",
    ) -> Json:
        mark = f"run {self._run.id}, {what}"
        letter = Letter(
            name=f"{self._run.id}:{what}",
            key=self.place.ticket,
            mark=mark,
            text=self.scrub(f"{text}\n\n_{mark}_"),
            file_name=self._name if report else "",
            file=self.scrub(report),
            link=link,
            stage=stage,
        )
        await self._book.post(letter)
        return {"letter": letter.name}


def unreached(run: Run, error: BotError, *, cancelled: bool) -> Letter:
    """The last word of a run that never got to its repository."""
    why = words.plain(str(error)) if isinstance(error, UserError) else _OPERATOR
    text = words.cancelled(run.cancel_by) if cancelled else words.not_opened(why, "")
    return words.last_letter(run, text)


def _first(text: str) -> str:
    """The head, and the reason where that is told in words behind it."""
    head, *rest = text.split("\n\n")
    return "\n\n".join([head, *(one for one in rest[:1] if not one.startswith(("<", "|")))])


def _bare(comment: Comment) -> str:
    """The text without its hidden marker."""
    return comment.text.replace(comment.marker, "").strip()
