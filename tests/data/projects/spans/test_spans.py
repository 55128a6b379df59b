import pytest

import spans


def test_parse():
    assert spans.parse("1h 30m") == 5400
    assert spans.parse("2d") == 172800


def test_nothing_is_no_span():
    with pytest.raises(ValueError):
        spans.parse("")


def test_show():
    assert spans.show(5400) == "1h 30m"
    assert spans.show(59) == "59s"


def test_longest():
    assert spans.longest(["5m", "1h", "90s"]) == "1h"
