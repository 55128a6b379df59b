"""How registries are reached, as the operator's variables say it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap.supplies import mends, supply_of
from bot.domain.repo_config import WrongConfig
from bot.errors import Misconfigured
from bot.settings import Settings
from pipeline.environment.plan import Recipe


def settings(**variables: str) -> Settings:
    return Settings(_env_file=None, **variables)  # type: ignore[call-arg, arg-type]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        for name in field.validation_alias.choices:  # type: ignore[union-attr]
            monkeypatch.delenv(str(name), raising=False)


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX"])
def test_the_index_of_the_operators_own_clients_is_used(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "https://mirror.example/simple")
    assert Settings.load().registries_of().python_index == "https://mirror.example/simple"


def test_what_is_set_for_us_goes_before_what_is_set_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://theirs.example/simple")
    monkeypatch.setenv("ACP_PYTHON_INDEX", "https://ours.example/simple")
    assert Settings.load().python_index == "https://ours.example/simple"


def test_a_password_in_an_index_is_forgotten_at_once_and_refused() -> None:
    found = settings(PIP_INDEX_URL="https://wanda:s3cret@mirror.example/simple")
    assert "s3cret" not in f"{found!r} {found.model_dump_json()}"
    with pytest.raises(Misconfigured, match="ACP_PYTHON_INDEX_PASSWORD to USER:PASSWORD"):
        found.registries_of()


def test_a_password_of_an_index_is_held_apart_and_shows_nowhere() -> None:
    found = settings(
        ACP_PYTHON_INDEX="https://pip.example/team/simple",
        ACP_PYTHON_INDEX_PASSWORD="wanda:s3cret",
        ACP_NPM_REGISTRY="https://npm.example",
        ACP_NPM_REGISTRY_PASSWORD="t0ken",
    )
    registries = found.registries_of()
    assert registries.keyring is not None
    python, npm = (registries.keyring.of(f"{name}.example", 443) for name in ("pip", "npm"))
    assert python is not None
    assert npm is not None
    assert (python.below, npm.header) == ("/team/", "Bearer t0ken")
    shown = f"{found!r} {found.model_dump_json()} {registries!r} {registries.variables(Path())}"
    assert not any(secret in shown for secret in ("s3cret", "t0ken", python.header))


def test_the_operators_proxy_is_gone_through_and_its_password_does_not_show() -> None:
    found = settings(HTTPS_PROXY="http://wanda:s3cret@proxy.example:3128")
    upstream = found.registries_of().upstream
    assert upstream is not None
    assert (upstream.host, upstream.port) == ("proxy.example", 3128)
    assert "s3cret" not in f"{found!r} {found.registries_of()!r} {found.model_dump_json()}"


@pytest.mark.parametrize(
    ("variables", "mend"),
    [
        ({"HTTPS_PROXY": "socks5://proxy.example"}, "set ACP_HTTPS_PROXY"),
        ({"ACP_NPM_REGISTRY": "http://npm.example"}, "set ACP_NPM_REGISTRY"),
        ({"ACP_GO_PROXY": "direct,http://go.example"}, "set ACP_GO_PROXY"),
        ({"ACP_PYTHON_INDEX_PASSWORD": "a:b"}, "set ACP_PYTHON_INDEX to its address"),
        (
            {"ACP_NPM_REGISTRY": "https://npm.example", "ACP_NPM_REGISTRY_PASSWORD": "a:b\r\nX: y"},
            "ACP_NPM_REGISTRY_PASSWORD must be USER:PASSWORD",
        ),
        ({"ACP_REGISTRY_NETWORKS": "ten"}, "ACP_REGISTRY_NETWORKS"),
        ({"SSL_CERT_FILE": "/nowhere.pem"}, "set ACP_CERTIFICATES"),
    ],
)
def test_a_mistake_is_refused_with_its_mend(variables: dict[str, str], mend: str) -> None:
    with pytest.raises(Misconfigured, match=mend):
        settings(**variables).registries_of()


def test_hosts_and_networks_are_lists() -> None:
    found = settings(
        ACP_REGISTRIES="go.example, crates.example:8443", ACP_REGISTRY_NETWORKS="10.0.0.0/8"
    ).registries_of()
    assert found.hosts == ("go.example", "crates.example:8443")
    assert found.networks == ("10.0.0.0/8",)


def test_on_the_command_line_the_repository_can_say_it_too(tmp_path: Path) -> None:
    supply = supply_of(settings(ACP_DATA_DIR=str(tmp_path)), ())
    assert supply is not None
    assert supply.reads is not None
    assert supply.reads(b"setup: [make deps]") == (Recipe(setup=("make deps",)),)
    with pytest.raises(WrongConfig, match="line 1, `setups`"):
        supply.reads(b"setups: []")


def test_set_ups_can_be_switched_off(tmp_path: Path) -> None:
    assert supply_of(settings(ACP_ENVIRONMENTS="off", ACP_DATA_DIR=str(tmp_path)), ()) is None
    assert supply_of(settings(ACP_DATA_DIR=str(tmp_path)), ()) is not None


def test_every_mend_of_what_was_blocked_is_a_setting() -> None:
    known = {name for field in Settings.model_fields.values() for name in _names(field)}
    said = {word.strip(",") for mend in mends().values() for word in mend.split()}
    assert {word for word in said if word.startswith("ACP_")} == {
        "ACP_REGISTRIES",
        "ACP_REGISTRY_NETWORKS",
    }
    assert {word for word in said if word.startswith("ACP_")} <= known


def _names(field: Any) -> list[str]:
    return [str(name) for name in field.validation_alias.choices]
