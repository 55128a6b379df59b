"""What the watchdog and the launcher see of a process that ends while they look."""

from __future__ import annotations

import subprocess

from pipeline.sandbox import launcher, watchdog


def test_a_process_that_has_ended_has_no_children_and_is_no_error() -> None:
    with subprocess.Popen(["/bin/true"]) as process:
        process.wait()
    assert watchdog._below(process.pid) == [process.pid]
    assert launcher._children(process.pid) == []
