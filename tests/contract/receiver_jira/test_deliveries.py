"""`POST /webhooks/jira`: what opens the door, and what is kept of what comes in."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from bot.domain.jira import NOBODY, Person
from tests.contract.receiver.sender import signature
from tests.contract.receiver_jira.conftest import OLD_SECRET, OLD_TOKEN, READY, Jira

NUMBERS = itertools.count(1)
ANA = {"accountId": "id-ana", "displayName": "Ana"}


def key() -> str:
    return f"SHOP-{next(NUMBERS)}"


def issue(key: str, **fields: Any) -> dict[str, Any]:
    return {"id": 10001, "key": key, "fields": {"summary": "Totals", **fields}}


def updated(key: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    said = {"timestamp": 1_795_000_000_000, "webhookEvent": "jira:issue_updated", "user": ANA}
    return {**said, "issue": issue(key), "changelog": {"id": "700", "items": items}, **more}


def to(status: str) -> dict[str, Any]:
    return {"field": "status", "fromString": "To Do", "toString": status}


def labels(before: str, after: str) -> dict[str, Any]:
    return {"field": "labels", "fromString": before, "toString": after}


@pytest.mark.parametrize("token", ["", "wrong", "the-token-of-the-rulE", "x" * 5000])
def test_64_a_wrong_token_is_refused_and_nothing_is_kept(jira: Jira, token: str) -> None:
    name = key()
    assert jira.rule({"key": name}, token).status_code == 401
    assert not any(one.key == name for one in jira.heard())


def test_64_a_wrong_signature_or_an_altered_body_is_refused(jira: Jira) -> None:
    name = key()
    body = json.dumps(updated(name, to(READY))).encode()
    good = signature(body, "the-secret-of-the-webhook")
    for bad in ("", "sha256=", good.replace("sha256", "sha1"), good[:-1], f"sha256={'0' * 64}"):
        assert jira.post(body, x_hub_signature=bad).status_code == 401
    assert jira.post(body + b" ", x_hub_signature=good).status_code == 401
    assert not any(one.key == name for one in jira.heard())


def test_64_a_token_does_not_open_for_a_wrong_signature(jira: Jira) -> None:
    answer = jira.post(b"{}", x_acp_token=OLD_TOKEN, x_hub_signature="sha256=0")
    assert answer.status_code == 401


def test_two_tokens_and_two_secrets_are_good_at_once(jira: Jira) -> None:
    by_rule, by_webhook = key(), key()
    assert jira.rule({"key": by_rule}, OLD_TOKEN).status_code == 202
    assert jira.webhook(updated(by_webhook, to(READY)), secret=OLD_SECRET).status_code == 202
    assert {by_rule, by_webhook} <= {one.key for one in jira.heard()}


@pytest.mark.parametrize(
    "body",
    [
        lambda name: issue(name) | {"changelog": {"histories": None}},
        lambda name: issue(name, updated="2026-11-22T10:00:00.000+0100"),
        lambda name: {"key": name, "at": 1_795_000_000_000, "hint": "mind the till"},
        lambda name: {"key": name},
        lambda name: {"issue": issue(name)},
        lambda name: {"issueKey": name},
        lambda name: name,
    ],
    ids=["automation", "jira", "custom", "key", "wrapped", "issueKey", "bare"],
)
def test_63_every_format_of_a_rule_asks_for_the_same_ticket(jira: Jira, body: Any) -> None:
    name = key()
    assert jira.rule(body(name)).status_code == 202
    (heard,) = [one for one in jira.heard() if one.key == name]
    assert (heard.cause, heard.by) == ("request", NOBODY)


def test_63_a_signed_webhook_tells_who_did_it(jira: Jira) -> None:
    name = key()
    assert jira.webhook(updated(name, to(READY.upper()))).json() == {"outcome": "applied"}
    (heard,) = [one for one in jira.heard() if one.key == name]
    assert (heard.cause, heard.change) == ("status", "700")
    assert heard.by == Person("id-ana", "Ana")
    assert heard.at.startswith("2026-11-18T")


def test_63_a_rules_token_never_says_who_did_it(jira: Jira) -> None:
    name = key()
    assert jira.rule(updated(name, to(READY))).json() == {"outcome": "ignored"}
    assert not any(one.key == name for one in jira.heard())


def test_63_a_command_is_heard_out_of_wiki_text_and_documents(jira: Jira) -> None:
    text = {"type": "text", "text": "/acp run mind the till"}
    document = {"type": "doc", "content": [{"type": "paragraph", "content": [text]}]}
    for body in ("/acp run mind the till", document):
        name = key()
        comment = {"id": "31", "author": ANA, "body": body, "created": "2026-11-22T10:00:00.000Z"}
        said = {"webhookEvent": "comment_created", "comment": comment, "issue": issue(name)}
        assert jira.webhook(said).status_code == 202
        (heard,) = [one for one in jira.heard() if one.key == name]
        assert (heard.verb, heard.argument, heard.comment) == ("run", "mind the till", "31")


@pytest.mark.parametrize(
    "body",
    ["{quote}\n/acp run\n{quote}", "{code}\n/acp run\n{code}", "bq. /acp run", "see /acp run"],
)
def test_a_command_that_is_quoted_is_not_spoken(jira: Jira, body: str) -> None:
    comment = {"id": "31", "author": ANA, "body": body}
    said = {"webhookEvent": "comment_created", "comment": comment, "issue": issue(key())}
    assert jira.webhook(said).json() == {"outcome": "ignored"}


def test_65_the_same_identifier_again_is_a_duplicate(jira: Jira) -> None:
    name = key()
    first = updated(name, to(READY))
    assert jira.webhook(first, "one-and-the-same").json()["outcome"] == "applied"
    again = updated(name, to(READY), timestamp=1_795_000_009_000)
    assert jira.webhook(again, "one-and-the-same").json()["outcome"] == "duplicate"
    assert len([one for one in jira.heard() if one.key == name]) == 1


def test_65_without_an_identifier_it_is_known_by_key_transition_and_time(jira: Jira) -> None:
    said = updated(key(), to(READY))
    outcomes = [jira.webhook(said).json()["outcome"] for _ in range(2)]
    assert outcomes == ["applied", "duplicate"]


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"field": "description", "fromString": "a", "toString": READY}],
        [to("In Progress")],
        [{"field": "status", "fromString": READY, "toString": "To Do"}],
        [labels("agentic-fix", "agentic-fix other")],
        [labels("agentic-fix other", "other")],
        [labels("", "agentic-fixed")],
    ],
)
def test_66_an_update_that_is_no_trigger_asks_for_nothing(jira: Jira, items: Any) -> None:
    assert jira.webhook(updated(key(), *items)).json() == {"outcome": "ignored"}


def test_66_a_label_that_was_added_is_heard_among_others(jira: Jira) -> None:
    name = key()
    jira.webhook(updated(name, labels("b c", "c agentic-fix b")))
    (heard,) = [one for one in jira.heard() if one.key == name]
    assert heard.cause == "label"


def test_66_of_a_bulk_edit_each_ticket_is_looked_at_alone(jira: Jira) -> None:
    names = [key() for _ in range(50)]
    for number, name in enumerate(names):
        jira.webhook(updated(name, to(READY if number % 10 == 0 else "Done")))
    assert {one.key for one in jira.heard()} & set(names) == set(names[::10])


@pytest.mark.parametrize(
    "event", ["jira:issue_deleted", "sprint_closed", "user_created", "x" * 900]
)
def test_an_unknown_event_is_taken_and_asks_for_nothing(jira: Jira, event: str) -> None:
    answer = jira.webhook({"webhookEvent": event, "issue": issue(key())})
    assert (answer.status_code, answer.json()) == (202, {"outcome": "ignored"})


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"null", b'{"key": 7}', b'{"key": "x y"}'])
def test_what_cannot_be_read_asks_for_nothing(jira: Jira, body: bytes) -> None:
    answer = jira.post(body, x_acp_token=OLD_TOKEN)
    assert (answer.status_code, answer.json()) == (202, {"outcome": "ignored"})


def test_a_body_that_is_too_large_is_refused(jira: Jira) -> None:
    answer = jira.post(b"x" * (5 * 1024 * 1024 + 1), x_acp_token=OLD_TOKEN)
    assert answer.status_code == 413


def test_deliveries_are_posted(jira: Jira) -> None:
    assert jira.client.get(f"{jira.url}/webhooks/jira").status_code == 405


def test_where_jira_is_not_set_up_there_is_no_door(without_jira: Jira) -> None:
    assert without_jira.rule({"key": "SHOP-1"}).status_code == 404
