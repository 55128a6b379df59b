"""`acp run`, then `replay`, `export` and `import` as real processes, the latter without a network.

An audit hook ends a process that as much as tries to reach out, or to start anything but git.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.entrypoints.cli import build_parser
from bot.entrypoints.cli_run import run
from pipeline.llm.scripted import ScriptedClient
from pipeline.recording import Recording
from tests.e2e.bot import scripts
from tests.e2e.conftest import git

ROOT = Path(__file__).parents[2]
ALONE = """
import sys

def watch(event, args):
    if event in {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"}:
        raise SystemExit(f"a replay reached out: {event} {args}")
    if event == "subprocess.Popen" and not str(args[0]).endswith("/git"):
        raise SystemExit(f"a replay started {args[0]}")

sys.addaudithook(watch)
from bot.entrypoints.cli import main
sys.exit(main(sys.argv[1:]))
"""


def alone(here: Path, *words: str) -> tuple[int, str, str]:
    """`acp` in a directory, with a data directory there, no keys and no network."""
    variables = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *words],
        env={**variables, "HOME": str(here), "ACP_DATA_DIR": str(here / "data")},
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """The journal of a run whose repository is gone; beside it, `change.diff` as it was printed."""
    there = tmp_path / "there"
    for name, text in scripts.FILES.items():
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_text(text)
    git(there, "init", "-q", "-b", "main")
    git(there, "add", "-A")
    git(there, "commit", "-q", "-m", "base")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACP_DATA_DIR", str(tmp_path / "first"))
    kept = tmp_path / "kept.acp-journal"
    words = ["run", "--repo", str(there), "--sandbox", "none", "--no-tests", "--diff"]
    task = f"{scripts.TITLE}\n\n{scripts.BODY}"
    arguments = build_parser().parse_args([*words, "--journal", str(kept), task])
    script = scripts.mended(scripts.call("run", command="date +%N > made.txt"), keep=["made.txt"])
    assert run(arguments, {s: ScriptedClient(turns) for s, turns in script.items()}) == 0
    (tmp_path / "change.diff").write_text(capsys.readouterr().out)
    shutil.rmtree(there)
    return kept


def test_a_run_is_replayed_elsewhere_without_network_byte_for_byte(file: Path) -> None:
    elsewhere = file.parent / "elsewhere"
    elsewhere.mkdir()
    code, out, err = alone(elsewhere, "replay", "--diff", str(file))
    assert code == 0, err
    assert out == (file.parent / "change.diff").read_text()
    assert "+++ b/made.txt" in out
    assert "REPLAY      of run" in err
    assert "spent when it was recorded, nothing now" in err
    assert "the result is the same as the recorded one, byte for byte" in err

    code, out, err = alone(elsewhere, "replay", "--json", str(file))
    lines = [json.loads(line) for line in out.splitlines()]
    name = Recording.from_bytes(file.read_bytes()).name
    assert (code, lines[0]["replay_of"], lines[-1]["replay_of"]) == (0, name, name)
    assert lines[-1]["same"] is True


def test_a_run_travels_in_one_file_and_is_known_where_it_arrives(file: Path) -> None:
    elsewhere = file.parent / "elsewhere"
    elsewhere.mkdir()
    name = Recording.from_bytes(file.read_bytes()).name
    code, out, err = alone(elsewhere, "import", str(file))
    assert (code, "imported, and never published" in out) == (0, True), err
    code, out, err = alone(elsewhere, "runs")
    assert f"{name}  " in out
    assert "imported (completed)  cost unknown" in out
    code, out, err = alone(elsewhere, "logs", name[-6:])
    assert "1.drafting.gpt.command.1" in out
    assert "\nSeat " in out
    code, out, err = alone(elsewhere, "replay", name[-6:])
    assert (code, "REPLAY of run" in out) == (0, True), err
    code, out, err = alone(elsewhere, "export", name, "-o", "again")
    assert (code, (elsewhere / "again").read_bytes()) == (0, file.read_bytes()), err
    code, out, err = alone(elsewhere, "export", name, "-o", "again")
    assert (code, "is there already" in err) == (2, True)


def test_a_replay_that_leads_elsewhere_shows_the_difference_and_fails(file: Path) -> None:
    said = Recording.from_bytes(file.read_bytes())
    entry = said.entries["run"]
    assert entry.reply is not None
    task = f"{entry.reply['task']} Be quick."
    facts = type(entry)(entry.digest, {**entry.reply, "task": task})
    other = Recording(
        said.name, said.at, said.source, {**said.entries, "run": facts}, said.base, said.last
    )
    file.write_bytes(other.to_bytes())
    code, out, err = alone(file.parent, "replay", str(file))
    assert (code, out) == (1, "")
    assert "the replay differs from the run" in err
    assert "+++ asked now" in err
    assert "Be quick." in err
    code, _, err = alone(file.parent, "replay", "nothing")
    assert (code, "there is no run nothing" in err) == (2, True)
