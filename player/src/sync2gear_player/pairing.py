"""How a speaker gets its identity: by a code that a person enters (the shape of RFC 8628), or by a token."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sync2gear_player import SOFTWARE
from sync2gear_player.documents import DocumentError, build
from sync2gear_player.network import Answer, Network, NetworkError, resolve
from sync2gear_player.store import Identity

SLOW_DOWN_S = 5.0
"""RFC 8628 §3.5."""
UNREACHABLE_S = 5.0

log = logging.getLogger(__name__)


class PairingError(Exception):
    """The speaker cannot be paired; the message is a sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """What the server answers to a speaker that wants to be paired; seconds for `expires_in`, `interval`."""

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int
    interval: int = 5


@dataclass(frozen=True, kw_only=True)
class _Claimed:
    device_id: str
    ws_path: str
    plan_url: str
    token: str = ""


Sleep = Callable[[float], Awaitable[None]]


async def pair(
    network: Network,
    server: str,
    *,
    hardware_id: str,
    name: str,
    show: Callable[[Invitation], None],
    sleep: Sleep = asyncio.sleep,
) -> Identity:
    """Asks for a code, shows it, and waits until a person has entered it; a code that expires is renewed.

    Raises `PairingError` if the person refuses the speaker, or the server does not know pairing.
    """
    wish = {"hardware_id": hardware_id, "name": name or platform.node(), "software": SOFTWARE}
    while True:
        answer = await _patiently(network, resolve(server, "/api/devices/pair/"), wish, sleep)
        if answer.status == 429:
            await sleep(float(answer.headers.get("retry-after", UNREACHABLE_S)))
            continue
        if answer.status != 201:
            raise PairingError(f"The server does not pair this speaker: {_why(answer)}")
        invitation = _understood(Invitation, answer)
        show(invitation)
        identity = await _poll(network, server, invitation, sleep)
        if identity is not None:
            return identity
        log.info("the code has expired; asking for a new one")


async def identify(network: Network, server: str, token: str, sleep: Sleep = asyncio.sleep) -> Identity:
    """Who the server says this token is; waits for a server that cannot be reached. Raises `PairingError`."""
    while True:
        try:
            answer = await network.request("GET", resolve(server, "/api/devices/self/"), token=token)
        except NetworkError as error:
            log.warning("%s", error)
            await sleep(UNREACHABLE_S)
            continue
        if answer.status >= 500 or answer.status == 429:
            log.warning("the server answered %d", answer.status)
            await sleep(UNREACHABLE_S)
            continue
        if answer.status != 200:
            raise PairingError(f"The server does not accept the token: {_why(answer)}")
        return _identity(server, token, _understood(_Claimed, answer))


async def _poll(network: Network, server: str, invitation: Invitation, sleep: Sleep) -> Identity | None:
    interval = float(invitation.interval)
    url = resolve(server, "/api/devices/pair/token/")
    while True:
        await sleep(interval)
        answer = await _patiently(network, url, {"device_code": invitation.device_code}, sleep)
        if answer.status == 200:
            claimed = _understood(_Claimed, answer)
            return _identity(server, claimed.token, claimed)
        match _code(answer):
            case "authorization_pending":
                continue
            case "slow_down":
                interval += SLOW_DOWN_S
            case "expired_token":
                return None
            case "access_denied":
                raise PairingError("A person has refused this speaker; start it again to ask anew.")
            case _ if answer.status == 429 or answer.status >= 500:
                interval += SLOW_DOWN_S
            case _:
                raise PairingError(f"Pairing failed: {_why(answer)}")


async def _patiently(network: Network, url: str, body: dict[str, str], sleep: Sleep) -> Answer:
    while True:
        try:
            answer = await network.request("POST", url, json=body)
        except NetworkError as error:
            log.warning("%s", error)
        else:
            if answer.status < 500:
                return answer
            log.warning("the server answered %d", answer.status)
        await sleep(UNREACHABLE_S)


def _identity(server: str, token: str, claimed: _Claimed) -> Identity:
    return Identity(
        server=server,
        token=token,
        device_id=claimed.device_id,
        ws_path=claimed.ws_path,
        plan_url=claimed.plan_url,
    )


def _understood(cls: Any, answer: Answer) -> Any:
    try:
        return build(cls, answer.json())
    except (DocumentError, NetworkError) as error:
        raise PairingError(
            f"The server's answer is not understood ({error}): is this a sync2gear server?"
        ) from error


def _problem(answer: Answer) -> dict[str, Any]:
    try:
        document = answer.json()
    except NetworkError:
        return {}
    return document if isinstance(document, dict) else {}


def _code(answer: Answer) -> str:
    return str(_problem(answer).get("code", ""))


def _why(answer: Answer) -> str:
    problem = _problem(answer)
    return str(problem.get("detail") or problem.get("title") or f"it answered {answer.status}")
