"""Sounds that lie in a bucket: the speaker's page fetches them from there, once the bucket allows it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from journeys import lab
from journeys.acts import online, speak
from playwright.sync_api import Playwright

from e2e import chromium
from testing import s3

pytestmark = [pytest.mark.system, pytest.mark.alone]

OPERATIONS = Path(__file__).parents[1] / "docs" / "operations.md"
DOCUMENTED = "https://sound.example.com"
"""The origin of the pages in the documented rule."""


def documented_rule(origin: str) -> Any:
    """The bucket's CORS rule as operators are told it, for pages of this origin."""
    found = re.search(
        r"^    (\{\"CORSRules\".*?\n    \}\]\})$", OPERATIONS.read_text(), re.DOTALL | re.MULTILINE
    )
    assert found is not None
    assert DOCUMENTED in found[1]
    return json.loads(found[1].replace(DOCUMENTED, origin))


def test_a_page_plays_from_a_bucket_that_has_the_documented_rule(
    playwright: Playwright,
    tmp_path: Path,
) -> None:
    with s3.running() as endpoint:
        bucket = s3.fresh_bucket(endpoint)
        server = lab.Server(tmp_path / "server", environ={"USE_S3": "True", **s3.environment_of(bucket)})
        with lab.stopped_at_the_end([server]):
            server.start()
            owner = lab.register(server)
            floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground"})
            announcement = speak(owner, "Fresh bread.")

            def played() -> Any:
                """What became of the words."""
                path = f"/api/announcements/{announcement['id']}/play/"
                order = owner.call("POST", path, expect=202, json={"all": True})
                return lab.wait_for(
                    "its end", lambda: closed(owner.event(order["events"][0]["id"])), seconds=120, every=0.5
                )

            with chromium.profile(playwright, tmp_path / "profile") as browser:
                page = chromium.SpeakerPage.open(browser, server.url, ears=False)
                device = page.pair(owner, "Tablet", floor["id"])
                lab.wait_for("a clock", lambda: online(owner, device), every=0.3)
                refused = played()
                assert (refused["status"], refused["reason"]) == ("failed", "download_failed"), refused
                s3.client_of(endpoint).put_bucket_cors(
                    Bucket=bucket.bucket, CORSConfiguration=documented_rule(server.url)
                )
                event = played()
                assert event["status"] == "completed", event
                assert page.problems == []


def closed(event: Any) -> Any:
    """The event, once it is over."""
    return event if event["status"] in ("completed", "failed") else None
