"""Settings come from the environment and `.env`, are frozen, and keep their secrets."""

import stat
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from pydantic import ValidationError

from bot.bootstrap import Choices, pipeline_of
from bot.errors import Misconfigured
from bot.settings import Settings, service_table, settings_table
from bot.settings.kept import keep_app
from pipeline.sandbox.none import NoSandbox
from pipeline.verification.verifier import BOUNDS

KEY = "sk-secret-of-the-test"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in Settings.model_fields.values():
        for name in field.validation_alias.choices:  # type: ignore[union-attr]
            monkeypatch.delenv(str(name), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


def dotenv(text: str) -> None:
    Path(".env").write_text(text)


def test_nothing_set_is_fine() -> None:
    settings = Settings.load()
    assert (settings.max_iterations, settings.openai_api_key) == (3, None)
    assert settings.github_api_url == "https://api.github.com"


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    dotenv("ACP_MAX_ITERATIONS=7\nACP_MAX_TOKENS=100\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("ACP_MAX_ITERATIONS", "5")
    settings = Settings.load()
    assert (settings.max_iterations, settings.max_tokens) == (5, 100)


def test_both_names_of_the_gemini_key_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    assert Settings.load().secrets() == (KEY,)
    monkeypatch.setenv("GOOGLE_API_KEY", "the-first")
    assert Settings.load().secrets() == ("the-first",)


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv("ACP_MAX_TOKENS", "")
    assert (Settings.load().openai_api_key, Settings.load().max_tokens) == (None, None)


def test_a_secret_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    settings = Settings.load()
    assert KEY not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings.load().max_iterations = 9


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "ACP_MAX_ITERATIONS",
            "many",
            "ACP_MAX_ITERATIONS is wrong: input should be a valid integer",
        ),
        ("ACP_MAX_ITERATIONS", "0", "ACP_MAX_ITERATIONS is wrong: input should be greater than"),
        ("ACP_MAX_SECONDS", "-1", "ACP_MAX_SECONDS is wrong: input should be greater than 0"),
        ("JIRA_BASE_URL", "acme.atlassian.net", "JIRA_BASE_URL is wrong: must start with https://"),
        (
            "GOOGLE_GEMINI_BASE_URL",
            "gemini.example",
            "GOOGLE_GEMINI_BASE_URL is wrong: must start with https://",
        ),
    ],
)
def test_a_wrong_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as caught:
        Settings.load()
    assert str(caught.value).startswith(sentence)
    assert value not in str(caught.value).removeprefix(sentence)


def test_a_file_that_is_no_text_is_named() -> None:
    Path(".env").write_bytes(b"A=\xff\xfe")
    with pytest.raises(Misconfigured, match=r"\.env cannot be read"):
        Settings.load()


