"""URLs, paths and refs: what is accepted, and that no password is ever repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import CheckoutError
from pipeline.workspace.source import check_ref, parse_source


@pytest.mark.parametrize(
    ("text", "protocols"),
    [
        ("https://github.com/a/b.git", "https"),
        ("http://127.0.0.1:8000/a", "http:https"),
        ("ssh://git@example.org:22/a/b", "ssh"),
        ("git@example.org:a/b.git", "ssh"),
        ("example.org:a/b.git", "ssh"),
        ("git://example.org/a", "git"),
        ("file:///srv/a", "file"),
    ],
)
def test_each_kind_of_url_allows_its_own_protocol_alone(text: str, protocols: str) -> None:
    source = parse_source(text)
    assert (source.protocols, source.local, source.shown) == (protocols, None, text)


def test_a_path_that_exists_is_local_even_with_a_colon(tmp_path: Path) -> None:
    path = tmp_path / "a:b"
    path.mkdir()
    assert parse_source(str(path)).local == path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("https://user:hunter2@example.org/a", "credentials"),
        ("https://hunter2@example.org/a", "credentials"),
        ("ssh://git:hunter2@example.org/a", "credentials"),
        ("https://example.org/a?token=hunter2", "more than an address"),
        ("https://example.org/a#hunter2", "more than an address"),
        ("https://[hunter2/a", "cannot be read"),
        ("ftp://hunter2@example.org/a", "not supported: use one of https"),
        ("ext::sh -c hunter2", "does not exist"),
        ("--upload-pack=hunter2", "neither a URL nor a path"),
        ("https://example.org/a\nhunter2", "neither a URL nor a path"),
        ("", "neither a URL nor a path"),
        ("https:///a", "names no host"),
        ("no/such/path", "does not exist"),
    ],
)
def test_what_cannot_be_a_source_is_explained(text: str, says: str) -> None:
    with pytest.raises(CheckoutError, match=says) as caught:
        parse_source(text)
    if "://" in text:
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("ref", ["main", "feature/x", "v1.0", "refs/pull/1/head", "a-b_c"])
def test_a_plain_ref_is_fine(ref: str) -> None:
    assert check_ref(ref) == ref


@pytest.mark.parametrize(
    "ref", ["-x", "+main", "a:b", "a b", "a..b", "x@{1}", "^x", "*", "", "a\n"]
)
def test_a_ref_with_a_meaning_of_its_own_is_refused(ref: str) -> None:
    with pytest.raises(CheckoutError):
        check_ref(ref)
