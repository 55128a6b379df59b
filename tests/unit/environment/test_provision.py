"""Set-ups in the real sandbox on a machine that reaches no registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.environment.blocked import Why
from pipeline.environment.build import Builder, SetUpFailed
from pipeline.environment.guide import Guide
from pipeline.environment.interpreters import choose, installed
from pipeline.environment.plan import Plan, Recipe
from pipeline.environment.provision import Base, Provisioner
from pipeline.environment.registries import Registries
from pipeline.environment.supply import Supply, supplied, tenant_of
from pipeline.environment.workbench import Workbench
from pipeline.verification.decide import decide
from tests.unit.environment.providing import Based, Folder, Machine, written
from tests.unit.verification.judging import CALC, TRUE_FIX, court, strongest

MAKE = {"Makefile": "test:\n\ttest -f there\n", "there": ""}


@pytest.fixture
def room(tmp_path: Path) -> Path:
    tmp_path.chmod(0o711)
    return tmp_path


@pytest.fixture
async def machine(room: Path) -> Machine:
    return Machine.offline(await strongest(), room)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return written(tmp_path / "source", MAKE)


async def test_what_needs_nothing_is_not_set_up(machine: Machine, folder: Folder) -> None:
    run = await machine.suite(machine.base(folder))
    assert (run.problem, run.counts, run.command) == ("", {"passed": 1}, "make test")
    assert not (machine.room / "kept").exists()


async def test_a_failing_command_is_one_failing_test(machine: Machine, tmp_path: Path) -> None:
    folder = written(tmp_path / "other", {"Makefile": "test:\n\t@echo seen; false\n"})
    run = await machine.suite(machine.base(folder))
    assert (run.problem, run.counts) == ("", {"failed": 1})
    assert "seen" in run.results["make test"].message


async def test_lines_of_the_repository_are_run_once(machine: Machine, folder: Folder) -> None:
    base = machine.base(folder, 'echo made > "$VIRTUAL_ENV/made"')
    assert (await machine.suite(base)).counts == {"passed": 1}
    (one,) = (machine.room / "kept").glob("*/*/env/made")
    stamp = one.stat().st_mtime_ns
    assert (await machine.suite(base)).counts == {"passed": 1}
    assert one.stat().st_mtime_ns == stamp


async def test_a_failed_set_up_tells_its_last_lines_and_verifies_nothing(
    machine: Machine, folder: Folder
) -> None:
    base = machine.base(folder, "echo before; echo 'no compiler' >&2; exit 3", "echo never")
    environment = await machine.tried(base)
    assert "the environment could not be set up from the setup lines" in environment.problem
    assert "failed (exit code 3)\nbefore\nno compiler" in environment.problem
    assert "never" not in environment.problem
    run = await machine.suite(base)
    assert (run.results, run.problem) == ({}, environment.problem)
    assert list((machine.room / "kept").glob("*/*/")) == []


async def test_a_change_is_never_passed_by_a_failed_set_up(machine: Machine) -> None:
    folder = written(machine.room / "calc", CALC)
    broken = await machine.tried(machine.base(folder, "exit 1"))
    async with court(machine.room, environment=broken) as it:
        evidence = await it.judge(TRUE_FIX)
    verdict = decide(evidence)
    assert (verdict.passed, verdict.reason) == (False, "not verified")
    assert "`exit 1` failed" in verdict.feedback


async def test_what_a_set_up_asked_for_and_may_not_reach_is_told(
    machine: Machine, folder: Folder
) -> None:
    fetch = "import urllib.request as u; u.urlopen('https://evil.example/')"
    ask = f'python3 -c "{fetch}" 2>/dev/null || true'
    metadata = ask.replace("evil.example", "169.254.169.254")
    environment = await machine.tried(machine.base(folder, ask, metadata))
    assert environment.problem == ""
    (note,) = environment.notes
    assert "evil.example:443 (not a registry)" in note
    assert "169.254.169.254:443 (an address instead of a name)" in note
    failed = await machine.tried(machine.base(folder, ask, "false"))
    assert "It asked for what a set-up may not reach: evil.example:443" in failed.problem


async def test_what_was_blocked_is_told_with_the_mend_of_who_has_settings(
    machine: Machine, folder: Folder
) -> None:
    fetch = "import urllib.request as u; u.urlopen('https://evil.example/')"
    line = f'python3 -c "{fetch}" 2>/dev/null || true'
    known = Provisioner(machine.room / "kept", mends={Why.UNKNOWN: "say TRUST"})
    knowing = Machine(machine.sandbox, known, machine.room)
    for ask in (knowing, machine, knowing):
        (note,) = (await ask.tried(machine.base(folder, line))).notes
        assert ("(not a registry: say TRUST)" in note) == (ask is knowing)
    failed = await knowing.tried(machine.base(folder, line, "false"))
    assert "evil.example:443 (not a registry: say TRUST)" in failed.problem


async def test_run_has_no_network_and_cannot_change_the_environment(
    machine: Machine, folder: Folder
) -> None:
    base = machine.base(folder, 'echo made > "$VIRTUAL_ENV/made"')
    assert (await machine.suite(base)).problem == ""
    (made,) = (machine.room / "kept").glob("*/*/env/made")
    said = await machine.command(base, f"cat {made}; echo changed > {made}; env | grep -i proxy")
    assert said.text.startswith("made\n")
    assert "Read-only file system" in said.text
    assert "http" not in said.text
    assert made.read_text() == "made\n"


async def test_a_set_up_sees_neither_our_variables_nor_what_stands_beside_its_folder(
    machine: Machine, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACP_TEST_SECRET", "s3cret")
    line = 'env | grep -c s3cret; ls "$VIRTUAL_ENV/../.." ; exit 1'
    environment = await machine.tried(machine.base(folder, line))
    shown = environment.problem.splitlines()[1:]
    assert shown[0] == "0"
    assert set(shown[1:]) <= {"bin", "box"}


HOSTILE = {
    "another interpreter": "cd $VIRTUAL_ENV/bin; rm python; ln -s /etc/passwd python",
    "a file for an interpreter": "cd $VIRTUAL_ENV/bin; rm python; echo x > python",
    "a link for the folder": "rm -r $VIRTUAL_ENV; ln -s /etc $VIRTUAL_ENV",
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
async def test_what_a_set_up_puts_in_the_place_of_ours_is_refused(
    machine: Machine, tmp_path: Path, line: str
) -> None:
    folder = written(tmp_path / "python", {"setup.py": "", "tests/test_x.py": ""})
    environment = await machine.tried(machine.base(folder, line, test="true"))
    assert "the set-up has put" in environment.problem
    shown = {str(mount.source) for mount in environment.read_only}
    assert "/etc" not in shown
    assert "/etc/passwd" not in shown


async def test_no_directory_of_the_host_is_shown_as_node_modules(
    machine: Machine, folder: Folder
) -> None:
    host = written(machine.room / "host", {"key": "s3cret"}).root
    base = machine.base(folder, f'ln -s {host} "$VIRTUAL_ENV/node_modules"')
    environment = await machine.tried(base)
    assert "something else in the place of node_modules" in environment.problem
    # One that an earlier release has kept.
    assert (await machine.suite(machine.base(folder, "true"))).problem == ""
    (env,) = (machine.room / "kept").glob("*/*/env")
    (env / "node_modules").symlink_to(host)
    said = await machine.command(machine.base(folder, "true"), "cat node_modules/key")
    assert "s3cret" not in said.text


async def test_no_directory_of_the_host_is_moved_into_an_environment(machine: Machine) -> None:
    host = written(machine.room / "host", {"node_modules/key": "s3cret"}).root
    folder = written(machine.room / "source", {"web/Makefile": "test:\n\ttrue\n"})
    line = f"cd .. && rm -r web && ln -s {host} web"
    environment = await machine.tried(Base(folder, "", Recipe("web", (line,))))
    assert "something else in the place of node_modules" in environment.problem
    assert (host / "node_modules" / "key").read_text() == "s3cret"


async def test_a_python_that_is_not_here_is_named(machine: Machine, tmp_path: Path) -> None:
    text = '[build-system]\n[project]\nname = "x"\nrequires-python = ">=3.99"\n'
    folder = written(tmp_path / "new", {"pyproject.toml": text})
    environment = await machine.tried(machine.base(folder))
    assert "asks for Python >=3.99" in environment.problem


async def test_a_tool_that_is_not_here_is_named(machine: Machine, folder: Folder) -> None:
    interpreter = choose("", installed())
    bench = Workbench(machine.room, interpreter, Registries())
    plan = Plan("java", "pom.xml", programs=("sh", "acp-no-such-tool"))
    build = Builder(plan, bench, Guide(Registries()), machine.sandbox, lambda _: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(SetUpFailed, match="needs acp-no-such-tool, which is not in /usr/local"):
        await build()


async def test_what_is_at_hand_goes_before_a_set_up(machine: Machine, tmp_path: Path) -> None:
    folder: Any = written(tmp_path / "mine", CALC)
    supply = Supply(machine.provisioner)
    from pipeline.environment.interpreter import own_base

    async with supplied(supply, machine.sandbox, folder, None, own_base()) as environment:
        assert environment.label.startswith("Python ")
    assert not (machine.room / "kept").exists()


async def test_the_base_itself_can_say_how_it_is_set_up(machine: Machine, room: Path) -> None:
    folder: Any = written(room / "told", {**MAKE, ".github/acp.yml": "exit 4"})

    def reads(data: bytes) -> tuple[Recipe, ...]:
        return (Recipe(setup=(data.decode(),)),)

    supply = Supply(machine.provisioner, reads=reads)
    async with supplied(supply, machine.sandbox, Based(folder.root), None, None) as environment:
        assert "`exit 4` failed (exit code 4)" in environment.problem


@pytest.mark.parametrize(
    ("repo", "tenant"),
    [
        ("https://github.example/Acme/shop.git", "github.example:/acme"),
        ("https://github.example/acme/other", "github.example:/acme"),
        ("https://gitlab.example:8443/a/b/c", "gitlab.example:8443/a/b"),
        ("", ""),
    ],
)
def test_environments_are_shared_by_the_repositories_of_one_owner(repo: str, tenant: str) -> None:
    assert tenant_of(repo) == tenant
