"""What comes in, in memory: deliveries, the runs that they start or touch, commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.adapters.store.memory_mailbox import MemoryMailbox
from bot.adapters.store.stamps import Clock, new_id, normal, stamp
from bot.domain.messages import ticket as words
from bot.domain.runs import Run, RunRequest, RunStatus
from bot.domain.store import (
    Asked,
    Delivery,
    Hear,
    Nothing,
    Order,
    Receipt,
    Say,
    Settle,
    Start,
    Touch,
    Withdraw,
    asked_again,
    label_again,
)


class MemoryInbox(MemoryMailbox):
    """The part of `MemoryStore` that takes in what the world asks for."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._deliveries: dict[tuple[str, str], Receipt] = {}
        self._received: dict[tuple[str, str], str] = {}
        self._said: set[str] = set()
        self._asked: dict[str, Asked] = {}
        self._claimed: set[str] = set()

    def receive(self, delivery: Delivery, order: Order) -> Receipt:
        """Take a delivery in, once."""
        with self._lock:
            guid = (delivery.source, delivery.id)
            if guid in self._deliveries:
                return Receipt("duplicate", self._deliveries[guid].run_id)
            self._deliveries[guid] = self._follow(order)
            self._received[guid] = stamp(self._clock())
            return self._deliveries[guid]

    def receive_all(self, deliveries: Sequence[tuple[Delivery, Order]]) -> Sequence[Receipt]:
        """Take several in."""
        with self._lock:
            return [self.receive(delivery, order) for delivery, order in deliveries]

    def asked(self, limit: int = 20) -> Sequence[Asked]:
        """Commands that are due for an answer."""
        with self._lock:
            return self._turns.due(self._asked, limit)

    def answer_later(self, asked_id: str, seconds: float) -> None:
        """Look at a command again after that time."""
        with self._lock:
            asked = self._asked[asked_id]
            self._asked[asked_id] = replace(asked, tries=asked.tries + 1)
            self._turns.put_off(asked_id, seconds)

    def answered(self, asked_id: str) -> None:
        """The command has had its answer."""
        with self._lock:
            self._asked.pop(asked_id, None)

    def request_cancel(self, run_id: str, by: str) -> bool:
        """Ask for a cancel."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is None or run.status is RunStatus.FINISHED:
                return False
            asked = run.cancel_by if run.cancel_requested else by
            self._change(run_id, cancel_requested=True, cancel_by=asked, not_before="")
            if run.status is RunStatus.HELD:
                self._change(run_id, status=RunStatus.QUEUED)
            elif run.epoch == 0:
                over = {"outcome": "cancelled", "reason": f"cancelled: {by}"}
                self._change(run_id, status=RunStatus.FINISHED, **over)
                if run.request.ticket:
                    self.post(words.last_letter(run, words.cancelled(by)))
            return True

    def prune(self, before: str) -> int:
        """Forget what was dealt with before a moment."""
        until = normal(before)
        with self._lock:
            old = [guid for guid, at in self._received.items() if at < until]
            for guid in old:
                del self._received[guid], self._deliveries[guid]
            return len(old)

    def _all(self) -> list[Run]:
        with self._lock:
            return list(self._runs.values())

    def _change(self, run_id: str, **values: Any) -> None:
        if values.get("status") is RunStatus.FINISHED:
            values["finished_at"] = stamp(self._clock())
        if "status" in values:
            self._claimed.discard(run_id)
        self._runs[run_id] = replace(self._runs[run_id], **values)

    def _follow(self, order: Order) -> Receipt:
        match order:
            case Start(request=request):
                return self._start(request)
            case Touch():
                return self._touch(order)
            case Withdraw():
                return self._withdraw(order)
            case Say():
                return self._ask(order)
            case Hear(trigger=trigger):
                self._hear(trigger)
                return Receipt("applied")
            case Settle():
                return self._settle(order)
            case Nothing():
                return Receipt("ignored")

    def _ask(self, say: Say) -> Receipt:
        if say.meaning in self._said:
            return Receipt("duplicate")
        self._said.add(say.meaning)
        asked = Asked(new_id(self._clock()), say)
        self._asked[asked.id] = asked
        self._turns.put_off(asked.id, 0.0)
        return Receipt("applied")

    def _start(self, request: RunRequest) -> Receipt:
        for run in self._runs.values():
            if run.request.meaning == request.meaning:
                anew = label_again(request) if run.cancel_requested else None
                return Receipt("duplicate", run.id) if anew is None else self._start(anew)
        if request.meaning in self._said:
            return Receipt("duplicate")
        active = self._active(request.repository.id, request.issue) if request.issue else None
        if active is not None:
            if request.origin == "comment" or (request.label and active.cancel_requested):
                self._ask(asked_again(request))
            return Receipt("active", active.id)
        now = self._clock()
        run_id = new_id(now)
        self._runs[run_id] = Run(
            id=run_id,
            request=request,
            status=RunStatus.QUEUED,
            epoch=0,
            outcome="",
            reason="",
            created_at=stamp(now),
            started_at="",
            finished_at="",
            cancel_requested=False,
            push_by="",
            cost_usd=None,
            pull_request=0,
        )
        return Receipt("started", run_id)

    def _touch(self, order: Touch) -> Receipt:
        active = self._active(order.repository_id, order.issue)
        if active is None:
            return Receipt("ignored")
        if order.too_early(active.request.at):
            return Receipt("ignored", active.id)
        if order.verb == "cancel":
            self.request_cancel(active.id, order.by)
        elif active.status is RunStatus.HELD:
            self._change(active.id, status=RunStatus.QUEUED, push_by=order.by)
        else:
            return Receipt("ignored", active.id)
        return Receipt("applied", active.id)

    def _withdraw(self, order: Withdraw) -> Receipt:
        gone = order.repository_ids
        found = [
            run.id
            for run in self._all()
            if run.request.repository.installation_id == order.installation_id
            and (gone is None or run.request.repository.id in gone)
        ]
        applied = [run_id for run_id in found if self.request_cancel(run_id, order.reason)]
        return Receipt("applied") if applied else Receipt("ignored")

    def _settle(self, order: Settle) -> Receipt:
        where = (order.repository_id, order.number)
        ours = [r for r in self._all() if (r.request.repository.id, r.pull_request) == where]
        run = max(ours, key=lambda one: one.id, default=None)
        if run is None or run.request.ticket is None:
            return Receipt("ignored")
        self.post(words.settled(run, order))
        issue = run.request.issue
        self._touch(Touch("cancel", order.repository_id, issue, order.by, order.at))
        return Receipt("applied", run.id)

    def _active(self, repository_id: int, issue: int) -> Run | None:
        for run in self._runs.values():
            where = (run.request.repository.id, run.request.issue)
            if where == (repository_id, issue) and run.status is not RunStatus.FINISHED:
                return run
        return None
