"""What is taken in: once each, in any order, of any kind and size."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bot.entrypoints.http.github_door import LARGEST
from tests.contract.receiver.sender import Sender, labeled, signature

EXAMPLES = Path(__file__).parents[2] / "data/github/webhooks"


def test_a_label_becomes_a_run(sender: Sender) -> None:
    answer = sender.send(labeled())
    (run,) = sender.runs()
    assert (answer.status_code, answer.json()) == (202, {"outcome": "started", "run": run.id})
    assert run.request.text.title == "Totals are wrong … „really“ 💥"


def test_14_the_same_delivery_twice_at_once_is_one_run(sender: Sender) -> None:
    body = json.dumps(labeled()).encode()
    answers = sender.at_once([(body, sender.headers(body, guid="one"))] * 8)
    assert {one.status_code for one in answers} == {202}
    assert sorted(one.json()["outcome"] for one in answers) == ["duplicate"] * 7 + ["started"]
    assert (len(sender.runs()), sender.rows()) == (1, 1)


def test_15_the_same_meaning_under_new_names_is_one_run(sender: Sender) -> None:
    body = json.dumps(labeled()).encode()
    sender.at_once([(body, sender.headers(body)) for _ in range(4)])
    assert (len(sender.runs()), sender.rows()) == (1, 4)


def test_16_what_could_not_be_written_runs_when_it_comes_again(sender: Sender) -> None:
    other = sqlite3.connect(sender.data / "acp.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = sender.send(labeled(), guid="again")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "acp.db" not in answer.text
    other.execute("ROLLBACK")
    other.close()
    assert sender.send(labeled(), guid="again").json()["outcome"] == "started"


def test_17_a_redelivery_of_what_arrived_does_nothing(sender: Sender) -> None:
    first = sender.send(labeled(), guid="one").json()
    assert sender.send(labeled(), guid="one").json() == first | {"outcome": "duplicate"}
    assert sender.rows() == 1


@pytest.mark.parametrize("action", ["closed", "unlabeled"])
def test_18_what_ends_a_run_may_come_before_what_starts_it(sender: Sender, action: str) -> None:
    assert sender.send(labeled(action=action)).json()["outcome"] == "ignored"
    assert sender.send(labeled()).json()["outcome"] == "started"
    assert sender.send(labeled(action=action)).json()["outcome"] == "applied"
    (run,) = sender.runs()
    assert (run.status, run.outcome, run.cancel_by) == ("finished", "cancelled", "wanda")


def chunks(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield bytes(2**20)


def test_19_a_body_over_26_mb_is_413_however_it_comes(sender: Sender) -> None:
    headers = sender.headers(b"") | {"x-hub-signature-256": "sha256=" + "0" * 64}
    assert sender.post(bytes(LARGEST + 1), headers).status_code == 413
    assert sender.post(chunks(27), headers).status_code == 413
    assert sender.rows() == 0
    assert sender.send(labeled()).status_code == 202


def test_a_large_genuine_body_is_taken_in(sender: Sender) -> None:
    assert sender.send(labeled(padding="x" * 24_000_000)).json()["outcome"] == "started"


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_20_every_example_of_githubs_is_2xx_and_one_row(sender: Sender, file: Path) -> None:
    examples = json.loads(file.read_text("utf-8"))["examples"]
    for number, payload in enumerate(examples, 1):
        answer = sender.send(payload, event=file.stem)
        assert answer.status_code == (200 if file.stem == "ping" else 202)
        assert sender.rows() == number


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"not json", b"{" * 5000, b'{"action":{}}', b"\xff\xfe", b"{}"]
)
def test_20_what_means_nothing_is_remembered_and_ignored(sender: Sender, body: bytes) -> None:
    answer = sender.post(body, sender.headers(body, event="sponsorship"))
    assert (answer.status_code, answer.json()["outcome"], sender.rows()) == (202, "ignored", 1)


def test_21_a_form_is_read_like_json(sender: Sender) -> None:
    body = urlencode({"payload": json.dumps(labeled())}).encode()
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = sender.post(body, sender.headers(body) | form)
    assert (answer.status_code, answer.json()["outcome"]) == (202, "started")


def test_22_a_burst_of_two_hundred_is_taken_in_whole(sender: Sender) -> None:
    bodies = [json.dumps(labeled(issue=number)).encode() for number in range(1, 201)]
    answers = sender.at_once([(body, sender.headers(body)) for body in bodies])
    assert [one.json()["outcome"] for one in answers] == ["started"] * 200
    assert sender.rows() == 200


def test_a_name_that_is_missing_or_endless_is_handled(sender: Sender) -> None:
    body = json.dumps(labeled()).encode()
    for name in ("x-github-event", "x-github-delivery"):
        headers = sender.headers(body)
        del headers[name]
        assert sender.post(body, headers).status_code == 400
    assert sender.post(body, sender.headers(body, guid="g" * 3000)).status_code == 202
    assert sender.rows() == 1


def test_only_posts_are_deliveries(sender: Sender) -> None:
    assert sender.client.get(f"{sender.url}/webhooks/github").status_code == 405


def test_until_the_app_is_known_github_is_told_to_come_again(sender: Sender) -> None:
    (sender.data / "github-app.json").unlink()
    assert sender.send(labeled()).status_code == 503
    (sender.data / "github-app.json").write_text('{"for": ["https://other.example", "1"]}')
    body = json.dumps(labeled()).encode()
    assert sender.post(body, {"x-hub-signature-256": signature(body)}).status_code == 503
