"""`/api/ai-providers/`: what staff see and set; the key goes in and never comes out."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.db import connection

from ai_config.models import AIProvider, AIUsage
from ai_config.tests.fake_providers import KEY, Fault
from common import clock
from users.tests.support import raw_trail, trail

pytestmark = pytest.mark.django_db

URL = "/api/ai-providers/"
NEW = {"name": "Ours", "provider": "openai", "api_key": KEY}


def test_made_shown_and_its_key_nowhere(call, staff, caplog):
    api = call(staff)
    made = api.post(URL, NEW)
    assert made.status_code == 201, made.data
    assert made.data["key_last_four"] == KEY[-4:]
    assert made.data["kinds"] == ["speech", "copy"]
    assert made.data["in_force"]["speech_model"] == "tts-1"
    assert made.data["in_force"]["price_per_1000_characters_usd"] == "0.015000"
    assert made.data["breaker"]["state"] == "closed"
    assert made.data["spending"] == {
        "requests_today": 0,
        "requests_left_today": 1000,
        "spent_this_month_usd": "0.000000",
        "left_this_month_usd": "500.000000",
    }
    shown = json.dumps([api.get(URL).data, api.get(f"{URL}{made.data['id']}/").data], default=str)
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM ai_providers")
        stored = cursor.fetchone()[0]
    for text in (json.dumps(made.data, default=str), shown, stored, raw_trail(), caplog.text):
        assert KEY not in text
    assert AIProvider.objects.get().api_key == KEY


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"api_key": ""}, "api_key", "blank"),
        ({"api_key": "x" * 501}, "api_key", "max_length"),
        ({"provider": "other"}, "provider", "invalid_choice"),
        ({"monthly_budget_usd": "-1"}, "monthly_budget_usd", "min_value"),
        ({"daily_request_limit": -1}, "daily_request_limit", "min_value"),
        ({"price_per_1000_characters_usd": "-0.1"}, "price_per_1000_characters_usd", "min_value"),
        ({"base_url": "http://api.example.com"}, "base_url", "not_https"),
        ({"base_url": "http://127.0.0.1:9000"}, "base_url", "not_https"),
        ({"base_url": "https://user:pass@api.example.com"}, "base_url", "bad_address"),
        ({"base_url": "https://"}, "base_url", "bad_address"),
        ({"base_url": "https://api.example.com:x"}, "base_url", "bad_address"),
        ({"base_url": "file:///etc/passwd"}, "base_url", "bad_address"),
        ({"default_voice": "x" * 81}, "default_voice", "max_length"),
    ],
)
def test_refused(call, staff, fields, field, code):
    answer = call(staff).post(URL, NEW | fields)
    assert (answer.status_code, answer.data["code"]) == (400, "validation_failed"), answer.data
    assert [(error["field"], error["code"]) for error in answer.data["errors"]] == [(field, code)]
    assert not AIProvider.objects.exists()


def test_a_local_address_is_for_debugging(call, staff, settings):
    settings.DEBUG = True
    answer = call(staff).post(URL, NEW | {"base_url": "http://127.0.0.1:9000"})
    assert answer.status_code == 201
    answer = call(staff).post(URL, NEW | {"base_url": "http://api.example.com"})
    assert answer.status_code == 400


def test_changed(call, staff, provider):
    account = provider("openai", base_url="")
    AIProvider.objects.update(requests_today=7, total_requests=7)
    api = call(staff)
    answer = api.patch(f"{URL}{account.pk}/", {"order": 1, "monthly_budget_usd": "9.99"})
    assert answer.status_code == 200, answer.data
    assert (answer.data["order"], answer.data["monthly_budget_usd"]) == (1, "9.99")
    assert answer.data["total_requests"] == 7
    answer = api.patch(f"{URL}{account.pk}/", {"provider": "google"})
    assert answer.data["errors"][0]["code"] == "provider_fixed"
    answer = api.patch(f"{URL}{account.pk}/", {"total_requests": 0})
    assert answer.data["total_requests"] == 7
    assert [entry.details["after"].keys() for entry in trail("update")] == [{"order", "monthly_budget_usd"}]


def test_a_save_elsewhere_forgets_no_call(provider):
    """Django's admin saves whole rows, which may be old by then."""
    account = provider("openai")
    AIProvider.objects.update(requests_today=7, spent_microusd=7)
    account.name = "New"
    account.save()
    account.refresh_from_db()
    assert (account.name, account.requests_today, account.spent_microusd) == ("New", 7, 7)


