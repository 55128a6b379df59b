"""Issues and comments of GitHub, put into our own words."""

import copy
import hashlib
import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.github.webhooks import AppIdentity, read
from bot.domain.runs import Actor, FrozenText, RepositoryId, RunRequest
from bot.domain.store import Delivery, Nothing, Order, Say, Start, Touch

APP = AppIdentity(app_id=1, bot_id=99, bot_login="acp[bot]")

ISSUE: dict[str, Any] = {
    "action": "labeled",
    "label": {"name": "agentic-fix"},
    "issue": {
        "number": 7,
        "title": "Totals are wrong",
        "body": "They are off by one.",
        "state": "open",
        "updated_at": "2026-11-22T10:00:00Z",
        "user": {"id": 5, "login": "rita", "type": "User"},
    },
    "repository": {
        "id": 4711,
        "full_name": "acme/shop",
        "default_branch": "main",
        "private": False,
    },
    "installation": {"id": 11},
    "sender": {"id": 6, "login": "wanda", "type": "User"},
}
COMMENT: dict[str, Any] = {
    **ISSUE,
    "action": "created",
    "comment": {
        "id": 31,
        "body": "/acp run keep the API",
        "created_at": "2026-11-22T10:05:00Z",
        "user": {"id": 6, "login": "wanda", "type": "User"},
        "performed_via_github_app": None,
    },
}
SHOP = RepositoryId(4711, "acme/shop", 11, "main", private=False)
RITA, WANDA = Actor(5, "rita", "User"), Actor(6, "wanda", "User")


def order(event: str, payload: object) -> Order:
    body = json.dumps(payload).encode()
    return read(event, "guid-1", body, app=APP, label="agentic-fix")[1]


def changed(payload: dict[str, Any], **paths: Any) -> dict[str, Any]:
    """A copy with `issue__state="closed"` and the like."""
    made = copy.deepcopy(payload)
    for path, value in paths.items():
        *above, last = path.split("__")
        at = made
        for key in above:
            at = at[key]
        at[last] = value
    return made


def without(payload: dict[str, Any], path: str) -> dict[str, Any]:
    made = copy.deepcopy(payload)
    *above, last = path.split(".")
    at = made
    for key in above:
        at = at[key]
    del at[last]
    return made


class TestDelivery:
    def test_a_delivery_is_known_by_its_guid_and_its_digest(self) -> None:
        body = json.dumps(ISSUE).encode()
        delivery, _ = read("issues", "guid-1", body, app=APP, label="agentic-fix")
        digest = hashlib.sha256(body).hexdigest()
        assert delivery == Delivery("github", "guid-1", "issues.labeled", digest)

    def test_a_form_is_read_like_json(self) -> None:
        body = f"payload={quote_plus(json.dumps(ISSUE))}".encode()
        assert read("issues", "g", body, app=APP, label="agentic-fix")[1] == order("issues", ISSUE)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"\xff\xfe",
            b"payload=",
            b"payload=%7B",
            b"payload=[]",
            b"[" * 100_000,
            b'{"action":' + b"9" * 5000 + b"}",
        ],
        ids=str,
    )
    def test_a_body_that_is_no_object_asks_for_nothing(self, body: bytes) -> None:
        _, found = read("issues", "g", body, app=APP, label="agentic-fix")
        assert found == Nothing("the body is not a JSON object")

    def test_half_characters_and_nul_never_reach_a_database(self) -> None:
        body = json.dumps(changed(ISSUE, issue__title="a\ud800b\0c")).encode()
        found = read("issues", "g\udfff", body, app=APP, label="agentic-fix")
        assert found[0].id == "g?"
        assert isinstance(found[1], Start)
        assert found[1].request.text.title == "a?b\ufffdc"


