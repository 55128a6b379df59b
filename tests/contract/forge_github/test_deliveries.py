"""Which deliveries count as lost."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.adapters.github.auth import AppAuth
from bot.adapters.github.deliveries import Deliveries
from bot.adapters.github.http import Addresses, GitHubHttp
from bot.errors import Misconfigured, NotFound

NOW = 1_900_000_000.0
HOUR = 3600.0
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def attempt(number: int, guid: str, status: int, *, ago: float = HOUR) -> dict[str, Any]:
    moment = datetime.fromtimestamp(NOW - ago, UTC).isoformat().replace("+00:00", "Z")
    return {
        "id": number,
        "guid": guid,
        "event": "issues",
        "delivered_at": moment,
        "status_code": status,
        "status": "x",
    }


@pytest.fixture
async def deliveries(stage: Any) -> AsyncIterator[Deliveries]:
    http = GitHubHttp(Addresses.of(stage.url))
    yield Deliveries(http, AppAuth("1", PEM), clock=lambda: NOW)
    await http.aclose()


async def test_what_never_arrived_is_lost_oldest_first(stage: Any, deliveries: Deliveries) -> None:
    stage.says(
        200,
        [
            attempt(9, "late", 502, ago=60),
            attempt(8, "mended", 202),
            attempt(7, "mended", 500),
            attempt(6, "fine", 200),
            attempt(5, "early", 0, ago=5 * HOUR),
        ],
    )
    lost = await deliveries.failed()
    assert [(one.guid, one.id, one.attempts) for one in lost] == [("early", 5, 1), ("late", 9, 1)]


async def test_what_is_older_than_three_days_is_gone(stage: Any, deliveries: Deliveries) -> None:
    stage.says(200, [attempt(2, "new", 500, ago=71 * HOUR), attempt(1, "old", 500, ago=73 * HOUR)])
    assert [one.guid for one in await deliveries.failed(within_s=1e9)] == ["new"]


async def test_the_pages_behind_the_oldest_are_not_asked(
    stage: Any, deliveries: Deliveries
) -> None:
    following = f'<{stage.url}/app/hook/deliveries?cursor=2>; rel="next"'
    stage.says(200, [attempt(1, "old", 500, ago=2 * HOUR)], Link=following)
    assert await deliveries.failed(within_s=HOUR) == ()
    assert len(stage.asked) == 1


async def test_what_failed_five_times_fails_by_itself(stage: Any, deliveries: Deliveries) -> None:
    stage.says(200, [attempt(n, "poison", 500) for n in range(5, 0, -1)])
    assert await deliveries.failed() == ()


async def test_the_newest_attempt_is_sent_again(stage: Any, deliveries: Deliveries) -> None:
    stage.says(200, [attempt(7, "lost", 500), attempt(3, "lost", 500)])
    stage.says(202)
    (lost,) = await deliveries.failed()
    await deliveries.redeliver(lost)
    assert stage.asked[-1] == ("POST", "/app/hook/deliveries/7/attempts")


async def test_what_github_no_longer_has_is_not_found(stage: Any, deliveries: Deliveries) -> None:
    stage.says(200, [attempt(7, "lost", 500)])
    stage.says(404, {"message": "Not Found"})
    (lost,) = await deliveries.failed()
    with pytest.raises(NotFound, match="no longer has the delivery lost"):
        await deliveries.redeliver(lost)


async def test_a_refused_app_is_the_operators_to_mend(stage: Any, deliveries: Deliveries) -> None:
    stage.says(401, {"message": "A JSON web token could not be decoded"})
    with pytest.raises(Misconfigured, match="GITHUB_APP_ID"):
        await deliveries.failed()
