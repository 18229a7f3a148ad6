"""Forms keep what was typed: nothing is lost without a question, and nobody overwrites another without being told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from journeys import lab
from playwright.sync_api import Browser, Dialog, Page, expect

from e2e.visit import PASSWORD, sign_in, to, visitor

pytestmark = [pytest.mark.system, pytest.mark.alone]


@contextmanager
def keeper(browser: Browser, server: lab.Server, business: str) -> Iterator[tuple[lab.Person, Page]]:
    """Who owns a business with a floor, the Bakery: by the API, and on the page Now."""
    owner = lab.register(server, business)
    owner.call("POST", "/api/floors/", expect=201, json={"name": "Bakery"})
    with visitor(browser, server) as page:
        sign_in(page, owner.get("/api/auth/me/")["email"], "open sesame every day")
        yield owner, page


def test_nothing_typed_is_lost_without_a_question(server: lab.Server, browser: Browser) -> None:
    with keeper(browser, server, "Careful Shop") as (_, page):
        leaving = page.get_by_role("dialog", name="Leave without saving?")
        page.get_by_role("button", name="Change Bakery").click()
        dialog = page.get_by_role("dialog", name="Change this floor")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()  # nothing was typed

        page.get_by_role("button", name="Change Bakery").click()
        dialog.get_by_label("Name of the floor").fill("Bread")
        page.keyboard.press("Escape")
        leaving.get_by_role("button", name="Stay here").click()
        expect(dialog.get_by_label("Name of the floor")).to_have_value("Bread")
        page.mouse.click(5, 5)  # beside the dialog
        leaving.get_by_role("button", name="Leave without saving").click()
        expect(dialog).to_be_hidden()
        expect(page.get_by_role("heading", name="Bakery", exact=True)).to_be_visible()

        to(page, "Announcements")
        page.get_by_role("link", name="New announcement").first.click()
        page.get_by_label("Title").press_sequentially("Cheese")
        page.get_by_role("link", name="Music").first.click()
        leaving.get_by_role("button", name="Stay here").click()
        page.go_back()
        leaving.get_by_role("button", name="Stay here").click()
        expect(page).to_have_url(f"{server.url}/announcements/new")
        expect(page.get_by_label("Title")).to_have_value("Cheese")
        asked: list[str] = []

        def stay(box: Dialog) -> None:
            asked.append(box.type)
            box.dismiss()

        page.once("dialog", stay)
        page.evaluate("setTimeout(() => location.reload())")
        expect(page.get_by_label("Title")).to_have_value("Cheese")
        page.wait_for_timeout(500)
        assert asked == ["beforeunload"]
        page.go_back()
        leaving.get_by_role("button", name="Leave without saving").click()
        page.get_by_role("heading", name="Announcements", exact=True).wait_for()
        expect(page).to_have_url(f"{server.url}/announcements")


def test_who_was_quicker_is_told_and_one_chooses(server: lab.Server, browser: Browser) -> None:
    with keeper(browser, server, "Busy Shop") as (owner, page):
        floor = owner.get("/api/floors/")["results"][0]
        path = f"/api/floors/{floor['id']}/"
        person = {"name": "Ben Baker", "email": "ben@shop.example", "role": "client", "password": PASSWORD}
        owner.call("POST", "/api/users/", expect=201, json=person)
        ben = lab.Person(httpx.Client(base_url=server.url, timeout=30))
        token = ben.call(
            "POST", "/api/auth/login/", expect=200, json={"email": person["email"], "password": PASSWORD}
        )
        ben.http.headers["Authorization"] = f"Bearer {token['access']}"

        def both_change(name: str) -> None:
            """Ben saves a name and a volume while the dialog is open, in which the name becomes another."""
            page.get_by_role("button", name="Change").first.click()
            page.get_by_label("Name of the floor").fill(name)
            ben.call("PATCH", path, expect=200, json={"name": f"{name} of Ben", "max_volume": 90})
            page.get_by_role("button", name="Save", exact=True).click()
            told = page.get_by_role("alert")
            expect(told).to_contain_text("ben@shop.example has saved this while you had it open")
            expect(told).to_contain_text(f"{name} of Ben (yours: {name})")

        both_change("Bread")
        page.get_by_role("button", name="Save mine").click()
        expect(page.get_by_role("heading", name="Bread", exact=True)).to_be_visible()
        now = owner.get(path)
        assert (now["name"], now["max_volume"]) == ("Bread", 90)

        both_change("Rolls")
        page.get_by_role("button", name="Take theirs").click()
        expect(page.get_by_label("Name of the floor")).to_have_value("Rolls of Ben")
        page.keyboard.press("Escape")
        expect(page.get_by_role("heading", name="Rolls of Ben", exact=True)).to_be_visible()
        assert owner.get(path)["name"] == "Rolls of Ben"
