"""One request to a provider, within bounds of time and size, and what its status means."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from ai_config.adapters.errors import ProviderError
from ai_config.adapters.values import Bounds

MOST_AUDIO_BYTES = 16 * 1024 * 1024
"""Ten minutes of MP3 at 192 kbit/s, and a little."""
MOST_JSON_BYTES = 4 * 1024 * 1024
_MOST_ERROR_BYTES = 64 * 1024

_MEANINGS = {
    401: "unauthorized",
    402: "exhausted",
    403: "unauthorized",
    408: "unavailable",
    429: "rate_limited",
}
_WORDS = {
    "insufficient_quota": "exhausted",  # OpenAI, with 429
    "billing_not_active": "exhausted",  # OpenAI, with 429
    "quota_exceeded": "exhausted",  # ElevenLabs, with 401
    "billing_error": "exhausted",  # Anthropic, with 402
    "credit balance is too low": "exhausted",  # Anthropic, with 400
    "api_key_invalid": "unauthorized",  # Google, with 400
    "invalid_api_key": "unauthorized",  # ElevenLabs and OpenAI, with 401
    "voice_not_found": "voice_unknown",  # ElevenLabs, with 400 and 404
    '"param":"voice"': "voice_unknown",  # OpenAI, with 400
    "does not exist. is it misspelled?": "voice_unknown",  # Google, with 400
}
"""What an error's body says that its status does not."""
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its headers and the whole body."""

    headers: httpx.Headers
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises ProviderError `broken_answer`."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise broken("is no JSON") from None


def broken(what: str) -> ProviderError:
    """The error of an answer that is not what the contract says: it `what`."""
    return ProviderError("broken_answer", f"The answer {what}.", charged=True)


def exchange(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    bounds: Bounds,
    most_bytes: int = MOST_JSON_BYTES,
    body: Mapping[str, Any] | None = None,
    params: Mapping[str, str | int] | None = None,
) -> Answer:
    """Sends one request and reads the answer whole. Redirects are not followed: they would carry the key along.

    Raises ProviderError for everything but a 2xx that came whole, in time and within `most_bytes`.
    """
    deadline = time.monotonic() + bounds.total_s
    timeout = httpx.Timeout(bounds.read_s, connect=bounds.connect_s)
    try:
        with (
            httpx.Client(timeout=timeout, follow_redirects=False) as client,
            client.stream(method, url, headers=dict(headers), json=body, params=params) as response,
        ):
            if not response.is_success:
                raise _failure(response, _read(response, _MOST_ERROR_BYTES, deadline, cut=True))
            return Answer(response.headers, _read(response, most_bytes, deadline))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise ProviderError("unreachable", "No connection to the provider's address.") from None
    except httpx.TimeoutException:
        raise _late() from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise broken(f"broke off ({type(error).__name__})") from None


def _late() -> ProviderError:
    return ProviderError("timed_out", "The provider did not answer in time.", charged=True)


def _read(response: httpx.Response, most: int, deadline: float, *, cut: bool = False) -> bytes:
    """The body, or (`cut`) its first `most` bytes."""
    pieces: list[bytes] = []
    size = 0
    for piece in _pieces(response, deadline):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            if cut:
                break
            raise ProviderError("too_large", f"The answer is larger than {most} bytes.", charged=True)
    return b"".join(pieces)[:most]


def _pieces(response: httpx.Response, deadline: float) -> Iterator[bytes]:
    for piece in response.iter_bytes():
        if time.monotonic() > deadline:
            raise _late()
        yield piece


def _failure(response: httpx.Response, body: bytes) -> ProviderError:
    status = response.status_code
    text = body.decode("utf-8", "replace").lower()
    packed = re.sub(r'"\s*:\s*"', '":"', text)
    said = next((code for word, code in _WORDS.items() if word in packed), None) if status < 500 else None
    code = said or _MEANINGS.get(status) or ("refused" if 400 <= status < 500 else "unavailable")
    name = _error_name(body)
    return ProviderError(
        code,
        f"The provider answered {status}{f' ({name})' if name else ''}.",
        retry_after_s=retry_after(response.headers.get("Retry-After"), now=datetime.now(tz=UTC)),
    )


def _error_name(body: bytes) -> str:
    """The error's own short name, if the body gives one in any of the providers' forms; never its sentence."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    error = found.get("error", found.get("detail")) if isinstance(found, dict) else None
    if not isinstance(error, dict):
        return ""
    names = (error.get(key) for key in ("code", "type", "status"))
    return next((name for name in names if isinstance(name, str) and _NAME.fullmatch(name)), "")


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds that a Retry-After (RFC 9110 §10.2.3) asks for: a number or a date; None when it says neither."""
    if value is None:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return float(value)
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, ((then if then.tzinfo else then.replace(tzinfo=UTC)) - now).total_seconds())


def dig(value: Any, *path: str | int) -> Any:
    """What lies at this path of a JSON value. Raises ProviderError `broken_answer` when it is not there."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            raise broken(f"lacks {'.'.join(map(str, path))}") from None
    return value


def text_at(value: Any, *path: str | int) -> str:
    """The text at this path. Raises ProviderError `broken_answer`."""
    found = dig(value, *path)
    if not isinstance(found, str):
        raise broken(f"has no text at {'.'.join(map(str, path))}")
    return found


def count_at(value: Any, *path: str | int) -> int:
    """The whole number of at least 0 at this path. Raises ProviderError `broken_answer`."""
    found = dig(value, *path)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise broken(f"has no count at {'.'.join(map(str, path))}")
    return found


def list_at(value: Any, *path: str | int) -> list[Any]:
    """The list at this path. Raises ProviderError `broken_answer`."""
    found = dig(value, *path)
    if not isinstance(found, list):
        raise broken(f"has no list at {'.'.join(map(str, path))}")
    return found


def audio_of(answer: Answer) -> bytes:
    """The body of an answer that is a sound. Raises ProviderError `broken_answer` for another type, or nothing."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not (kind.startswith("audio/") or kind == "application/octet-stream"):
        raise broken("is no audio")
    if not answer.body:
        raise broken("is empty")
    return answer.body