@pytest.mark.parametrize(
    ("key", "address"),
    [
        ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
        ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        ("GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
        ("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
        ("GITHUB_TOKEN", "GITHUB_API_URL"),
        ("JIRA_API_TOKEN", "JIRA_BASE_URL"),
    ],
)
def test_a_file_cannot_say_where_a_key_of_the_environment_goes(
    monkeypatch: pytest.MonkeyPatch, key: str, address: str
) -> None:
    monkeypatch.setenv(key, KEY)
    dotenv(f"{address}=https://evil.example\n")
    with pytest.raises(Misconfigured, match=f"sets {address} while the key"):
        Settings.load()
    monkeypatch.setenv(address, "https://good.example")
    assert "evil" not in repr(Settings.load())


def test_a_key_and_its_address_may_both_be_in_the_file() -> None:
    dotenv(f"OPENAI_API_KEY={KEY}\nOPENAI_BASE_URL=https://my.example/v1\n")
    assert Settings.load().openai_base_url == "https://my.example/v1"


def test_the_table_has_a_row_for_every_setting() -> None:
    table = settings_table()
    assert table.splitlines()[:3] == snapshot(
        [
            "| Variable | What it sets | Default |",
            "| --- | --- | --- |",
            "| `OPENAI_API_KEY` | Key for OpenAI |  |",
        ]
    )
    assert "| `GOOGLE_API_KEY` or `GEMINI_API_KEY` | Key for Gemini |  |\n" in table
    assert "| `ACP_MAX_SECONDS` | Wall time of a run, in seconds | `3600` |\n" in table
    rows = [line for line in (table + service_table()).splitlines() if line.startswith("| `")]
    assert len(rows) == len(Settings.model_fields)


def test_the_reference_of_settings_is_generated() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/settings.md").read_text("utf-8")
    between = page.partition("checked by a test -->\n")[2].partition("<!-- settings end")[0]
    assert between == service_table(), "put the output of bot.settings.service_table() there"


def keep(directory: Path, api_url: str = "https://api.github.com") -> Path:
    return keep_app(directory, app_id=7, pem="PEM", secret="s3cret-$HOME", api_url=api_url)


def test_what_setup_kept_is_read_below_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACP_DATA_DIR", "data")
    keep(Path("data"))
    settings = Settings.load()
    assert (settings.github_app_id, settings.app_key()) == ("7", "PEM")
    assert settings.webhook_secrets() == (b"s3cret-$HOME",)
    assert settings.missing_for_app() == ()
    dotenv("ACP_GITHUB_APP_ID=8\n")
    assert Settings.load().github_app_id == "8"
    monkeypatch.setenv("ACP_GITHUB_APP_ID", "9")
    assert Settings.load().github_app_id == "9"


def test_what_setup_keeps_is_for_its_owner_alone() -> None:
    kept = keep(Path("data"))
    assert [stat.S_IMODE(one.stat().st_mode) for one in sorted(Path("data").iterdir())] == [
        0o600
    ] * 2
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_a_file_cannot_lead_the_kept_key_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACP_DATA_DIR", "data")
    keep(Path("data"))
    dotenv("GITHUB_API_URL=https://evil.example\n")
    with pytest.raises(Misconfigured, match="was set up for another"):
        Settings.load()
    dotenv("GITHUB_API_URL=https://api.github.com\n")
    assert Settings.load().github_app_id == "7"


@pytest.mark.parametrize("key", ["GITHUB_TOKEN", "ACP_GITHUB_PRIVATE_KEY"])
def test_a_kept_address_gets_no_key_but_its_own(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv(key, KEY)
    keep(Path("data"), "https://evil.example/api/v3")
    dotenv("ACP_DATA_DIR=data\n")
    with pytest.raises(Misconfigured, match=f"and {key} would be sent there"):
        Settings.load()
    monkeypatch.setenv("GITHUB_API_URL", "https://good.example")
    assert Settings.load().github_api_url == "https://good.example"


def test_nothing_but_the_app_is_read_from_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    kept = keep(Path("data"))
    kept.write_text(kept.read_text() + "OPENAI_BASE_URL=https://evil.example\nACP_PORT=1\n")
    dotenv("ACP_DATA_DIR=data\n")
    settings = Settings.load()
    assert (settings.openai_base_url, settings.port) == (None, 8080)
    assert settings.github_app_id == "7"


@pytest.mark.parametrize("value", ["one", "1;2", "9" * 20])
def test_bots_are_listed_by_id(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ACP_ALLOWED_BOTS", " 49699333, 7")
    assert Settings.load().allowed_bots == {49699333, 7}
    monkeypatch.setenv("ACP_ALLOWED_BOTS", value)
    with pytest.raises(Misconfigured, match="ACP_ALLOWED_BOTS is wrong: must be ids"):
        Settings.load()


def test_a_key_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACP_GITHUB_PRIVATE_KEY_FILE", "/no/key.pem")
    with pytest.raises(Misconfigured, match=r"/no/key\.pem cannot be read"):
        Settings.load().app_key()


def test_what_the_app_lacks_is_named() -> None:
    assert Settings.load().missing_for_app() == snapshot(
        ("ACP_GITHUB_APP_ID", "ACP_GITHUB_PRIVATE_KEY", "ACP_GITHUB_WEBHOOK_SECRET")
    )


def test_how_long_tests_may_take_is_the_operators_to_say() -> None:
    settings = Settings.model_validate({"ACP_TESTS_SECONDS": "30.5", "ACP_TESTS_PARTIAL": "true"})
    bounds = pipeline_of(settings, Choices(), NoSandbox()).bounds
    assert (bounds.each.wall_s, bounds.each.cpu_s, bounds.partial) == (30.5, 61, True)
    assert pipeline_of(Settings.model_validate({}), Choices(), NoSandbox()).bounds == BOUNDS
