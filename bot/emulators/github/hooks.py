"""Webhook deliveries: signed, sent by a thread of their own, recorded, and disturbed on demand."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from threading import Condition, Event, Thread
from typing import Any, Literal
from urllib.parse import urlsplit

from bot.emulators.github.model import App
from bot.emulators.github.world import Clock

Trouble = Literal["drop", "duplicate", "delay"]
_TIMEOUT_S = 10.0
_OK = range(200, 300)


@dataclass
class Delivery:
    """One attempt to deliver. `status_code` 0 means not yet; redeliveries share the `guid`."""

    id: int
    guid: str
    app_id: int
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    body: bytes
    delivered_at: float
    url: str = ""
    redelivery: bool = False
    status: str = "pending"
    status_code: int = 0
    duration: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    response: str = ""
    response_headers: dict[str, str] = field(default_factory=dict)

    @property
    def payload(self) -> dict[str, Any]:
        """The body as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def ok(self) -> bool:
        """Whether the receiver took it."""
        return self.status_code in _OK


@dataclass
class _Plan:
    kind: Trouble
    event: str
    times: int
    seconds: float = 0.0


class Courier:
    """Sends deliveries in order of events, unless told to hold, drop, duplicate or delay them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue: SimpleQueue[tuple[App, Delivery] | None] = SimpleQueue()
        self._idle = Condition()
        self._pending = 0
        self._stopped = Event()
        self._plans: list[_Plan] = []
        self._held: list[tuple[App, Delivery]] | None = None
        self._late: list[Thread] = []
        self.deliveries: list[Delivery] = []
        self._thread = Thread(target=self._run, name="github-hooks", daemon=True)
        self._thread.start()

    def send(
        self,
        app: App,
        event: str,
        payload: Mapping[str, Any],
        installation_id: int | None = None,
        repository_id: int | None = None,
    ) -> Delivery:
        """Queue one delivery; the payload is frozen now. Nothing is sent without a webhook URL."""
        delivery = Delivery(
            id=uuid.uuid4().int >> 75,
            guid=str(uuid.uuid4()),
            app_id=app.id,
            event=event,
            action=payload.get("action"),
            installation_id=installation_id,
            repository_id=repository_id,
            body=json.dumps(payload, ensure_ascii=False).encode(),
            delivered_at=self._clock.now(),
        )
        if app.webhook_url:
            self._take(app, delivery)
        return delivery

    def redeliver(self, app: App, delivery: Delivery) -> Delivery:
        """Send again under the same GUID, as a new attempt."""
        again = replace(
            delivery, id=uuid.uuid4().int >> 75, redelivery=True, status="pending", status_code=0
        )
        self._put(app, again)
        return again

    def hold(self) -> None:
        """Keep deliveries back from now on."""
        with self._idle:
            self._held = []

    def release(self, order: Sequence[int] | None = None) -> None:
        """Send what was held, in the given order of positions (default: as it came)."""
        with self._idle:
            held, self._held = self._held or [], None
        for position in order if order is not None else range(len(held)):
            self._put(*held[position])

    def drop(self, event: str = "", times: int = 1) -> None:
        """Lose the next deliveries (of an event): recorded as timed out, never sent."""
        self._plans.append(_Plan("drop", event, times))

    def duplicate(self, event: str = "", times: int = 1) -> None:
        """Send the next deliveries twice, under one GUID."""
        self._plans.append(_Plan("duplicate", event, times))

    def delay(self, seconds: float, event: str = "", times: int = 1) -> None:
        """Send the next deliveries so much later, while others overtake them."""
        self._plans.append(_Plan("delay", event, times, seconds))

    def drain(self, timeout: float = 20.0) -> bool:
        """Wait until nothing is under way; False if that took longer than `timeout` seconds."""
        with self._idle:
            return self._idle.wait_for(lambda: self._pending == 0, timeout)

    def close(self) -> None:
        """Stop; what is still queued is not sent."""
        self._stopped.set()
        self._queue.put(None)
        for thread in (self._thread, *self._late):
            thread.join()

    def _take(self, app: App, delivery: Delivery) -> None:
        with self._idle:
            if self._held is not None:
                self._held.append((app, delivery))
                return
        plan = self._plan(delivery.event)
        if plan is None:
            self._put(app, delivery)
        elif plan.kind == "drop":
            delivery.status, delivery.status_code, delivery.url = "timed out", 504, app.webhook_url
            self.deliveries.append(delivery)
        elif plan.kind == "duplicate":
            self._put(app, delivery)
            self._put(app, replace(delivery, id=delivery.id + 1))
        else:
            self._put_later(app, delivery, plan.seconds)

    def _plan(self, event: str) -> _Plan | None:
        for plan in self._plans:
            if plan.times > 0 and plan.event in ("", event):
                plan.times -= 1
                return plan
        return None

    def _put(self, app: App, delivery: Delivery) -> None:
        with self._idle:
            self._pending += 1
        self._queue.put((app, delivery))

    def _put_later(self, app: App, delivery: Delivery, seconds: float) -> None:
        with self._idle:
            self._pending += 1

        def wait() -> None:
            self._stopped.wait(seconds)
            self._queue.put((app, delivery))

        self._late.append(Thread(target=wait, daemon=True))
        self._late[-1].start()

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            if not self._stopped.is_set():
                _deliver(*job, self._clock)
                self.deliveries.append(job[1])
            with self._idle:
                self._pending -= 1
                self._idle.notify_all()


def signature(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers_of(app: App, delivery: Delivery) -> dict[str, str]:
    """What GitHub sends beside the body."""
    found = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/emulated",
        "X-GitHub-Delivery": delivery.guid,
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Hook-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
    }
    if app.webhook_secret:
        legacy = hmac.new(app.webhook_secret.encode(), delivery.body, "sha1").hexdigest()
        found["X-Hub-Signature"] = f"sha1={legacy}"
        found["X-Hub-Signature-256"] = signature(app.webhook_secret, delivery.body)
    return found


def _deliver(app: App, delivery: Delivery, clock: Clock) -> None:
    delivery.headers, delivery.url = headers_of(app, delivery), app.webhook_url
    parts = urlsplit(delivery.url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=_TIMEOUT_S)
    started = clock.now()
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        connection.request("POST", path, delivery.body, delivery.headers)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        _record(delivery, response.status, text, dict(response.getheaders()))
    except TimeoutError:
        delivery.status, delivery.status_code = "timed out", 504
    except (OSError, http.client.HTTPException):
        delivery.status, delivery.status_code = "failed to connect to host", 502
    finally:
        connection.close()
    delivery.delivered_at = started
    delivery.duration = round(clock.now() - started, 3)


def _record(delivery: Delivery, code: int, text: str, headers: dict[str, str]) -> None:
    delivery.status_code = code
    delivery.status = "OK" if code in _OK else f"Invalid HTTP Response: {code}"
    delivery.response, delivery.response_headers = text, headers
