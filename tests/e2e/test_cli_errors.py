"""Whatever goes wrong before a run ends in one sentence that says what to do, and in code 2."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BARE = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
KEY = "sk-secret-of-the-test"
NOBODY = "http://127.0.0.1:9"
HEAVY = {
    *("openai", "anthropic", "google.genai", "github", "jira", "git", "pydantic", "jinja2"),
    *("requests", "httpx", "asyncio", "sqlalchemy", "fastapi", "starlette"),
    "pipeline.orchestrator",
}


def acp(*args: str, stdin: str = "", cwd: Path | None = None, **env: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", *args],
        env=BARE | env,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert KEY not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def refusal(*args: str, **more: object) -> str:
    """The one sentence of a run that was refused."""
    code, out, err = acp("run", *args, **more)  # type: ignore[arg-type]
    assert (code, out) == (2, "")
    said = [line for line in err.splitlines() if line.startswith("acp: ")]
    assert len(said) == 1
    return said[0].removeprefix("acp: ")


def test_help_shows_examples_and_loads_nothing_heavy() -> None:
    probe = (
        "import sys\n"
        "from bot.entrypoints.cli import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.exit(repr(sorted({HEAVY!r} & set(sys.modules))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], env=BARE, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "[]"
    assert "--sandbox {auto,none}" in done.stdout
    code, out, _ = acp("--help")
    assert (code, "examples:" in out) == (0, True)


def test_the_version_is_told() -> None:
    code, out, _ = acp("--version")
    assert code == 0
    assert out.startswith("acp ")


@pytest.mark.parametrize(
    "args",
    [
        ("--max-iterations", "0"),
        ("--max-tokens", "many"),
        ("--max-seconds", "inf"),
        ("--model", "gpt"),
        ("--sandbox", "maybe"),
        ("--nonsense",),
    ],
)
def test_a_wrong_flag_is_a_usage_error(args: tuple[str, ...]) -> None:
    code, out, err = acp("run", *args, "task")
    assert (code, out) == (2, "")
    assert err.startswith("usage: acp")


def test_no_command_shows_the_help() -> None:
    assert acp()[0] == 2


def test_no_task() -> None:
    assert refusal() == "there is no task; give a text, --github owner/repo#7 or --jira KEY-1"


def test_an_empty_task_from_stdin() -> None:
    assert refusal("-", stdin=" \n") == "the task is empty; write what is to be done"


def test_a_missing_key_names_every_variable(patient: Path) -> None:
    said = refusal("--repo", str(patient), "--sandbox", "none", "Fix it")
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"):
        assert name in said


def test_missing_git(patient: Path, tmp_path: Path) -> None:
    said = refusal("--repo", str(patient), "Fix it", PATH=str(tmp_path / "empty"))
    assert said.startswith("git is not installed: install git")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    assert "does not exist: give a repository's directory" in refusal(
        "--repo", str(tmp_path / "no"), "Fix it"
    )


def test_an_empty_repo_flag_is_not_taken_for_no_repository() -> None:
    assert "neither a URL nor a path" in refusal("--repo", "", "Fix it")


def test_a_file_is_not_a_directory(patient: Path) -> None:
    said = refusal("--repo", str(patient / "README.md"), "Fix it")
    assert said.endswith("is not a directory; give the directory of the repository")


def test_a_directory_without_a_repository(tmp_path: Path) -> None:
    assert "is not in a git repository: run 'git init'" in refusal(
        "--repo", str(tmp_path), "Fix it"
    )


def test_a_repository_without_commits(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert "has no commits yet: make a first commit" in refusal("--repo", str(tmp_path), "Fix it")


def test_an_unreachable_url() -> None:
    said = refusal("--repo", f"{NOBODY}/a/b.git", "--sandbox", "none", "x", OPENAI_API_KEY=KEY)
    assert "127.0.0.1:9" in said


def test_a_url_with_a_password_is_refused_and_not_repeated() -> None:
    assert "leave out the part before '@'" in refusal(
        "--repo", f"https://me:{KEY}@github.com/acme/shop", "Fix it"
    )


def test_a_reference_that_is_none() -> None:
    assert "is not an issue; write owner/repo#7" in refusal("--github", "acme/shop")
    assert "is not a Jira issue; write KEY-1" in refusal("--jira", "shop")


def test_an_unreachable_github_does_not_tell_the_token() -> None:
    said = refusal("--github", "acme/shop#7", GITHUB_API_URL=NOBODY, GITHUB_TOKEN=KEY)
    assert said.startswith(f"{NOBODY} cannot be reached")


def test_jira_without_set_up_names_what_is_missing() -> None:
    said = refusal("--jira", "SHOP-1", JIRA_EMAIL="me@acme.com")
    assert said == "reading from Jira needs JIRA_BASE_URL, JIRA_API_TOKEN; set what is missing"


def test_an_unreachable_jira_does_not_tell_the_token() -> None:
    said = refusal(
        "--jira", "SHOP-1", JIRA_BASE_URL=NOBODY, JIRA_EMAIL="me@acme.com", JIRA_API_TOKEN=KEY
    )
    assert said.startswith(f"{NOBODY} cannot be reached")


def test_an_unknown_seat_and_an_unknown_vendor() -> None:
    some = ("--sandbox", "none", "Fix it")
    assert "there are gpt, claude, tests, qa" in refusal("--model", "cook=openai:x", *some)
    assert "VENDOR:MODEL" in refusal("--model", "gpt=acme:x", *some)


def test_an_interpreter_that_is_not_there() -> None:
    said = refusal("--python", "/no/python", "--sandbox", "none", "Fix it")
    assert said == "--python /no/python is not there; give the path of an interpreter"


def test_a_wrong_setting_is_named() -> None:
    assert refusal("Fix it", ACP_MAX_ITERATIONS="many").startswith("ACP_MAX_ITERATIONS is wrong")


def test_a_foreign_env_file_cannot_lead_a_key_astray(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"OPENAI_BASE_URL={NOBODY}\n")
    said = refusal("Fix it", cwd=tmp_path, OPENAI_API_KEY=KEY)
    assert said.startswith(".env sets OPENAI_BASE_URL while the key for it")


def test_uncommitted_changes_are_warned_of_and_no_isolation_is_said_plainly(patient: Path) -> None:
    (patient / "README.md").write_text("being worked on")
    code, _, err = acp("run", "--repo", str(patient), "--sandbox", "none", "Fix it")
    assert code == 2
    assert "warning: uncommitted changes are not part of the base" in err
    assert "warning: --sandbox none: commands of models and tests run with your rights" in err


def test_the_repository_around_is_not_assumed(patient: Path) -> None:
    _, _, err = acp("run", "--sandbox", "none", "Fix it", cwd=patient)
    assert "starting from an empty tree; to work on the repository of this directory" in err


@pytest.mark.parametrize("args", [("Fix it",), ("--github", "nonsense")])
def test_machines_always_get_a_last_line(args: tuple[str, ...]) -> None:
    code, out, _ = acp("run", "--json", "--sandbox", "none", *args)
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["status"], last["exit_code"], code) == ("done", "error", 2, 2)
    assert last["reason"]


def test_debug_shows_where_it_happened(make_repository: Callable[..., Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "run", "--debug", "--github", "nonsense"],
        env=BARE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("acp: 'nonsense' is not an issue")
