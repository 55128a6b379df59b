import pytest

from timespan import parse, show


@pytest.mark.parametrize("seconds", [0, 1, 59, 60, 3599, 5400, 93784])
def test_what_is_written_reads_back(seconds):
    assert parse(show(seconds)) == seconds


def test_the_shortest_form_is_written():
    assert show(5400) == "1h30m"
