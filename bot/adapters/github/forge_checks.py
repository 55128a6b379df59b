"""Check runs: one for one external id and commit, annotations fifty at a time."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from bot.adapters.github.forge_api import RepoApi, once
from bot.adapters.github.forge_objects import Objects
from bot.adapters.github.forge_text import CHECK_BYTES, fit
from bot.adapters.github.http import Refusal
from bot.domain.forge import Annotation, CheckRun

if TYPE_CHECKING:
    from github.CheckRun import CheckRun as Item
    from github.CheckRunOutput import CheckRunOutput
    from github.Repository import Repository

_BATCH = 50
_MESSAGE_BYTES = 4_000


class Checks:
    """The verb of the port that is about check runs."""

    def __init__(self, api: RepoApi, objects: Objects, app_id: int) -> None:
        self._api, self._objects, self._app_id = api, objects, app_id

    async def upsert(self, check: CheckRun) -> int:
        """Its id, or 0 where the App may not write checks."""
        await self._api.token.value()
        if "checks" not in self._api.token.permissions:
            return 0
        try:
            return await self._upsert(check)
        except Refusal as refusal:
            if refusal.status != HTTPStatus.FORBIDDEN:
                raise
            return 0

    async def _upsert(self, check: CheckRun) -> int:
        async def find() -> tuple[int, int] | None:
            return await self._find(check)

        async def make() -> tuple[int, int]:
            return await self._create(check), -1

        number, noted = await once(find, make)
        if noted < 0:  # made just now, with what fits
            noted = min(_BATCH, len(check.annotations))
            if noted == len(check.annotations):
                return number
        # GitHub adds to the annotations that are there: only those that it lacks are sent
        for start in range(noted, max(len(check.annotations), noted + 1), _BATCH):
            await self._edit(number, check, check.annotations[start : start + _BATCH])
        return number

    async def _find(self, check: CheckRun) -> tuple[int, int] | None:
        """Id and number of annotations of the newest check run that is this one."""

        def work(repository: Repository) -> tuple[int, int] | None:
            commit = repository.get_commit(check.head_sha)
            ours = [
                item
                for item in commit.get_check_runs(check_name=check.name, filter="all")
                if item.external_id == check.external_id and item.app.id == self._app_id
            ]
            newest = max(ours, key=lambda item: item.id, default=None)
            return None if newest is None else (newest.id, _noted(newest))

        return await self._objects.call(work, safe=True)

    async def _create(self, check: CheckRun) -> int:
        def work(repository: Repository) -> int:
            fields = _fields(check, check.annotations[:_BATCH])
            return repository.create_check_run(head_sha=check.head_sha, **fields).id

        return await self._objects.call(work, safe=False, writes=True)

    async def _edit(self, number: int, check: CheckRun, notes: tuple[Annotation, ...]) -> None:
        def work(repository: Repository) -> None:
            repository.get_check_run(number).edit(**_fields(check, notes))

        # repeated, it would add the annotations twice
        await self._objects.call(work, safe=not notes, writes=True)


def _noted(item: Item) -> int:
    output: CheckRunOutput | None = item.output
    return 0 if output is None else output.annotations_count or 0


def _fields(check: CheckRun, notes: tuple[Annotation, ...]) -> dict[str, Any]:
    output: dict[str, Any] = {
        "title": check.title or check.name,
        "summary": fit(check.summary, CHECK_BYTES),
    }
    if check.text:
        output["text"] = fit(check.text, CHECK_BYTES)
    if notes:
        output["annotations"] = [_note(note) for note in notes]
    fields = {
        "name": check.name,
        "external_id": check.external_id,
        "status": check.status,
        "output": output,
    }
    if check.conclusion:
        fields["conclusion"] = check.conclusion
    if check.details_url:
        fields["details_url"] = check.details_url
    return fields


def _note(note: Annotation) -> dict[str, Any]:
    return {
        "path": note.path,
        "start_line": note.line,
        "end_line": note.line,
        "annotation_level": note.level,
        "message": fit(note.message, _MESSAGE_BYTES),
    }
