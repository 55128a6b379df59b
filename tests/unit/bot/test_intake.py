"""A request becomes a task and a repository; GitHub goes before Jira, Jira before text."""

import pytest

from bot.domain.refs import IssueRef, JiraKey, RepoRef
from bot.domain.task import Task
from bot.errors import BadReference, UserError
from bot.services.intake import Request, TakeIn


class Issues:
    def read(self, ref: IssueRef) -> Task:
        return Task("from GitHub", source=str(ref))

    def clone_url(self, repo: RepoRef) -> str:
        return f"https://github.com/{repo}.git"


class Tickets:
    def read(self, key: JiraKey) -> Task:
        return Task("from Jira", source=str(key))


def never() -> Tickets:
    raise AssertionError("the tracker is not needed here")


TAKE_IN = TakeIn(Issues, Tickets)


def test_a_text_is_a_task_without_a_repository() -> None:
    intake = TAKE_IN(Request(task="Totals"))
    assert (intake.task.title, intake.repo, intake.warnings) == ("Totals", None, ())


def test_an_issue_brings_its_repository() -> None:
    intake = TakeIn(Issues, never)(Request(github="acme/shop#7"))
    assert (intake.task.source, intake.repo) == ("acme/shop#7", "https://github.com/acme/shop.git")


def test_a_repository_that_is_given_goes_before_that_of_the_issue() -> None:
    assert TAKE_IN(Request(github="acme/shop#7", repo="/here")).repo == "/here"


def test_github_goes_before_jira_and_text_and_says_so() -> None:
    intake = TAKE_IN(Request(github="acme/shop#7", jira="SHOP-1", task="x"))
    assert intake.task.title == "from GitHub"
    assert intake.warnings == ("--jira and TASK not used: the task comes from --github",)


def test_jira_goes_before_text() -> None:
    intake = TAKE_IN(Request(jira="SHOP-1", task="x", repo="."))
    assert (intake.task.title, intake.repo) == ("from Jira", ".")
    assert intake.warnings == ("TASK not used: the task comes from --jira",)


def test_nothing_is_no_task() -> None:
    with pytest.raises(UserError, match="there is no task; give a text, --github"):
        TAKE_IN(Request())


def test_an_empty_reference_is_refused_and_not_passed_over() -> None:
    with pytest.raises(BadReference):
        TAKE_IN(Request(github="", task="x"))
    assert TAKE_IN(Request(repo="", task="x")).repo == ""
