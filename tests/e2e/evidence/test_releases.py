"""Real bugs of real packages: the release that has it is the base, the next one the fix."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.evidence.harness import Coder, House, commit, end_of
from tests.e2e.evidence.releases import RELEASES, fetch, sources

pytestmark = [pytest.mark.needs_bubblewrap, pytest.mark.registry, pytest.mark.slow]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Where wheels are kept from one test run to the next."""
    return Path(request.config.cache.mkdir("releases"))


@pytest.mark.parametrize("name", RELEASES)
def test_only_the_next_release_completes(
    name: str, house: House, wheels: Path, tmp_path: Path
) -> None:
    release = RELEASES[name]
    try:
        buggy = sources(fetch(wheels, name, release.buggy))
        mended = sources(fetch(wheels, name, release.mended))
        for need in release.needs:
            buggy |= sources(fetch(wheels, *need.split("==")))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"REAL RELEASES NOT CHECKED: the package index gave no answer: {error.stderr}")
    repository = commit(tmp_path / name, {**buggy, "tests/test_base.py": release.base})
    fix = {path: text for path, text in mended.items() if buggy.get(path) != text}
    path, old, new = release.breaks
    after = mended.get(path, buggy[path])
    assert after.count(old) >= 1
    breaking = {**fix, path: after.replace(old, new)}
    expected = {
        "completed": Coder(files=fix),
        "failed - coder did not return code": Coder(),
        "failed - tests failed": Coder(release.wrong),
    }
    for end, coder in expected.items():
        state = house.run(release.issue, repository, coder, release.test)
        assert end_of(state) == end, state.get("feedback")
    state = house.run(release.issue, repository, Coder(files=breaking), release.test)
    assert end_of(state) == "failed - tests failed"
