"""What the operator sets about registries, and what a sandbox is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.environment.keyring import Keyring
from pipeline.environment.registries import Registries, host_of, wrong
from pipeline.errors import WorkspaceError
from tests.unit.environment.local_registry import certified


@pytest.mark.parametrize("url", ["", "https://mirror.example/simple", "https://m.example:8443/x"])
def test_an_https_address_without_a_password_can_be_used(url: str) -> None:
    assert wrong(url) == ""


@pytest.mark.parametrize(
    "url", ["https://user:pass@mirror.example/simple", "https://token@mirror.example/simple"]
)
def test_a_password_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(WorkspaceError, match="no secret ever enters a sandbox") as caught:
        Registries(python_index=url).check()
    assert "pass" not in str(caught.value).replace("password", "")
    assert "token" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://mirror.example", "file:///srv/simple", "mirror.example"])
def test_another_address_than_https_is_refused(url: str) -> None:
    with pytest.raises(WorkspaceError, match="must start with https://"):
        Registries(npm_registry=url).check()


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(WorkspaceError, match="written wrong"):
        Registries(networks=("10.0.0.0/99",)).check()


def test_what_the_operator_names_is_let_through_beside_what_was_found() -> None:
    registries = Registries(
        "https://pip.example:8443/simple",
        "https://npm.example/",
        "https://proxy.example:444/go|https://second.example,direct",
        ("crates.example",),
        ("10.0.0.0/8",),
    )
    gate = registries.gate(["found.example:443"])
    assert gate.hosts == {
        "pip.example:8443",
        "npm.example:443",
        "proxy.example:444",
        "second.example:443",
        "crates.example:443",
        "found.example:443",
    }
    assert gate.admits("10.1.2.3")


def test_the_clients_inside_are_told_of_mirror_and_authorities(tmp_path: Path) -> None:
    certified(tmp_path)
    store = tmp_path / "authority.pem"
    registries = Registries("https://pip.example/simple", certificates=store)
    registries.equip(tmp_path)
    told = registries.variables(tmp_path)
    assert told["UV_DEFAULT_INDEX"] == told["PIP_INDEX_URL"] == "https://pip.example/simple"
    assert told["SSL_CERT_FILE"] == told["NODE_EXTRA_CA_CERTS"] == str(store)
    assert [mount.source for mount in registries.mounts()] == [store]
    assert "npm_config_registry" not in told
    java = tmp_path / "authorities.p12"
    assert told["JDK_JAVA_OPTIONS"] == f"-Djavax.net.ssl.trustStore={java}"
    assert b"authority" in java.read_bytes()


def test_java_trusts_who_can_be_read_of_the_file(tmp_path: Path) -> None:
    good = certified(tmp_path).with_name("authority.pem").read_bytes()
    store = tmp_path / "mixed.pem"
    store.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + good)
    Registries(certificates=store).equip(tmp_path)
    assert b"authority" in (tmp_path / "authorities.p12").read_bytes()


def test_of_the_systems_own_store_java_needs_no_copy(tmp_path: Path) -> None:
    registries = Registries(certificates=Path("/etc/ssl/certs/ca-certificates.crt"))
    registries.equip(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert "JDK_JAVA_OPTIONS" not in registries.variables(tmp_path)


def test_with_a_password_kept_the_whole_systems_store_is_handed_on(tmp_path: Path) -> None:
    keyring = Keyring([])
    registries = Registries(keyring=keyring)
    registries.equip(tmp_path)
    told = registries.variables(tmp_path)
    assert Path(told["SSL_CERT_FILE"]).read_bytes().endswith(keyring.authority)
    assert (tmp_path / "authorities.p12").is_file()


def test_the_systems_own_store_needs_no_mount() -> None:
    assert Registries(certificates=Path("/etc/ssl/certs/x.crt")).mounts() == ()


def test_the_port_of_an_address_is_known() -> None:
    assert host_of("https://a.example/x") == "a.example:443"
    assert host_of("https://a.example:444") == "a.example:444"
