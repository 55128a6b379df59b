"""The one place where failures of SDKs, HTTP and JSON become our errors.

Messages are built from the status and from short identifiers only. A vendor's own sentence may
quote a key or the prompt; it stays in the exception's cause.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from pipeline.errors import (
    LLMBadRequest,
    LLMError,
    LLMIncomplete,
    LLMMisconfigured,
    LLMRefused,
    LLMTooLong,
    LLMUnavailable,
)

_KEY_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
RETRYABLE = frozenset({408, 409, 425, 429})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_error", "billing_hard_limit_reached"})
_REFUSALS = frozenset({"content_policy_violation", "content_filter", "invalid_prompt"})
_TOO_LONG = frozenset({"context_length_exceeded", "request_too_large", "string_above_max_length"})
# Two vendors say it in prose alone. The words are looked for, and never shown.
_TOO_LONG_WORDS = re.compile(r"prompt is too long|input token count|maximum context length", re.I)
_BAD_KEY = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "invalid_api_key"})
# Errors that arrive inside a stream carry the status 200 of the stream; the kind tells the truth.
_KINDS = {
    "overloaded_error": 529,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "invalid_request_error": 400,
}
_IDENTIFIER = re.compile(r"[A-Za-z][\w.\[\]-]{1,79}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")


def translate(error: Exception, provider: str) -> LLMError:
    """The leaf for what an SDK, httpx2 or a JSON reader raised."""
    if isinstance(error, LLMError):
        return error
    codes = tuple(dict.fromkeys(_identifiers(error)))
    status = _status(error, codes)
    if status is not None:
        return _of_status(status, codes, error, provider)
    if _is_transport(error):
        what = "no answer in time" if _is_timeout(error) else "the connection failed"
        failed = LLMUnavailable(f"{provider}: {what}", provider=provider)
        failed.maybe_billed = not _never_sent(error)
        return failed
    if type(error).__name__ in {"InvalidURL", "UnsupportedProtocol"}:
        return LLMMisconfigured(
            f"{provider}: the base URL is not a valid address", provider=provider
        )
    return LLMIncomplete(f"{provider}: the answer could not be read", provider=provider)


def from_code(code: str, provider: str) -> LLMError:
    """The leaf for a failure that a vendor reports inside a 200."""
    code = code if _IDENTIFIER.fullmatch(code) else "unknown"
    if code in _REFUSALS:
        return LLMRefused(f"{provider}: the model declined ({code})", provider=provider)
    status = _KINDS.get(code)
    if status is None:
        return LLMIncomplete(f"{provider}: the answer failed ({code})", provider=provider)
    return _of_status(status, (code,), None, provider)


def _of_status(
    status: int, codes: tuple[str, ...], error: Exception | None, provider: str
) -> LLMError:
    said = f"{provider}: HTTP {status}" + (f" ({', '.join(codes)})" if codes else "")
    known = _by_code(status, set(codes), error)
    if known is not None:
        kind, mend = known
        return kind(f"{said}: {mend}", provider=provider, status=status)
    if status in RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        wish = _retry_after(error)
        return LLMUnavailable(said, provider=provider, status=status, retry_after_s=wish)
    if status < HTTPStatus.BAD_REQUEST:
        return LLMIncomplete(said, provider=provider, status=status)
    return LLMBadRequest(f"{said}: the request was refused", provider=provider, status=status)


def _by_code(
    status: int, codes: set[str], error: Exception | None
) -> tuple[type[LLMError], str] | None:
    """Leaf and mend where the code, or a status that means one thing only, says it all."""
    if codes & _NO_CREDIT or status == HTTPStatus.PAYMENT_REQUIRED:
        return LLMMisconfigured, "the account is out of credit; add credit or use another key"
    if codes & _TOO_LONG or status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or _says_too_long(error):
        return LLMTooLong, "the conversation does not fit into the model's window"
    if codes & _REFUSALS:
        return LLMRefused, "declined"
    if status in _KEY_REFUSED or codes & _BAD_KEY:
        return LLMMisconfigured, "the key was not accepted; check it and what it may use"
    if status == HTTPStatus.NOT_FOUND:
        return LLMMisconfigured, "no such model or address; check the model id and the base URL"
    return None


def _status(error: Exception, codes: tuple[str, ...]) -> int | None:
    for name in ("status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and value >= HTTPStatus.BAD_REQUEST:
            return value
    return next((_KINDS[code] for code in codes if code in _KINDS), None)


def _identifiers(error: Exception) -> Iterator[str]:
    """Codes and types in the error's body, never its prose."""
    body = getattr(error, "body", None) or getattr(error, "details", None)
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    if not isinstance(inner, Mapping):
        return
    sources = [inner, *_details(inner)]
    for source in sources:
        for key in ("type", "status", "code", "error_code", "reason", "param"):
            value = source.get(key)
            if isinstance(value, str) and _IDENTIFIER.fullmatch(value):
                yield value


def _details(inner: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = inner.get("details")
    if isinstance(details, Mapping):
        return [details]
    return [d for d in details if isinstance(d, Mapping)] if isinstance(details, list) else []


def _ancestry(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _is_timeout(error: Exception) -> bool:
    return isinstance(error, TimeoutError) or bool(
        _ancestry(error) & {"APITimeoutError", "TimeoutException"}
    )


def _never_sent(error: BaseException | None) -> bool:
    """Whether there was no connection to send the request on."""
    while error is not None:
        if _ancestry(error) & {"ConnectError", "ConnectTimeout", "PoolTimeout"}:
            return True
        error = error.__cause__
    return False


def _says_too_long(error: Exception | None) -> bool:
    body = getattr(error, "body", None) or getattr(error, "details", None)
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    said = inner.get("message") if isinstance(inner, Mapping) else None
    return isinstance(said, str) and bool(_TOO_LONG_WORDS.search(said))


def _is_transport(error: Exception) -> bool:
    if type(error).__name__ == "UnsupportedProtocol":
        return False
    named = _ancestry(error) & {"APIConnectionError", "TransportError"}
    return bool(named) or isinstance(error, OSError)


def _retry_after(error: Exception | None) -> float | None:
    """Seconds the server wants us to wait: by header, or by Google's RetryInfo."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        if "retry-after" in headers:
            return _header_seconds(headers["retry-after"], headers.get("date"))
    except ValueError:
        return None
    return _google_delay(error)


def _header_seconds(value: str, date: str | None) -> float:
    if value.strip()[:1].isdigit():
        return float(value)
    # A date is compared with the server's own clock, where it tells it: ours may be wrong.
    now = parsedate_to_datetime(date).timestamp() if date else time.time()
    return max(0.0, parsedate_to_datetime(value).timestamp() - now)


def _google_delay(error: Exception | None) -> float | None:
    body = getattr(error, "details", None)
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    for detail in _details(inner) if isinstance(inner, Mapping) else []:
        match = _DURATION.fullmatch(str(detail.get("retryDelay", "")))
        if match:
            return float(match[1])
    return None
