import pytest

from slugs import slugify
from slugs.text import title


@pytest.mark.parametrize("text, slug", [("Hello, World!", "hello-world"), ("", ""), ("Ångström", "angstrom")])
def test_slugify(text, slug):
    assert slugify(text) == slug


def test_a_separator():
    assert slugify("one two", separator="_") == "one_two"


def test_stopwords_are_left_out():
    assert slugify("the end", stopwords=["the"]) == "end"


def test_a_short_slug_is_cut():
    assert slugify("abcdef", max_length=3) == "abc"


def test_title():
    assert title("hello-world") == "Hello World"