def test_another_key_is_asked_at_once(call, staff, provider):
    account = provider("openai", base_url="")
    AIProvider.objects.update(open_until=clock.now().replace(year=2100), failures_in_a_row=9)
    api = call(staff)
    assert api.get(f"{URL}{account.pk}/").data["breaker"]["state"] == "open"
    api.patch(f"{URL}{account.pk}/", {"name": "New"})
    assert api.get(f"{URL}{account.pk}/").data["breaker"]["state"] == "open"
    shown = api.patch(f"{URL}{account.pk}/", {"api_key": "sk-another-key-9999"}).data
    assert (shown["breaker"]["state"], shown["key_last_four"]) == ("closed", "9999")


def test_a_short_key_is_not_shown_in_part(call, staff):
    assert call(staff).post(URL, NEW | {"api_key": "short"}).data["key_last_four"] == ""


def test_toggled_and_removed(call, staff, provider):
    account = provider("openai", base_url="")
    api = call(staff)
    assert [api.post(f"{URL}{account.pk}/toggle/").data["is_active"] for _ in range(2)] == [False, True]
    assert [entry.details["after"] for entry in trail("toggle")] == [
        {"is_active": False},
        {"is_active": True},
    ]
    assert api.delete(f"{URL}{account.pk}/").status_code == 204
    assert not AIProvider.objects.exists()


def test_in_their_order_and_filtered(call, staff, provider, django_assert_num_queries):
    for order, kind in ((3, "openai"), (1, "google"), (2, "anthropic")):
        provider(kind, order=order, base_url="", is_active=kind != "google")
    api = call(staff)
    rows = api.get(URL).data["results"]
    assert [row["provider"] for row in rows] == ["google", "anthropic", "openai"]
    assert [row["provider"] for row in api.get(f"{URL}?is_active=true").data["results"]] == [
        "anthropic",
        "openai",
    ]
    with django_assert_num_queries(3):  # who asks, how many, the page
        api.get(URL)


@pytest.mark.parametrize(
    ("kind", "body", "serves"),
    [("openai", {}, "speech"), ("openai", {"kind": "copy"}, "copy"), ("anthropic", {}, "copy")],
)
def test_tried(call, staff, provider, fake, kind, body, serves):
    account = provider(kind, is_active=False, open_until=clock.now().replace(year=2100))
    answer = call(staff).post(f"{URL}{account.pk}/test/", body)
    assert answer.status_code == 200, answer.data
    assert (answer.data["ok"], answer.data["kind"], answer.data["code"]) == (True, serves, "")
    assert Decimal(answer.data["cost_usd"]) > 0
    assert answer.data["latency_ms"] >= 0
    account.refresh_from_db()
    assert (account.requests_today, account.open_until) == (1, None)
    assert AIUsage.objects.get().client_id is None
    assert trail("test")[0].details["kind"] == serves


@pytest.mark.parametrize(
    ("fault", "fields", "code"),
    [
        (Fault(429, {}, {"Retry-After": "9"}), {}, "rate_limited"),
        (None, {"api_key": "sk-wrong-key-1234"}, "unauthorized"),
        (None, {"daily_request_limit": 0}, "daily_limit"),
        (None, {"monthly_budget_usd": 0}, "monthly_budget"),
    ],
)
def test_tried_in_vain(call, staff, provider, fake, fault, fields, code):
    account = provider("openai", **fields)
    fake.faults[""] = fault or Fault()
    answer = call(staff).post(f"{URL}{account.pk}/test/")
    assert (answer.status_code, answer.data["ok"], answer.data["code"]) == (200, False, code)
    assert "sk-" not in json.dumps(answer.data)


def test_tried_for_what_it_does_not_serve(call, staff, provider):
    account = provider("anthropic")
    answer = call(staff).post(f"{URL}{account.pk}/test/", {"kind": "speech"})
    assert (answer.status_code, answer.data["errors"][0]["code"]) == (400, "not_served")


def test_tried_too_often(call, staff, provider):
    account = provider("openai", daily_request_limit=0)
    api = call(staff)
    statuses = [api.post(f"{URL}{account.pk}/test/").status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]


def test_usage(call, staff, provider, shop, django_assert_num_queries):
    account = provider("openai", base_url="")
    for client in (shop.client, None):
        AIUsage.objects.create(
            provider=account,
            provider_name="x",
            client=client,
            day="2026-03-01",
            requests=2,
            cost_microusd=1234567,
        )
    AIUsage.objects.create(provider_id=account.pk, provider_name="x", client_id=10**9, day="2026-03-02")
    api = call(staff)
    with django_assert_num_queries(4):  # who asks, the account, how many, the page
        rows = api.get(f"{URL}{account.pk}/usage/").data["results"]
    assert [(row["day"], row["client_name"], row["cost_usd"]) for row in rows] == [
        ("2026-03-02", "", "0.000000"),
        ("2026-03-01", "Our shop", "1.234567"),
        ("2026-03-01", "", "1.234567"),
    ]
