"""Secrets and terminal tricks do not get through."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.scrub import Scrubber, printable, without_host_paths

SECRET = 'sk-"quoted"/secret'


def test_a_secret_is_masked_in_every_form() -> None:
    scrub = Scrubber([SECRET])
    for form in (
        SECRET,
        json.dumps({"key": SECRET}),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
    ):
        assert scrub(f"<{form}>") in {"<***>", '<{"key": "***"}>'}


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Scrubber(["secret", "secret-and-more"])("secret-and-more secret") == "*** ***"


def test_short_values_are_left_alone() -> None:
    assert Scrubber(["a", ""])("a banana") == "a banana"


@given(st.text(), st.lists(st.text(min_size=6), max_size=3))
def test_no_secret_is_left_in_any_text(text: str, secrets: list[str]) -> None:
    scrubbed = Scrubber(secrets)(text + "".join(secrets))
    for secret in secrets:
        assert secret not in scrubbed.replace("***", "")


def test_terminal_tricks_become_visible() -> None:
    assert printable("a\x1b[31mb\rc\u202ed\u200b\te\r\nf") == "a?[31mb?c?d?\te\nf"


TREE = "/var/tmp/acp-scratch-frofhyfy/work/workspace-8awqccqd/tree"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"rootdir: {TREE}\nconfigfile: x", "rootdir: .\nconfigfile: x"),
        (f'File "{TREE}/shop/basket.py", line 2', 'File "shop/basket.py", line 2'),
        (f"file://{TREE}/shop/basket.py", "file://shop/basket.py"),
        (f"cd {TREE}/ && ls", "cd . && ls"),
        ("/tmp/acp-scratch-frofhyfy/home/.cache/x", "…/home/.cache/x"),
        ("/opt/py/3.11.7/lib/python3.11/json/x.py:3", "…/lib/python3.11/json/x.py:3"),
        ("/usr/share/tree and /src/tree/shop.py", "/usr/share/tree and /src/tree/shop.py"),
        (f"{TREE}house/x", "…/work/workspace-8awqccqd/treehouse/x"),
        ("/repo/acp-notes-of-june/tree", "/repo/acp-notes-of-june/tree"),
    ],
)
def test_where_this_host_has_laid_the_tree_is_nobodys_business(said: str, shown: str) -> None:
    assert without_host_paths(said) == shown
