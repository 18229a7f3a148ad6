"""Keeps this speaker's plan: fetched by ETag, persisted, and the last good one held when a fetch fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from sync2gear_player.documents import DocumentError
from sync2gear_player.network import Network, NetworkError, resolve
from sync2gear_player.plan import Plan, parse
from sync2gear_player.store import StateFolder

POLL_S = 900.0
"""Asked anyway this often: a `plan_changed` may have been lost."""
RENEW_BEFORE_S = 300.0
"""A plan, or the URL of a file that is not here yet, is renewed this long before it ends."""
RETRY_CEILING_S = 60.0
REFUSED_S = 900.0
"""A token that is not accepted is tried again this often, as on the socket."""

log = logging.getLogger(__name__)


class PlanKeeper:
    """Holds `plan`; `run` keeps it fresh and calls `changed` with each new one."""

    def __init__(
        self,
        *,
        network: Network,
        state: StateFolder,
        server: str,
        url: str,
        token: str,
        now: Callable[[], int],
        lacking: Callable[[], bool],
        changed: Callable[[Plan], None],
    ) -> None:
        self.plan: Plan | None = None
        self._network = network
        self._state = state
        self._server = server
        self._url = url
        self._token = token
        self._now = now
        self._lacking = lacking
        self._changed = changed
        self._http_etag = ""
        self._anew = False
        self._refused = False
        self._wake = asyncio.Event()
        self._waiters: list[asyncio.Future[str]] = []

    @property
    def etag(self) -> str:
        """The plan's own ETag, "" without a plan."""
        return self.plan.etag if self.plan is not None else ""

    def load(self) -> None:
        """Takes up the plan that was kept before the last stop, and calls `changed` with it."""
        kept = self._state.load_document("plan")
        if not isinstance(kept, dict):
            return
        try:
            self.plan = parse(kept.get("plan"))
        except DocumentError as error:
            log.warning("the kept plan is not understood (%s)", error)
            return
        self._http_etag = str(kept.get("http_etag", ""))
        self._changed(self.plan)

    def use_url(self, url: str) -> None:
        """Where the server says the plan is now."""
        self._url = url or self._url

    def refresh(self, *, anew: bool = False) -> None:
        """Asks soon; `anew` without If-None-Match, since fresh URLs do not change the ETag."""
        self._anew = self._anew or anew
        self._wake.set()

    async def refetch(self) -> str:
        """Asks at once and anew; "" if it went well, else what went wrong."""
        waiter: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self.refresh(anew=True)
        return await waiter

    async def run(self) -> None:
        """Keeps the plan fresh for ever; returns only by cancellation."""
        failures = 0
        while True:
            self._wake.clear()
            problem = await self._fetch()
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(problem)
            self._waiters.clear()
            failures = failures + 1 if problem else 0
            if problem:
                log.warning("the plan could not be fetched: %s", problem)
            if self._refused:
                wait = REFUSED_S
            else:
                wait = min(RETRY_CEILING_S, 2.0 ** min(failures, 10)) if problem else self._next_s()
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _next_s(self) -> float:
        plan = self.plan
        if plan is None:
            return POLL_S
        ends = [plan.valid_until]
        if self._lacking():
            ends += [asset.url_expires_at for asset in plan.assets if asset.url_expires_at]
        soonest_s = (min(ends) - self._now()) / 1e6
        if soonest_s - RENEW_BEFORE_S < POLL_S:
            self._anew = True
        # Never faster than twice a minute, though the server's plan may be short or its clock behind.
        return max(30.0, min(POLL_S, soonest_s - RENEW_BEFORE_S))

    async def _fetch(self) -> str:
        anew, self._anew = self._anew, False
        try:
            answer = await self._network.request(
                "GET",
                resolve(self._server, self._url),
                token=self._token,
                etag="" if anew else self._http_etag,
            )
            if answer.status == 304 and self.plan is not None:
                return ""
            self._refused = answer.status in (401, 403)
            if answer.status != 200:
                return f"the server answered {answer.status}"
            document: Any = answer.json()
            plan = parse(document)
        except (NetworkError, DocumentError) as error:
            self._anew = anew
            return str(error)
        etag = answer.headers.get("etag", "")
        if plan == self.plan and etag == self._http_etag:
            return ""
        self.plan, self._http_etag = plan, etag
        try:
            await asyncio.to_thread(self._state.save, "plan", {"http_etag": etag, "plan": document})
        except OSError as error:
            log.error("the plan could not be kept for a restart: %s", error.strerror)
        self._changed(plan)
        return ""
