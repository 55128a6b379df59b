"""What the roles share: a model, opened when a run begins and given back after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from pipeline.agents import prompts
from pipeline.llm.base import Effort, LLMClient
from pipeline.llm.fallback import Fallback

if TYPE_CHECKING:
    from pipeline.llm.vendors import VendorOptions


@dataclass
class ModelAgent:
    """An agent that asks a model.

    `llm` is a client, or several in order of preference: the next one answers where the one before
    cannot. None opens clients when the run begins: a chain of `models` ("vendor:model"), or else
    the first of `vendors` (default: by role or name) that has a key, in `options` or, as the
    vendor's SDK reads it, in the environment. `prompt` replaces the role text; `effort` (None: as
    each question asks) is the one knob.
    """

    name: str
    llm: LLMClient | Sequence[LLMClient] | None = None
    prompt: str | None = None
    max_turns: int | None = None
    models: Sequence[str] = ()
    vendors: Sequence[str] = ()
    options: Mapping[str, VendorOptions] = field(default_factory=dict)
    effort: Effort | None = None
    _opened: LLMClient | None = field(default=None, init=False, repr=False)

    role: ClassVar[str]
    preferred: ClassVar[Sequence[str]]

    @property
    def client(self) -> LLMClient:
        """The model of this agent. Raises LLMMisconfigured where no vendor has a key."""
        if self.llm is not None and not isinstance(self.llm, Sequence):
            return self.llm
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    @property
    def system(self) -> str:
        """The role text."""
        return self.prompt or prompts.role_text(self.role)

    async def aclose(self) -> None:
        """Give back the model's connections; the agent can be used again."""
        client = self._opened if self.llm is None or isinstance(self.llm, Sequence) else self.llm
        self._opened = None
        if client is not None:
            await client.aclose()

    def _open(self) -> LLMClient:
        from pipeline.llm import vendors

        if isinstance(self.llm, Sequence):
            return Fallback(self.llm)
        if self.models:
            return vendors.open_chain(self.models, self.options)
        wanted = tuple(self.vendors) or tuple(self._preference())
        options: dict[str, VendorOptions] = {}
        for vendor in wanted:
            given = self.options.get(vendor, vendors.VendorOptions())
            model = given.model or vendors.default_model(vendor, self.role)
            options[vendor] = replace(given, model=model)
        return vendors.open_first(wanted, options)

    def _preference(self) -> Sequence[str]:
        return self.preferred
