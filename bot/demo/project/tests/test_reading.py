import pytest

from timespan import parse


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45s", 45), ("2m", 120), ("1h30m", 5400), ("1d", 86400), ("1d2h3m4s", 93784)],
)
def test_a_duration_is_read(text, seconds):
    assert parse(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "h1"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="not a duration"):
        parse(text)
