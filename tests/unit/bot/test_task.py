"""A task has a title and a body; its slug is safe in names of branches and files."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.task import Task
from bot.errors import UserError


def test_the_first_line_is_the_title() -> None:
    task = Task.from_text("\n  Totals are wrong  \r\n\r\nadd two\nsee one\n")
    assert (task.title, task.body, task.source) == ("Totals are wrong", "add two\nsee one", "text")
    assert task.text == "Totals are wrong\n\nadd two\nsee one"


def test_a_title_alone_is_a_task() -> None:
    assert Task.from_text("Totals").text == "Totals"


@pytest.mark.parametrize("text", ["", " \n\t\n "])
def test_an_empty_text_is_no_task(text: str) -> None:
    with pytest.raises(UserError, match="the task is empty"):
        Task.from_text(text)


def test_bytes_that_are_no_text_are_no_task() -> None:
    with pytest.raises(UserError, match="not UTF-8"):
        Task.from_text(b"caf\xe9".decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("task", "slug"),
    [
        (Task("Totals ignore the discount!"), "totals-ignore-the-discount"),
        (Task("Preise für Äpfel"), "preise-fur-apfel"),
        (Task("合計が間違っている"), "task"),
        (Task("x" * 90), "x" * 40),
        (
            Task("one two three four five six seven eight nine"),
            "one-two-three-four-five-six-seven-eight",
        ),
        (Task("Totals", source="acme/shop#7"), "acme-shop-7-totals"),
    ],
)
def test_a_slug_is_short_and_plain(task: Task, slug: str) -> None:
    assert task.slug == slug


@given(st.text(min_size=1))
def test_every_slug_can_name_a_branch_and_a_file(title: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", Task(title).slug)
    assert len(Task(title).slug) <= 40
