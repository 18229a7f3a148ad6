"""Django's admin over every model: all of its pages, for whom, without secrets, in a constant number of queries."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as current_settings
from django.contrib.admin import site
from django.db import connection
from django.db.models import Model
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.admin import StaffAdmin
from common.tenancy import system_scope
from conftest import PASSWORD, Business, make_user
from core.admin_theme import MENU
from core.tests.admin_rows import MAKERS, SECRET, make_row, music
from music.models import MusicFile
from users.models import User

pytestmark = pytest.mark.django_db

ADMINS = {model._meta.label: admin for model, admin in site._registry.items()}
OURS = {
    model._meta.label
    for model in apps.get_models()
    if (Path(current_settings.BASE_DIR) / model._meta.app_label).is_dir()
}
SHOWN_WITHIN = {
    inline.model._meta.label: label for label, admin in ADMINS.items() for inline in admin.inlines
}

WITHOUT_A_PAGE = {
    "ai_config.AIReservation": "a call under way: it lives for seconds",
    "clients.CreditHold": "what a call under way costs: it lives for seconds",
    "ai_config.AIUsage": "the provider's usage in the API, day by day",
    "audit.AuditChain": "heads of chains: `manage.py verify_audit` prints them",
    "schedules.ClientLock": "what the scheduler remembers of locks; the business shows its own, and the trail has them",
    "announcements.SpeechClip": "a cache: nothing to administer",
    "users.UserSession": "sign-ins end by their person, by an admin in the API, or with the account",
    "common.IdempotencyRecord": "answers to repeated requests, kept for a day: nothing to administer",
    "devices.ListeningSpan": "when the server listened, against which outages are counted: nobody's in particular",
    "playlists.FloorProgramme": "what the tick has to do next; its results are the programme's revisions",
    "schedules.ScheduleOccurrence": "which plays belong to which schedule: the plays themselves are listed",
}
"""Models that are not in the admin, and why."""


@pytest.fixture
def boss() -> User:
    """A super admin, as `createsuperuser` makes them."""
    return User.everyone.create_superuser("boss@example.com", "boss@example.com", PASSWORD)


@pytest.fixture
def browser(boss: User) -> Browser:
    """Signed in to the admin."""
    browser = Browser()
    browser.force_login(boss)
    return browser


def page(label: str, name: str, *args: Any) -> str:
    """The path of a page of this model."""
    model = apps.get_model(label)
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def seen(browser: Browser, path: str) -> str:
    """The text of a page that has to be there, with no secret in it and nothing from elsewhere."""
    answer = browser.get(path, follow=True)
    assert answer.status_code == 200, path
    assert "e=1" not in answer.request["QUERY_STRING"], f"{path} is not understood"
    text = answer.content.decode()
    assert SECRET not in text, "a secret is shown"
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text), "it loads from elsewhere"
    return text


# --- every model -----------------------------------------------------------------------------------------


def test_every_model_is_in_the_admin_or_says_why_not() -> None:
    there = ADMINS.keys() | SHOWN_WITHIN.keys()
    assert OURS - there - WITHOUT_A_PAGE.keys() == set(), "give it an admin.py, or a reason"
    assert WITHOUT_A_PAGE.keys() - (OURS - there) == set(), "stale: these have a page, or are gone"
    assert ADMINS.keys() - OURS == set(), "what is not ours is left out: core/admin.py"


def test_every_admin_keeps_the_rules() -> None:
    """Nothing is written past `StaffAdmin`, and each has a row to be tested with."""
    assert {label for label, admin in ADMINS.items() if not isinstance(admin, StaffAdmin)} == set()
    assert ADMINS.keys() == MAKERS.keys()


def test_every_list_is_in_the_menu() -> None:
    menu = {view for _, entries in MENU for _, _, view in entries} - {"index"}
    assert menu == {f"{label.lower().replace('.', '_')}_changelist" for label in ADMINS}


@pytest.mark.parametrize("label", ADMINS)
def test_the_list(label: str, browser: Browser) -> None:
    """With a search, by every column, under every filter."""
    make_row(label)
    admin: Any = ADMINS[label]
    path = page(label, "changelist")
    assert "result_list" in seen(browser, path)
    if admin.search_fields:
        seen(browser, f"{path}?q=a+b")
    for column in range(1, len(admin.list_display) + 1):
        seen(browser, f"{path}?o={column}.-{column}")
    for query in queries(admin):
        assert browser.get(f"{path}?{query}").status_code == 200, f"{query} is not understood"


def queries(admin: Any) -> list[str]:
    """One query for each filter of a list."""
    wanted = []
    for entry in admin.list_filter:
        if isinstance(entry, tuple):
            field = admin.model._meta.get_field(entry[0])
            if field.is_relation:
                wanted.append(f"{entry[0]}__id__exact=1")
            elif field.choices:
                wanted.append(f"{entry[0]}__exact={field.choices[0][0]}")
            else:
                wanted.append(f"{entry[0]}_from_0=2026-01-01&{entry[0]}_from_1=00:00:00")
        elif isinstance(entry, str):
            wanted.append(f"{entry}__exact=1")
        else:
            wanted += [f"{entry.parameter_name}={key}" for key, _ in entry.lookups(None, None, None)]
    return wanted


@pytest.mark.once("embedded")
@pytest.mark.parametrize("label", ADMINS)
def test_the_list_asks_as_often_for_many_rows_as_for_one(label: str, browser: Browser) -> None:
    counts = []
    for _ in range(2):
        make_row(label)
        browser.get(page(label, "changelist"))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            browser.get(page(label, "changelist"))
        counts.append(len(captured))
        make_row(label)
        make_row(label)
    assert counts[0] == counts[1]
    assert counts[0] < 12


@pytest.mark.once("embedded")
@pytest.mark.parametrize("label", ADMINS)
def test_the_pages_of_a_row(label: str, browser: Browser) -> None:
    row, admin = make_row(label), ADMINS[label]
    seen(browser, page(label, "change", row.pk))
    seen(browser, page(label, "history", row.pk))
    for allowed, path in (
        (admin.create_row, page(label, "add")),
        (admin.delete_row, page(label, "delete", row.pk)),
    ):
        if allowed is None:
            assert browser.get(path).status_code == 403
        else:
            seen(browser, path)
    for action in admin._extract_action_names(admin.actions_detail):
        path = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_{action}", args=(row.pk,))
        assert "csrfmiddlewaretoken" in seen(browser, path)


@pytest.mark.once("embedded")
@pytest.mark.parametrize("label", ADMINS)
def test_what_is_read_only_is_not_written(label: str, browser: Browser) -> None:
    row, admin = make_row(label), ADMINS[label]
    if admin.update_row is None:
        assert browser.post(page(label, "change", row.pk), {}).status_code == 403
    if admin.delete_row is None:
        assert browser.post(page(label, "delete", row.pk), {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
        browser.post(page(label, "changelist"), chosen)
    with system_scope("the test looks at the row"):
        model: type[Model] = type(row)
        assert model._base_manager.filter(pk=row.pk).exists()


@pytest.mark.once("embedded")
@pytest.mark.parametrize("label", ADMINS)
def test_nobody_else_gets_in(label: str, shop: Business) -> None:
    row = make_row(label)
    people = [
        None,
        shop.admin,
        shop.floor_user,
        make_user("admin"),  # the role without Django's own flag
        make_user("client", shop.client, is_staff=True, is_superuser=True),  # the flags without the role
        make_user("admin", is_staff=True, is_active=False),
    ]
    for person in people:
        browser = Browser()
        if person is not None:
            browser.force_login(person)
        for path in (page(label, "changelist"), page(label, "change", row.pk)):
            answer = browser.get(path)
            assert answer.status_code == 302, person
            assert answer["Location"].startswith("/admin/login/")


# --- filters ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"Old", "New"}),
        ("created_at_from_0=2026-03-02", {"New"}),
        ("created_at_to_0=2026-03-01", {"Old"}),
        ("created_at_from_0=2026-03-01&created_at_from_1=12:00:00&created_at_to_0=2026-03-01", {"Old"}),
        ("created_at_from_0=2026-03-01&created_at_from_1=12:00:01&created_at_to_0=2026-03-01", set()),
        ("created_at_from_0=nonsense", {"Old", "New"}),
        ("client__id__exact={client}", {"Old", "New"}),
        ("client__id__exact={other}", set()),
        ("status__exact=ready", {"New"}),
        ("q=ol", {"Old"}),
    ],
)
def test_filters_of_a_list(
    query: str, found: set[str], browser: Browser, shop: Business, other_shop: Business
) -> None:
    with system_scope("test data"):
        for name, day, status in (("Old", 1, "failed"), ("New", 2, "ready")):
            row = music(shop, name=name, status=status)
            MusicFile.objects.filter(pk=row.pk).update(created_at=datetime(2026, 3, day, 12, tzinfo=UTC))
    query = query.format(client=shop.client.pk, other=other_shop.client.pk)
    text = seen(browser, f"{page('music.MusicFile', 'changelist')}?{query}")
    assert set(re.findall(r">(Old|New)</a>", text)) == found
