"""Where our own group is, and which one is left to us to divide."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.bubblewrap import Bubblewrap
from pipeline.sandbox.cgroup import delegated, own_group

UNIFIED = "25 20 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID = (
    "24 20 0:20 / /sys/fs/cgroup ro shared:3 - tmpfs tmpfs ro\n"
    "26 24 0:23 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "25 24 0:22 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw\n"
)
# A directory of the tree that was mounted as a whole one, as in a container.
PART = "25 20 0:22 /docker/3f1c /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n"


@pytest.mark.parametrize(
    ("groups", "mounts", "place"),
    [
        ("0::/\n", UNIFIED, "/sys/fs/cgroup"),
        ("0::/system.slice/acp.service\n", UNIFIED, "/sys/fs/cgroup/system.slice/acp.service"),
        ("4:memory:/x\n0::/user.slice\n", HYBRID, "/sys/fs/cgroup/unified/user.slice"),
        ("0::/docker/3f1c/inner\n", PART, "/sys/fs/cgroup/inner"),
    ],
)
def test_our_own_group_is_found_where_the_tree_is_mounted(
    groups: str, mounts: str, place: str
) -> None:
    assert own_group(groups, mounts) == Path(place)


def test_an_older_tree_is_none_of_ours() -> None:
    assert own_group("4:memory:/x\n", UNIFIED) is None
    assert own_group("0::/\n", "26 24 0:23 / /sys/fs/cgroup/memory rw - cgroup cgroup rw\n") is None


async def test_a_named_group_that_cannot_be_used_stops_us_with_its_mend(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu io pids\n")
    with pytest.raises(SandboxUnavailable, match=r"no controllers memory.*start this program"):
        await delegated(tmp_path)
    with pytest.raises(SandboxUnavailable, match=r"No such file"):
        await Bubblewrap(cgroup=tmp_path / "nowhere").probe()


async def test_a_directory_that_is_no_group_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("memory pids\n")
    with pytest.raises(SandboxUnavailable, match="cannot be used"):
        await delegated(tmp_path)


def here() -> Path | None:
    own = Path("/proc/self")
    return own_group((own / "cgroup").read_text(), (own / "mountinfo").read_text())


async def test_without_its_controllers_the_tree_is_left_alone() -> None:
    place = here()
    if place and "memory" in (place / "cgroup.controllers").read_text().split():
        pytest.skip("this machine's tree has its controllers")
    assert await delegated() is None
    assert place is None or not list(place.glob("acp-*"))
