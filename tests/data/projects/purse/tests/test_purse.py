import pytest

from purse import parse, show, split
from purse.shares import total


def test_parse():
    assert parse("12.50") == 1250
    assert parse("-3") == -300


def test_show():
    assert show(1250) == "12.50"
    assert show(-5) == "-0.05"


def test_split():
    assert split(900, 3) == [300, 300, 300]
    assert total(split(900, 3)) == 900


def test_nobody():
    with pytest.raises(ValueError):
        split(100, 0)