class TestLabel:
    def test_the_label_starts_a_run_with_the_text_as_it_is_in_the_payload(self) -> None:
        assert order("issues", ISSUE) == Start(
            RunRequest(
                origin="label",
                repository=SHOP,
                issue=7,
                text=FrozenText(
                    "Totals are wrong",
                    "They are off by one.",
                    RITA,
                    as_of="2026-11-22T10:00:00Z",
                ),
                requester=WANDA,
                meaning="github:4711:7:label:agentic-fix:2026-11-22T10:00:00Z",
                at="2026-11-22T10:00:00Z",
                label="agentic-fix",
            )
        )

    def test_an_issue_without_a_body_or_an_author_is_a_task_too(self) -> None:
        found = order("issues", changed(ISSUE, issue__body=None, issue__user=None))
        assert isinstance(found, Start)
        assert found.request.text == FrozenText(
            "Totals are wrong", "", Actor(0, "ghost", "User"), as_of="2026-11-22T10:00:00Z"
        )

    def test_a_repository_that_is_not_said_to_be_public_is_private(self) -> None:
        found = order("issues", without(ISSUE, "repository.private"))
        assert isinstance(found, Start)
        assert found.request.repository.private

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"label__name": "bug"}, "another label"),
            ({"sender__id": 99}, "our own label"),
            ({"issue__state": "closed"}, "the issue is closed"),
            ({"issue__number": "7"}, "issues.labeled came without issue.number"),
            ({"issue__number": True}, "issues.labeled came without issue.number"),
            ({"issue__number": -1}, "issues.labeled came without issue.number"),
            ({"issue__number": 2**63}, "issues.labeled came without issue.number"),
            ({"issue": []}, "issues.labeled came without issue.updated_at"),
        ],
    )
    def test_it_starts_nothing_when(self, changes: dict[str, Any], reason: str) -> None:
        assert order("issues", changed(ISSUE, **changes)) == Nothing(reason)

    @pytest.mark.parametrize(
        "path",
        [
            "label.name",
            "issue.number",
            "issue.title",
            "issue.updated_at",
            "repository.id",
            "repository.full_name",
            "installation.id",
            "sender.id",
            "sender.login",
        ],
    )
    def test_a_payload_without_a_needed_field_asks_for_nothing(self, path: str) -> None:
        found = order("issues", without(ISSUE, path))
        assert found == Nothing(f"issues.labeled came without {path}")

    def test_taking_the_label_off_or_closing_the_issue_cancels(self) -> None:
        cancel = Touch("cancel", 4711, 7, "wanda", "2026-11-22T10:00:00Z")
        assert order("issues", changed(ISSUE, action="unlabeled")) == cancel
        assert order("issues", changed(ISSUE, action="closed")) == cancel
        other = changed(ISSUE, action="unlabeled", label__name="bug")
        assert order("issues", other) == Nothing("another label")
        ours = changed(ISSUE, action="closed", sender__id=99)
        assert order("issues", ours) == Nothing("our own doing")


class TestComment:
    def test_a_command_starts_a_run(self) -> None:
        found = order("issue_comment", COMMENT)
        assert isinstance(found, Start)
        assert found.request.origin == "comment"
        assert found.request.text.hint == "keep the API"
        assert found.request.comment_id == 31
        assert found.request.meaning == "github:4711:7:comment:31"
        assert found.request.at == "2026-11-22T10:05:00Z"

    def test_a_retry_is_a_run_with_the_issue_as_it_reads_now(self) -> None:
        assert isinstance(
            order("issue_comment", changed(COMMENT, comment__body="/acp retry")), Start
        )

    @pytest.mark.parametrize(
        ("body", "verb", "argument"),
        [
            ("/acp status", "status", ""),
            ("/acp stop", "cancel", ""),
            ("/acp push", "push", ""),
            ("/acp help", "help", ""),
            ("/acp fix ci", "fix ci", ""),
            ("/acp runaway", "unknown", "runaway"),
        ],
    )
    def test_another_command_waits_for_a_worker(self, body: str, verb: str, argument: str) -> None:
        assert order("issue_comment", changed(COMMENT, comment__body=body)) == Say(
            verb=verb,
            repository=SHOP,
            number=7,
            comment_id=31,
            sender=WANDA,
            argument=argument,
            meaning="github:4711:7:comment:31",
            at="2026-11-22T10:05:00Z",
        )

    def test_a_command_on_a_pull_request_is_no_command_on_an_issue(self) -> None:
        found = order("issue_comment", changed(COMMENT, issue__pull_request={"url": "u"}))
        assert isinstance(found, Say)
        assert (found.verb, found.on_pull, found.argument) == ("run", True, "keep the API")

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"comment__body": "> /acp run"}, "no command in the comment"),
            ({"sender__id": 99}, "our own comment"),
            ({"comment__performed_via_github_app": {"id": 1}}, "our own comment"),
            ({"action": "edited"}, "issue_comment.edited asks for nothing"),
            ({"action": "deleted"}, "issue_comment.deleted asks for nothing"),
            ({"comment__body": None}, "issue_comment.created came without comment.body"),
        ],
    )
    def test_it_asks_for_nothing_when(self, changes: dict[str, Any], reason: str) -> None:
        assert order("issue_comment", changed(COMMENT, **changes)) == Nothing(reason)

    def test_a_comment_made_through_another_app_is_a_comment(self) -> None:
        via = changed(COMMENT, comment__performed_via_github_app={"id": 2})
        assert isinstance(order("issue_comment", via), Start)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
PATHS = ["label", "issue", "issue.user", "comment", "sender", "repository", "installation"]


@given(st.sampled_from(["issues", "issue_comment"]), st.sampled_from(PATHS), ANY_JSON)
def test_no_payload_is_an_error(event: str, path: str, value: Any) -> None:
    made = changed(
        COMMENT if event == "issue_comment" else ISSUE, **{path.replace(".", "__"): value}
    )
    order(event, made)
