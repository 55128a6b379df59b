"""What is shown inside comes from an allow-list, and mounts inside mounts stay visible."""

from __future__ import annotations

from pathlib import Path

from pipeline.sandbox.base import Limits, Mount, Spec
from pipeline.sandbox.layout import confined, view


def test_the_host_is_shown_only_in_named_parts() -> None:
    args = view(
        Spec(Path("/srv/tree"), (Mount(Path("/opt/python")),)), Limits(), {"/etc/passwd": 9}
    )
    bound = [args[i + 1] for i, word in enumerate(args) if word in {"--ro-bind", "--bind"}]
    assert "/srv/tree" in bound
    assert "/opt/python" in bound
    allowed = ("/usr", "/lib", "/bin", "/sbin", "/etc/", "/srv/tree", "/opt/python")
    assert all(path.startswith(allowed) for path in bound)
    assert args[-2:] == ["--remount-ro", "/"]


def test_an_outer_mount_comes_before_the_one_inside_it() -> None:
    inner, outer = Mount(Path("/a/b/c"), "/t/inner"), Mount(Path("/z"), "/t")
    args = view(Spec(Path("/srv/tree"), (inner, outer)), Limits(), {})
    assert args.index("/z") < args.index("/a/b/c")


def test_variables_come_after_the_last_program_with_rights() -> None:
    words = confined(["run"], {"LD_PRELOAD": "x"}, 61000)
    assert words.index("LD_PRELOAD=x") > words.index("/usr/bin/setpriv")
    assert words[-1] == "run"
    assert "/usr/bin/setpriv" not in confined(["run"], {}, None)
