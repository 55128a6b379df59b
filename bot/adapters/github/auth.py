"""The App's own credential: a short-lived JWT, signed by a key that is parsed once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.errors import Misconfigured

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_BACKDATED_S = 60  # clocks differ
_LIFE_S = 540  # GitHub refuses more than 600, by its own clock
_REUSED_S = 300


class AppAuth:
    """Signs for one GitHub App. `clock` gives seconds since the epoch.

    Raises Misconfigured where the id or the key cannot be used; the key is never repeated.
    """

    def __init__(
        self, app_id: str, private_key: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        if not app_id.strip():
            raise Misconfigured("ACP_GITHUB_APP_ID is empty; set it to the App's id or client id")
        self._issuer = app_id.strip()
        self._key = _parsed(private_key)
        self._clock = clock
        self._jwt = ""
        self._signed_at = float("-inf")

    def jwt(self) -> str:
        """A JWT that GitHub accepts for minutes to come; the same one is used for a while."""
        import jwt

        now = self._clock()
        if not 0 <= now - self._signed_at < _REUSED_S:
            claims = {
                "iat": int(now) - _BACKDATED_S,
                "exp": int(now) + _LIFE_S,
                "iss": self._issuer,
            }
            self._jwt = jwt.encode(claims, self._key, algorithm="RS256")
            self._signed_at = now
        return self._jwt


def _parsed(private_key: str) -> RSAPrivateKey:
    """The key of a PEM text, also of one whose line ends were written as backslash and n."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = private_key.replace("\\n", "\n").strip().encode("utf-8", "replace")
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise Misconfigured(
            "the App's private key is not an RSA key in PEM form; make a new one on the App's "
            "page and give the whole file, from BEGIN to END"
        )
    return key
