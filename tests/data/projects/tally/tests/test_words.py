from tally.words import count


def test_count():
    assert count("a B b") == {"a": 1, "b": 2}
