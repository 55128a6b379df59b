"""What people write is parsed at the door, and what cannot be read is explained."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from bot.domain.refs import IssueRef, JiraKey, RepoRef
from bot.errors import BadReference

PARSERS = (RepoRef.parse, IssueRef.parse, JiraKey.parse)


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("acme/shop", RepoRef("acme", "shop")),
        (" https://github.com/acme/shop.git/ ", RepoRef("acme", "shop", "github.com")),
        ("https://GHE.acme.com:8443/acme/shop", RepoRef("acme", "shop", "ghe.acme.com:8443")),
        ("https://me:secret@github.com/acme/a.b_c-d", RepoRef("acme", "a.b_c-d", "github.com")),
    ],
)
def test_a_repository_is_read(text: str, ref: RepoRef) -> None:
    assert RepoRef.parse(text) == ref


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("acme/shop#7", IssueRef(RepoRef("acme", "shop"), 7)),
        (
            "https://github.com/acme/shop/issues/7#issuecomment-1",
            IssueRef(RepoRef("acme", "shop", "github.com"), 7),
        ),
        (
            "https://ghe.acme.com/acme/shop/issues/12/?x=1",
            IssueRef(RepoRef("acme", "shop", "ghe.acme.com"), 12),
        ),
    ],
)
def test_an_issue_is_read(text: str, ref: IssueRef) -> None:
    assert IssueRef.parse(text) == ref


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("SHOP-12", JiraKey("SHOP-12")),
        (" shop-12 ", JiraKey("SHOP-12")),
        ("https://acme.atlassian.net/browse/SHOP-12?x=1", JiraKey("SHOP-12", "acme.atlassian.net")),
        ("https://acme.com/jira/browse/A1_B-3", JiraKey("A1_B-3", "acme.com")),
    ],
)
def test_a_ticket_is_read(text: str, key: JiraKey) -> None:
    assert JiraKey.parse(text) == key


@pytest.mark.parametrize(
    "text", ["", "shop", "acme/..", "-acme/shop", "acme/shop/x", "acme shop", "https://[::1/a/b"]
)
def test_what_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(BadReference, match="write owner/repo"):
        RepoRef.parse(text)


@pytest.mark.parametrize(
    "text", ["", "7", "#7", "acme/shop", "acme/shop#0", "acme/shop#x", "a/b#07"]
)
def test_what_is_no_issue_is_refused(text: str) -> None:
    with pytest.raises(BadReference, match="write owner/repo#7"):
        IssueRef.parse(text)


@pytest.mark.parametrize("text", ["", "SHOP", "SHOP-0", "12-SHOP", "https://x.net/SHOP-1", "A B-1"])
def test_what_is_no_ticket_is_refused(text: str) -> None:
    with pytest.raises(BadReference, match="write KEY-1"):
        JiraKey.parse(text)


def test_the_url_of_a_pull_request_says_what_to_give_instead() -> None:
    with pytest.raises(BadReference) as caught:
        IssueRef.parse("https://github.com/acme/shop/pull/7/files")
    assert str(caught.value) == snapshot(
        "'https://github.com/acme/shop/pull/7/files' is a pull request; give an issue "
        "(…/issues/NUMBER)"
    )


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(BadReference) as caught:
        IssueRef.parse("https://me:secret@github.com/acme")
    assert "secret" not in str(caught.value)


def test_references_are_shown_as_people_write_them() -> None:
    issue = IssueRef.parse("https://github.com/acme/shop/issues/7")
    assert (str(issue), str(issue.repo), str(JiraKey.parse("a-1"))) == (
        "acme/shop#7",
        "acme/shop",
        "A-1",
    )


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in PARSERS:
        with suppress(BadReference):
            parse(text)
