"""Secrets and terminal tricks do not get through."""

import base64
import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.scrub import Scrubber, printable

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
