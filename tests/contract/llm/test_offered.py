"""The vendors' own lists of models, over the real SDKs."""

from __future__ import annotations

import pytest

from bot.emulators.models.server import ModelServer
from pipeline.errors import LLMUnavailable
from pipeline.llm.vendors import Vendor, VendorOptions, offered
from tests.contract.llm.conftest import KEY


@pytest.mark.parametrize("vendor", list(Vendor))
async def test_a_vendors_list_of_models_is_read(vendor: Vendor) -> None:
    with ModelServer({}, offered=["made-up-9", "another-1"]) as server:
        options = VendorOptions(api_key=KEY, base_url=server.base_urls[vendor])
        assert await offered(vendor, options) == ("another-1", "made-up-9")


@pytest.mark.parametrize("vendor", list(Vendor))
async def test_a_list_that_cannot_be_had_is_an_error_of_ours(vendor: Vendor) -> None:
    with ModelServer({}) as server:
        address = server.base_urls[vendor]
    with pytest.raises(LLMUnavailable):
        await offered(vendor, VendorOptions(api_key=KEY, base_url=address))
