"""From a vendor's name to an open client, with the shipped model ids as defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, Literal, get_args

from pipeline.errors import LLMMisconfigured
from pipeline.llm.adapter import Adapter, MissingKey
from pipeline.llm.base import LLMClient
from pipeline.llm.fallback import Fallback
from pipeline.llm.gate import gate_of
from pipeline.llm.retrying import Retrying

Wire = Literal["auto", "responses", "chat"]


class Vendor(StrEnum):
    """The vendors with an adapter."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GOOGLE = "google"


_SDKS = {
    Vendor.OPENAI: ("openai.resources.responses", "openai.resources.chat"),
    Vendor.ANTHROPIC: ("anthropic.resources.messages",),
    Vendor.GOOGLE: ("google.genai",),
}


@dataclass(frozen=True, slots=True)
class VendorOptions:
    """How to reach one vendor. None: the shipped model id, the SDK's own environment names.

    `wire` is OpenAI's only: "auto" speaks Responses to OpenAI and Chat Completions to any
    other address. `api_version` is Azure's, for OpenAI's models there, or Google's: "v1beta" or
    "v1". `concurrency` is how many calls the process may have under way at that vendor.
    """

    model: str | None = None
    api_key: str | None = None
    base_url: str | None = None
    wire: Wire = "auto"
    api_version: str | None = None
    concurrency: int | None = None


def default_model(vendor: str, role: str = "default") -> str:
    """The shipped model id of the vendor for "coder", "tester", "reviewer" or "default"."""
    table = _defaults()[_vendor(vendor)]
    model: str = table.get(role, table["default"])
    return model


def max_turns(vendor: str) -> int:
    """How many turns a seat may take by default: 40 where the provider is none of ours."""
    table = _defaults().get(vendor, {})
    turns: int = table.get("max_turns", 40)
    return turns


def defaults_checked() -> date:
    """The day the shipped model ids were last compared with the vendors' lists."""
    day: date = _models()["checked"]
    return day


def open_client(
    vendor: str,
    *,
    model: str | None = None,
    api_key: str | None = None,
    base_url: str | None = None,
    wire: Wire = "auto",
    api_version: str | None = None,
) -> LLMClient:
    """An open client of that vendor, with retries. Imports its SDK; makes no request.

    Raises `LLMMisconfigured` when no key is there, naming the variable, or when the vendor
    is unknown, naming those that are known.
    """
    options = VendorOptions(model, api_key, base_url, wire, api_version)
    return Retrying(_opened(_vendor(vendor), options))


def open_first(
    preferred: Sequence[str], options: Mapping[str, VendorOptions] | None = None
) -> LLMClient:
    """A client of the first preferred vendor that has a key.

    Raises `LLMMisconfigured` naming every variable when none of them has.
    """
    missing: list[str] = []
    for name in preferred:
        vendor = _vendor(name)
        try:
            return Retrying(_opened(vendor, (options or {}).get(vendor, VendorOptions())))
        except MissingKey as error:
            missing.append(error.variables)
    raise LLMMisconfigured(f"no model key: set one of {', '.join(missing)}")


def open_chain(
    models: Sequence[str], options: Mapping[str, VendorOptions] | None = None
) -> LLMClient:
    """A client of "vendor:model" ids in order of preference: the next answers where one cannot.

    A bare model id is taken by the family that its name carries. Raises `LLMMisconfigured`, also
    where any of them has no key.
    """
    clients: list[LLMClient] = []
    for wanted in models:
        vendor, model = split_model(wanted)
        given = (options or {}).get(vendor, VendorOptions())
        clients.append(Retrying(_opened(vendor, replace(given, model=model))))
    return clients[0] if len(clients) == 1 else Fallback(clients)


def split_model(wanted: str) -> tuple[Vendor, str]:
    """Vendor and model of "vendor:model", or of an id that starts with gpt-, claude- or gemini-."""
    vendor, colon, model = wanted.strip().partition(":")
    if not colon:
        vendor, model = _family(wanted.strip()), wanted.strip()
    if vendor not in set(Vendor) or not model:
        raise LLMMisconfigured(
            f"no vendor {vendor!r} in {wanted!r}; write VENDOR:MODEL with one of "
            f"{', '.join(Vendor)}, and commas between the models of a chain"
        )
    return Vendor(vendor), model


def _family(model: str) -> str:
    for prefix, vendor in (("gpt-", "openai"), ("claude-", "anthropic"), ("gemini-", "google")):
        if model.startswith(prefix):
            return vendor
    raise LLMMisconfigured(f"whose model is {model!r}? write VENDOR:MODEL")


async def offered(vendor: str, options: VendorOptions) -> tuple[str, ...]:
    """Ids of the models that the vendor offers to the key at hand. Raises `LLMError`."""
    adapter = _opened(_vendor(vendor), options)
    try:
        return await adapter.offered()
    finally:
        await adapter.aclose()


def preload(vendors: Iterable[str]) -> None:
    """Import the vendors' SDKs: two seconds that a thread can spend while a clone runs."""
    for vendor in vendors:
        for module in _SDKS[_vendor(vendor)]:
            import_module(module)


def _opened(vendor: Vendor, options: VendorOptions) -> Adapter:
    model = options.model or default_model(vendor)
    reach: dict[str, Any] = {"api_key": options.api_key, "base_url": options.base_url}
    if options.concurrency is not None:
        gate_of(vendor).resize(options.concurrency)
    adapter: Adapter
    match vendor:
        case Vendor.OPENAI:
            return _openai(model, options.wire, reach | {"api_version": options.api_version})
        case Vendor.ANTHROPIC:
            from pipeline.llm.anthropic import AnthropicMessages

            adapter = AnthropicMessages(model, **reach)
        case Vendor.GOOGLE:
            from pipeline.llm.google import GoogleGenerate

            adapter = GoogleGenerate(model, **reach, api_version=options.api_version)
    adapter.open()
    return adapter


def _openai(model: str, wire: Wire, reach: dict[str, Any]) -> Adapter:
    from pipeline.llm.openai_chat import OpenAIChat
    from pipeline.llm.openai_responses import OpenAIResponses

    if wire not in get_args(Wire):
        raise LLMMisconfigured(f"openai: no wire {wire!r}; there are {', '.join(get_args(Wire))}")
    responses = OpenAIResponses(model, **reach)
    sdk = responses.open()
    if wire == "responses" or (wire == "auto" and responses.official):
        return responses
    return OpenAIChat(model, **reach).adopt(sdk)


def _vendor(name: str) -> Vendor:
    try:
        return Vendor(name)
    except ValueError:
        known = ", ".join(Vendor)
        raise LLMMisconfigured(f"no vendor {name!r}; there are {known}") from None


@cache
def _models() -> dict[str, Any]:
    return tomllib.loads(files("pipeline.llm").joinpath("models.toml").read_text("utf-8"))


def _defaults() -> dict[str, dict[str, Any]]:
    return {name: table for name, table in _models().items() if isinstance(table, dict)}
