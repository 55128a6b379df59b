"""What every backend promises about commands: how they start, what they see, how they end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import SandboxError, UnsafePath
from pipeline.sandbox.base import Limits, Mount, Sandbox, Spec

if TYPE_CHECKING:
    from tests.contract.sandbox.conftest import Box, Opener

Limited = Callable[..., Limits]


async def test_the_probe_names_the_backend_and_what_it_holds_back(sandbox: Sandbox) -> None:
    caps = await sandbox.probe()
    grades = {"none": "none", "bubblewrap": "strong", "landlock": "degraded"}
    assert caps.grade == grades.get(caps.backend, caps.grade)
    assert caps.net == ("open" if caps.backend == "none" else "none")
    assert caps.backend in caps.describe()


async def test_the_exit_code_is_the_commands_own(box: Box) -> None:
    result = await box.sh("echo hello; exit 7")
    assert (result.code, result.signal, result.reason) == (7, None, "exit")
    assert (result.output, result.output_bytes, result.ok) == (b"hello\n", 6, False)


async def test_a_signal_is_told_from_an_exit(box: Box) -> None:
    result = await box.sh("kill -SEGV $$")
    assert (result.code, result.signal, result.reason) == (None, 11, "killed")


async def test_stdout_and_stderr_come_in_the_order_they_were_written(box: Box) -> None:
    result = await box.sh("echo one; echo two >&2; echo three")
    assert result.ok
    assert result.text == "one\ntwo\nthree\n"


async def test_standard_input_is_empty(box: Box) -> None:
    assert (await box.sh("cat; echo done")).output == b"done\n"


async def test_a_program_that_is_not_there_gives_127_as_in_a_shell(box: Box) -> None:
    result = await box.session.exec(["no-such-program"])
    assert (result.code, result.reason) == (127, "exit")
    assert "no-such-program" in result.text


async def test_a_program_that_cannot_be_run_gives_126(box: Box) -> None:
    await box.session.put("plain", b"text")
    assert (await box.session.exec([f"{box.session.workdir}/plain"])).code == 126


@pytest.mark.parametrize(
    ("argv", "env"), [([], {}), ([""], {}), (["echo", "a\0b"], {}), (["true"], {"A=B": "c"})]
)
async def test_a_command_that_cannot_be_passed_on_is_refused(
    box: Box, argv: list[str], env: dict[str, str]
) -> None:
    with pytest.raises(SandboxError):
        await box.session.exec(argv, env=env)


async def test_a_command_starts_in_the_directory_asked_for(box: Box) -> None:
    await box.session.put("a/b/file", b"")
    result = await box.session.exec(["/bin/sh", "-c", "pwd; ls"], cwd="a/b")
    assert result.text == f"{box.session.workdir}/a/b\nfile\n"
    assert (await box.sh("pwd")).text.strip() == box.session.workdir


async def test_a_directory_that_is_not_there_is_refused(box: Box) -> None:
    with pytest.raises(SandboxError, match="nowhere"):
        await box.session.exec(["true"], cwd="nowhere")


@pytest.mark.parametrize("cwd", ["..", "/", "link"])
async def test_a_directory_outside_the_tree_is_refused(box: Box, cwd: str) -> None:
    await box.session.put("link", b"/usr", 0o120000)
    with pytest.raises(UnsafePath):
        await box.session.exec(["true"], cwd=cwd)


async def test_the_environment_of_the_host_does_not_come_along(
    monkeypatch: pytest.MonkeyPatch, box: Box
) -> None:
    monkeypatch.setenv("ACP_CANARY", "secret")
    result = await box.session.exec(["/usr/bin/env"])
    names = {line.partition("=")[0] for line in result.text.splitlines()}
    assert names - {"GIT_CONFIG_NOSYSTEM"} == {"PATH", "HOME", "TMPDIR", "LANG"}


async def test_git_works_on_a_repository_of_its_own(box: Box) -> None:
    result = await box.sh("git init --quiet one && git -C one status --short && echo works")
    assert result.text == "works\n"


async def test_settings_of_the_session_and_of_the_command_arrive(
    opened: Opener, spec: Spec
) -> None:
    box = await opened(replace(spec, env={"A": "session", "B": "session"}))
    script = ["/bin/sh", "-c", "echo $A $B"]
    result = await box.session.exec(script, env={"B": "of the command"})
    assert result.text == "session of the command\n"


async def test_home_and_the_temporary_directory_can_be_written(box: Box) -> None:
    assert (await box.sh('touch "$HOME/a" "$TMPDIR/b" && mktemp')).ok


async def test_programs_of_the_session_come_first_on_the_path(opened: Opener, spec: Spec) -> None:
    tools = spec.tree.parent / "tools"
    tools.mkdir()
    (tools / "ls").write_text("#!/bin/sh\necho ours\n")
    (tools / "ls").chmod(0o755)
    box = await opened(replace(spec, read_only=(Mount(tools),), path=(str(tools),)))
    assert (await box.session.exec(["ls"])).text == "ours\n"


async def test_a_mount_that_is_not_there_is_refused(opened: Opener, spec: Spec) -> None:
    with pytest.raises(SandboxError, match="does not exist"):
        await opened(replace(spec, read_only=(Mount(spec.tree.parent / "missing"),)))


async def test_the_whole_host_is_never_shown(opened: Opener, spec: Spec) -> None:
    with pytest.raises(SandboxError, match="whole"):
        await opened(replace(spec, read_only=(Mount(spec.tree.parent / "/"),)))


async def test_the_wall_clock_ends_a_command(box: Box, limited: Limited) -> None:
    result = await box.sh("echo begun; sleep 300", limited(wall_s=0.5))
    assert (result.code, result.reason, result.signal) == (None, "timeout", 9)
    assert result.output == b"begun\n"
    assert result.wall_s < 30


async def test_the_wall_clock_also_ends_a_command_that_closed_its_output(
    box: Box, limited: Limited
) -> None:
    result = await box.sh("exec >&- 2>&-; sleep 300", limited(wall_s=0.5))
    assert result.reason == "timeout"


async def test_a_flood_of_output_ends_a_command(box: Box, limited: Limited) -> None:
    result = await box.sh("yes", limited(output_mb=1, keep_kb=4))
    assert (result.code, result.reason) == (None, "output")
    assert result.output_bytes > 1 << 20
    assert len(result.output) < 9000


async def test_both_ends_of_a_long_output_are_kept(box: Box, limited: Limited) -> None:
    result = await box.sh("echo FIRST; seq 100000; echo LAST", limited(keep_kb=1))
    assert result.ok
    assert result.output.startswith(b"FIRST\n1\n2\n")
    assert result.output.endswith(b"100000\nLAST\n")
    assert f"[... {result.output_bytes - 2048} bytes left out ...]" in result.text


async def test_output_is_handed_on_while_the_command_runs(box: Box) -> None:
    seen: list[bytes] = []
    script = ["/bin/sh", "-c", "echo one; sleep 0.2; echo two"]
    result = await box.session.exec(script, on_output=seen.append)
    assert b"".join(seen) == result.output
    assert seen[0] == b"one\n"


async def test_a_listener_that_fails_ends_the_command(box: Box) -> None:
    def broken(_: bytes) -> None:
        raise ZeroDivisionError

    script = ["/bin/sh", "-c", "exec 9>lock; flock 9; echo x; sleep 300"]
    with pytest.raises(ZeroDivisionError):
        await box.session.exec(script, on_output=broken)
    assert box.free()


async def test_a_child_left_in_the_background_does_not_outlive_its_command(box: Box) -> None:
    result = await box.sh("exec 9>lock; flock 9; sleep 300 & echo done")
    assert (result.output, result.reason) == (b"done\n", "exit")
    assert box.free()


async def test_cancelling_kills_everything_before_it_goes_on(box: Box) -> None:
    task = await box.holding()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert box.free()
    assert (await box.sh("echo next")).ok


async def test_cancelling_at_any_moment_of_the_start_leaves_nothing(box: Box) -> None:
    for delay in range(20):
        task = asyncio.create_task(box.sh("sleep 300 & sleep 300"))
        await asyncio.sleep(delay / 1000)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not box.processes()


async def test_closing_kills_what_runs_and_can_be_done_again(box: Box) -> None:
    task = await box.holding()
    await box.session.close()
    result = await task
    assert (result.code, result.reason) == (None, "killed")
    assert box.free()
    await box.session.close()
    with pytest.raises(SandboxError, match="closed"):
        await box.sh("true")


async def test_several_commands_run_at_once(box: Box) -> None:
    results = await asyncio.gather(*(box.sh(f"sleep 0.1; echo {n}") for n in range(8)))
    assert [result.text for result in results] == [f"{n}\n" for n in range(8)]
