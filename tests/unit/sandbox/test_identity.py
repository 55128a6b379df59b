"""User ids are never shared: not in a process, not between processes, and they come back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import SandboxError
from pipeline.sandbox.identity import FIRST_UID, POOL_SIZE, acquire

OTHER = """
import sys
from pathlib import Path
from pipeline.sandbox.identity import acquire
print(acquire(Path(sys.argv[1])).uid, flush=True)
sys.stdin.read()
"""


def test_an_id_is_free_again_after_its_release(tmp_path: Path) -> None:
    first, second = acquire(tmp_path), acquire(tmp_path)
    assert (first.uid, second.uid) == (FIRST_UID, FIRST_UID + 1)
    first.release()
    third = acquire(tmp_path)
    assert third.uid == FIRST_UID
    second.release()
    third.release()


def test_two_processes_never_share_an_id_and_a_dead_one_holds_none(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OTHER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        theirs = int(other.stdout.readline())
        ours = acquire(tmp_path)
        assert {theirs, ours.uid} == {FIRST_UID, FIRST_UID + 1}
        other.kill()
    again = acquire(tmp_path)
    assert again.uid == theirs
    again.release()
    ours.release()


def test_when_all_are_taken_the_error_says_so(tmp_path: Path) -> None:
    held = [acquire(tmp_path) for _ in range(POOL_SIZE)]
    with pytest.raises(SandboxError, match="in use"):
        acquire(tmp_path)
    for identity in held:
        identity.release()
