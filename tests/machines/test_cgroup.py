"""Memory, processes and lifetime under cgroups, on a kernel that has them: as a service sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.machines.machine import Order

if TYPE_CHECKING:
    from tests.machines.conftest import Booted, Report

HELD = "/acp/tests/machines/held.py"
SERVICE = "/sys/fs/cgroup/service"
# What a manager does for a service to which it leaves a part of the tree.
DIVIDED = "echo '+memory +pids +cpu' > /sys/fs/cgroup/cgroup.subtree_control; mkdir "
DELEGATED = DIVIDED + SERVICE


@pytest.fixture(scope="module")
def report(booted: Booted) -> Report:
    """What came of it as root, started in a group that is delegated."""
    return booted("core", Order((HELD, "bubblewrap"), group=SERVICE, before=DELEGATED))


@pytest.fixture(scope="module")
def strong(report: Report) -> Report:
    found: Report = report["bubblewrap"]
    return found


def test_a_delegated_group_is_found_and_tried(strong: Report) -> None:
    assert (strong["grade"], strong["held by"]) == ("strong", "cgroup")


def test_who_divides_a_group_moves_out_of_it(report: Report) -> None:
    assert report["moved to"] == "0::/service/acp-host"


def test_a_command_is_in_its_group_from_the_start(strong: Report) -> None:
    assert strong["in a group from its start"]


def test_memory_taken_together_ends_all_of_the_command(strong: Report) -> None:
    assert strong["memory"] == "memory"
    assert not strong["survived"]


def test_a_process_too_many_is_refused_by_the_kernel(strong: Report) -> None:
    assert 20 <= strong["born"] < 40


def test_a_crowd_at_the_limit_is_ended(strong: Report) -> None:
    assert strong["crowd"] == "processes"


def test_whoever_is_left_in_a_group_is_killed(report: Report) -> None:
    assert report["lifetime"]["whoever is left is killed"]


def test_what_a_dead_host_left_is_swept_and_what_a_living_one_has_is_not(report: Report) -> None:
    lifetime = report["lifetime"]
    assert lifetime["two hosts side by side"]
    assert lifetime["outlives its host"]
    assert lifetime["swept afterwards"]


def test_no_group_is_left(report: Report) -> None:
    assert report["left"] == []
