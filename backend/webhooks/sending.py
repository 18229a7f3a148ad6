"""One attempt: resolve the name, look at its addresses, connect to one of them, say what was answered.

No redirect is followed, no proxy of the environment is used, little of the answer is read, and all of it takes ten
seconds at most. Knows no database.
"""

from __future__ import annotations

import asyncio
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

import httpx
from django.conf import settings

from webhooks.domain import targets
from webhooks.domain.targets import Target, TargetRefused

CONNECT_S = 3.0
"""For resolving a name, and for each connection."""
WHOLE_S = 10.0
"""For all of an attempt."""
MOST_ADDRESSES = 3
"""So many addresses of a name are tried."""
MOST_READ = 4096
"""Bytes of an answer; the rest is not waited for."""
USER_AGENT = "sync2gear-webhooks/1"

ERRORS = {
    "name_unknown": "The host's name leads to no address.",
    "target_refused": "{detail}",
    "connect_failed": "No connection: {detail}",
    "tls_failed": "No trusted TLS connection: {detail}",
    "timeout": "No answer within 10 seconds.",
    "broken_answer": "The answer is no HTTP.",
    "redirected": "It was answered with a redirect; enter the new URL instead.",
    "http_status": "It was answered with {detail}, which is no 2xx.",
}
"""Why an attempt failed: stable codes and their sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is sent, and where."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `error_code` is empty for a 2xx; `status` None when there was no answer."""

    status: int | None = None
    body: str = ""
    retry_after: str = ""
    error_code: str = ""
    error: str = ""
    duration_ms: int = 0

    @property
    def arrived(self) -> bool:
        """Whether the receiver took it."""
        return not self.error_code


class _Failed(Exception):
    """There is no answer: an error code of ERRORS and what fills its sentence."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def send(parcel: Parcel) -> Answer:
    """Makes one attempt. Never raises for what the other side does."""
    began = time.monotonic()
    try:
        target = targets.parse(parcel.url)
        addresses = resolve(target.host, target.port)
        targets.refuse_addresses(target, addresses, settings.WEBHOOK_NETWORKS)
        answer = asyncio.run(_post(target, addresses, parcel, WHOLE_S - (time.monotonic() - began)))
    except TargetRefused as refused:
        answer = _no_answer("target_refused", refused.detail)
    except _Failed as failed:
        answer = _no_answer(failed.code, failed.detail)
    return Answer(
        status=answer.status,
        body=answer.body,
        retry_after=answer.retry_after,
        error_code=answer.error_code,
        error=answer.error,
        duration_ms=round((time.monotonic() - began) * 1000),
    )


def _no_answer(code: str, detail: str) -> Answer:
    return Answer(error_code=code, error=ERRORS[code].format(detail=detail)[:300])


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host; raises `_Failed`. A resolver that hangs is left behind on its thread."""
    found: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            rows = []
        found.put(list(dict.fromkeys(str(row[4][0]) for row in rows)))

    threading.Thread(target=look_up, name="webhook-name", daemon=True).start()
    try:
        addresses = found.get(timeout=CONNECT_S)
    except queue.Empty:
        addresses = []
    if not addresses:
        raise _Failed("name_unknown")
    return addresses


def addresses_of(target: Target) -> list[str]:
    """All addresses of a target; none if its name leads nowhere at the moment."""
    try:
        return resolve(target.host, target.port)
    except _Failed:
        return []


async def _post(target: Target, addresses: Sequence[str], parcel: Parcel, whole_s: float) -> Answer:
    """Posts to the first of the addresses that lets us connect. Raises `_Failed`."""
    seen: list[Answer] = []  # what is known when time runs out: a status is an answer, its body an extra
    try:
        async with asyncio.timeout(whole_s):
            last: httpx.TransportError | None = None
            for address in addresses[:MOST_ADDRESSES]:
                try:
                    await _exchange(target, address, parcel, seen)
                except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                    last = error
                else:
                    last = None
                    break
            if last is not None:
                raise _unreached(last)
    except (TimeoutError, httpx.TimeoutException):
        if not seen:
            raise _Failed("timeout") from None
    except httpx.TransportError as error:
        if not seen:
            raise _Failed("broken_answer", str(error)) from error
    return seen[-1]


async def _exchange(target: Target, address: str, parcel: Parcel, seen: list[Answer]) -> None:
    """Speaks HTTP with this very address, under the target's name: Host header, SNI and certificate are the name's."""
    url = httpx.URL(
        scheme=target.scheme, host=address, port=target.port, raw_path=target.path.encode("ascii")
    )
    headers = {
        "Host": target.authority,
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        **parcel.headers,
    }
    async with (
        httpx.AsyncClient(
            verify=trusted(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(WHOLE_S, connect=CONNECT_S),
        ) as client,
        client.stream(
            "POST", url, headers=headers, content=parcel.body, extensions={"sni_hostname": target.host}
        ) as response,
    ):
        seen.append(_read(response, b""))
        taken = b""
        async for chunk in response.aiter_raw():
            taken += chunk
            if len(taken) >= MOST_READ:
                break
        seen.append(_read(response, taken[:MOST_READ]))


def _read(response: httpx.Response, taken: bytes) -> Answer:
    """The answer, as far as it was read."""
    status = response.status_code
    code, detail = "", ""
    if 300 <= status < 400:
        code = "redirected"
    elif not 200 <= status < 300:
        known = status in HTTPStatus.__members__.values()
        code, detail = "http_status", f"{status} {HTTPStatus(status).phrase}" if known else str(status)
    return Answer(
        status=status,
        body=taken.decode("utf-8", errors="replace").replace("\x00", ""),
        retry_after=response.headers.get("retry-after", ""),
        error_code=code,
        error=ERRORS[code].format(detail=detail) if code else "",
    )


def _unreached(error: httpx.TransportError) -> _Failed:
    """Why there was no connection."""
    if isinstance(error, httpx.TimeoutException):
        return _Failed("connect_failed", "it was not accepted within 3 seconds.")
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return _Failed("tls_failed", getattr(cause, "verify_message", "") or cause.reason or str(cause))
        cause = cause.__cause__ or cause.__context__
    return _Failed("connect_failed", str(error) or "it was refused.")


@lru_cache(maxsize=1)
def trusted() -> ssl.SSLContext:
    """The authorities whose certificates are believed: made once, for reading them takes longer than sending."""
    return httpx.create_ssl_context(trust_env=False)
