"""The settings of set-ups: where environments come from, and how registries are reached."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator

from bot.errors import Misconfigured
from bot.settings.runner import RunnerSettings

if TYPE_CHECKING:
    from pipeline.environment.keyring import Keyring
    from pipeline.environment.registries import Registries

_by = AliasChoices
_SECRET = re.compile(r"(?<=://)[^/@]*@")
_HIDDEN = "***@"


class EnvironmentSettings(RunnerSettings):
    """What decides how the tests of a repository get what they need."""

    environments: Literal["auto", "off"] = Field(
        "auto",
        validation_alias=_by("ACP_ENVIRONMENTS"),
        description="`auto` installs what a repository's tests need; `off` takes what is at hand",
    )
    environments_gb: float = Field(
        10.0,
        validation_alias=_by("ACP_ENVIRONMENTS_GB"),
        description="Gigabytes of environments that are kept for the next run",
        gt=0,
    )
    tests_seconds: float = Field(
        900.0,
        validation_alias=_by("ACP_TESTS_SECONDS"),
        description="Wall time of one run of a repository's tests, in seconds; past 80 % of it no "
        "further test begins",
        gt=0,
    )
    tests_partial: bool = Field(
        default=False,
        validation_alias=_by("ACP_TESTS_PARTIAL"),
        description="`true` lets a change pass although that time left tests out, and says so",
    )
    python_index: str = Field(
        "",
        validation_alias=_by(
            "ACP_PYTHON_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"
        ),
        description="Package index for Python, if not the public one: https, without a password",
    )
    npm_registry: str = Field(
        "",
        validation_alias=_by("ACP_NPM_REGISTRY", "NPM_CONFIG_REGISTRY", "npm_config_registry"),
        description="Registry for npm, if not the public one: https, without a password",
    )
    python_index_password: SecretStr | None = Field(
        None,
        validation_alias=_by("ACP_PYTHON_INDEX_PASSWORD"),
        description="USER:PASSWORD of ACP_PYTHON_INDEX, or a token; it enters no sandbox",
    )
    npm_registry_password: SecretStr | None = Field(
        None,
        validation_alias=_by("ACP_NPM_REGISTRY_PASSWORD"),
        description="USER:PASSWORD of ACP_NPM_REGISTRY, or a token; it enters no sandbox",
    )
    go_proxy: str = Field(
        "",
        validation_alias=_by("ACP_GO_PROXY", "GOPROXY"),
        description="Where modules of Go come from, as GOPROXY has it: https, without a password",
    )
    registries: str = Field(
        "",
        validation_alias=_by("ACP_REGISTRIES"),
        description="Further registries that a set-up may reach: HOST or HOST:PORT, with commas "
        "between",
    )
    registry_networks: str = Field(
        "",
        validation_alias=_by("ACP_REGISTRY_NETWORKS"),
        description="Private networks that registries may be in, such as 10.20.0.0/16, with "
        "commas between",
    )
    https_proxy: SecretStr | None = Field(
        None,
        validation_alias=_by("ACP_HTTPS_PROXY", "HTTPS_PROXY", "https_proxy"),
        description="Your own proxy, through which set-ups go out: http://[USER:PASSWORD@]HOST:PORT",
    )
    certificates: Path | None = Field(
        None,
        validation_alias=_by("ACP_CERTIFICATES", "SSL_CERT_FILE"),
        description="File of the authorities that registries are trusted by, if not the system's",
    )

    @field_validator("python_index", "npm_registry", "go_proxy")
    @classmethod
    def _without_secret(cls, value: str) -> str:
        """A password is forgotten here; that there was one is still seen, and refused."""
        return _SECRET.sub(_HIDDEN, value.strip())

    def registries_of(self) -> Registries:
        """How registries are reached. Raises Misconfigured, naming variable and mend."""
        from pipeline.environment.registries import Registries, proxies_of_go, wrong
        from pipeline.environment.upstream import Upstream
        from pipeline.errors import WorkspaceError

        named = [("ACP_PYTHON_INDEX", self.python_index), ("ACP_NPM_REGISTRY", self.npm_registry)]
        named += [("ACP_GO_PROXY", url) for url in proxies_of_go(self.go_proxy)]
        for name, url in named:
            if mistake := wrong(url):
                raise Misconfigured(
                    f"the package index of this machine {mistake}; set {name} to an https address "
                    f"without it{_apart(name)}, or ACP_ENVIRONMENTS=off"
                )
        upstream = None
        if self.https_proxy is not None:
            try:
                upstream = Upstream.of(self.https_proxy.get_secret_value())
            except ValueError as error:
                raise Misconfigured(f"HTTPS_PROXY {error}; set ACP_HTTPS_PROXY") from None
        if self.certificates is not None and not self.certificates.is_file():
            raise Misconfigured(f"{self.certificates} is not a file; set ACP_CERTIFICATES anew")
        found = Registries(
            self.python_index,
            self.npm_registry,
            self.go_proxy,
            _words(self.registries),
            _words(self.registry_networks),
            upstream,
            self.certificates,
            self._keyring(),
        )
        try:
            found.check()
        except WorkspaceError as error:
            raise Misconfigured(f"ACP_REGISTRY_NETWORKS: {error}") from None
        return found

    def _keyring(self) -> Keyring | None:
        """The passwords of registries. Raises Misconfigured."""
        from pipeline.environment.keyring import Credential, Keyring

        held = []
        for name, url, secret in (
            ("ACP_PYTHON_INDEX", self.python_index, self.python_index_password),
            ("ACP_NPM_REGISTRY", self.npm_registry, self.npm_registry_password),
        ):
            if secret is None:
                continue
            value = secret.get_secret_value()
            if not url:
                raise Misconfigured(f"{name}_PASSWORD has no registry: set {name} to its address")
            if not re.fullmatch(r"[!-~]+", value):
                raise Misconfigured(f"{name}_PASSWORD must be USER:PASSWORD or a token, in ASCII")
            held.append(Credential.of(url, value))
        return Keyring(held, self.certificates) if held else None


def _apart(name: str) -> str:
    """Where a password goes, if there is a place for it."""
    return "" if name == "ACP_GO_PROXY" else f" and {name}_PASSWORD to USER:PASSWORD"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
