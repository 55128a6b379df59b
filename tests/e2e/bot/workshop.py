"""What runs work with in tests: the real forge, models that play a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from typing_extensions import override

from bot.adapters.github.client import GitHubApp
from bot.adapters.secrets import scan
from bot.domain.forge import Forge
from bot.domain.guards import SecretScan
from bot.domain.policy import Rules
from bot.domain.runs import RunRequest
from bot.domain.scrub import Scrubber
from pipeline.defaults import build_pipeline
from pipeline.limits import Limits
from pipeline.llm.base import LLMClient, LLMRequest, LLMResponse
from pipeline.llm.scripted import ScriptedClient, Turn
from pipeline.orchestrator import AgenticCodingPipeline
from pipeline.sandbox.base import Sandbox
from pipeline.sandbox.none import NoSandbox
from tests.e2e.bot import scripts
from tests.e2e.bot.power import Fuse

Script = Mapping[str, list[Turn]]


class Model(ScriptedClient):
    """A model that plays its script; before the first word something may happen outside."""

    meanwhile: Callable[[], object] | None = None

    @override
    async def complete(self, request: LLMRequest) -> LLMResponse:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            await asyncio.to_thread(happens)
        return await super().complete(request)


class Workshop:
    """Real forge, scripted models, no sandbox unless a test asks for one.

    `script` is what the models say in every run that begins; `meanwhile` happens once, while a run
    waits for its reviewer.
    """

    sandbox = "none (NO isolation)"

    def __init__(self, app: GitHubApp, secrets: list[str]) -> None:
        self._app = app
        self._secrets = secrets
        self.script: Script = scripts.mended()
        self.meanwhile: Callable[[], object] | None = None
        self.fuse: Fuse | None = None
        self.vendor = ""  # one for every model, or each its own
        self.isolation: Sandbox = NoSandbox()
        self.models: dict[str, Model] = {}

    def begin(self) -> None:
        """A run is new: its models begin their script."""
        self.models = {s: Model(t, provider=self.vendor or s) for s, t in self.script.items()}
        self.models["qa"].meanwhile, self.meanwhile = self.meanwhile, None

    async def forge(self, request: RunRequest) -> Forge:
        forge = await self._app.forge(request.repository)
        return self.fuse.forge(forge) if self.fuse else forge

    def pipeline(self, request: RunRequest, rules: Rules, usd: float) -> AgenticCodingPipeline:
        del usd  # scripted models have no price
        clients: dict[str, LLMClient] = dict(self.models)
        limits = Limits(wall_s=rules.max_minutes * 60.0)
        return build_pipeline(
            clients=clients,
            sandbox=self.isolation,
            limits=limits,
            max_iterations=rules.max_iterations,
        )

    def scrub(self, text: str) -> str:
        return Scrubber(self._secrets)(text)

    @property
    def scan(self) -> SecretScan:
        return scan
