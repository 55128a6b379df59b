"""Hosts that this one is not: by `make machines`.

Debian's kernels 6.1 (Landlock 2: neither cuts nor connections nor signals are seen) and 6.12
(Landlock 6), with and without namespaces and cgroups, as root and as an ordinary user, and arm64.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.machines.machine import Order, like_this_one, of_another_kind
from tests.machines.test_cgroup import DELEGATED, HELD, SERVICE
from tests.security.sandbox.test_rows import ESCAPES, EXCEPTIONS

if TYPE_CHECKING:
    from tests.machines.conftest import Booted, Report

pytestmark = pytest.mark.machines

ROWS = ("/acp/tests/machines/escapes.py", "strong", "degraded")
USER = 1000
NEWER = partial(like_this_one, "trixie")
ARM64 = partial(of_another_kind, "arm64")
FORBIDDEN = {"user.max_user_namespaces": "0"}
# A manager of which nothing was asked.
MANAGED = f"{DELEGATED}; mkdir -p /run/systemd/system"
MARKED = f'{MANAGED}; $PYTHON -c \'import os; os.setxattr("{SERVICE}", "user.delegate", b"1")\''
TO_USER = f"{DELEGATED}; $PYTHON -c '{{}}'".format(
    f'import os; [os.chown(os.path.join("{SERVICE}", name), {USER}, {USER}) '
    'for name in (".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads")]'
)


def holes(found: Report, kind: str) -> set[str]:
    """The rows that worked, besides the documented exceptions of the degraded sandbox."""
    rows = found["rows"]
    allowed = {row for row, where in EXCEPTIONS.items() if kind in where}
    assert set(ESCAPES) <= set(rows)
    return {row for row in ESCAPES if rows[row] == "worked"} - allowed


def test_both_backends_are_held_by_cgroups(booted: Booted) -> None:
    found = booted("both", Order((HELD, "bubblewrap", "landlock"), group=SERVICE, before=DELEGATED))
    for backend, grade in (("bubblewrap", "strong"), ("landlock", "degraded")):
        seen = found[backend]
        assert (seen["grade"], seen["held by"]) == (grade, "cgroup")
        assert (seen["memory"], seen["crowd"]) == ("memory", "processes")
        assert not seen["survived"]
        assert seen["born"] < 40
    assert found["left"] == []


def test_a_group_of_an_ordinary_user_holds_as_well(booted: Booted) -> None:
    order = Order((HELD, "bubblewrap"), user=USER, group=SERVICE, before=TO_USER)
    found = booted("user-held", order)
    seen = found["bubblewrap"]
    assert (seen["held by"], seen["memory"], seen["crowd"]) == ("cgroup", "memory", "processes")
    assert found["moved to"] == "0::/service/acp-host"


def test_what_systemd_marks_as_delegated_is_taken(booted: Booted) -> None:
    found = booted("marked", Order((HELD, "bubblewrap"), group=SERVICE, before=MARKED))
    assert found["bubblewrap"]["held by"] == "cgroup"


def test_what_systemd_keeps_for_itself_is_left_alone_and_watched(booted: Booted) -> None:
    found = booted("managed", Order((HELD, "bubblewrap"), group=SERVICE, before=MANAGED))
    seen = found["bubblewrap"]
    assert (seen["held by"], seen["memory"]) == ("watchdog", "memory")
    assert found["moved to"] == "0::/service"


def test_an_older_kernel_holds_every_row_as_root(booted: Booted) -> None:
    found = booted("old-root", Order(ROWS, cgroups=False))
    assert found["landlock"] == 2
    assert found["chosen"] == "Bubblewrap"
    assert holes(found["strong"], "strong") == set()
    assert holes(found["degraded"], "degraded") == set()


def test_an_older_kernel_that_forbids_namespaces_gets_the_degraded_sandbox(booted: Booted) -> None:
    found = booted("old-user", Order(ROWS, user=USER, cgroups=False, settings=FORBIDDEN))
    assert "unavailable" in found["strong"]
    assert found["chosen"] == "Landlock"
    assert holes(found["degraded"], "container") == set()


def test_a_newer_kernel_that_forbids_namespaces_gets_the_degraded_sandbox(booted: Booted) -> None:
    order = Order(ROWS, user=USER, cgroups=False, settings=FORBIDDEN)
    found = booted("new-user", order, NEWER)
    assert found["landlock"] >= 6
    assert "unavailable" in found["strong"]
    assert found["chosen"] == "Landlock"
    assert holes(found["degraded"], "container") == set()


def test_debians_own_switch_against_namespaces_is_a_host_that_forbids_them(booted: Booted) -> None:
    settings = {"kernel.unprivileged_userns_clone": "0"}
    found = booted("debian-user", Order(ROWS, user=USER, cgroups=False, settings=settings), NEWER)
    assert "unavailable" in found["strong"]
    assert found["chosen"] == "Landlock"


def test_every_row_is_held_on_arm64(booted: Booted) -> None:
    found = booted("arm64", Order(ROWS, cgroups=False), ARM64)
    assert holes(found["strong"], "strong") == set()
    assert holes(found["degraded"], "degraded") == set()
