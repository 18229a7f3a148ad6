"""Webhooks on the API: making, changing, secrets, the test button, deliveries, sending again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from audit.models import AuditLog
from common import clock
from common.tenancy import system_scope
from webhooks import outbox, sending, services
from webhooks.domain import catalogue
from webhooks.models import Webhook, WebhookDelivery
from webhooks.tests.receiver import status

pytestmark = pytest.mark.django_db

URL = "/api/webhooks/"
PUBLIC = "https://8.8.8.8/hook"


def body(**fields: Any) -> dict[str, Any]:
    return {"url": PUBLIC, "events": ["device.offline"]} | fields


def stored(pk: int) -> Webhook:
    with system_scope("the test looks at the row"):
        return Webhook.objects.get(pk=pk)


def audited() -> list[tuple[str, dict[str, Any]]]:
    with system_scope("the test looks at the trail"):
        rows = AuditLog.objects.filter(resource="webhook").order_by("pk")
        return [(row.action, json.loads(row.details)) for row in rows]


def test_its_secret_is_shown_once_and_never_again(call: Any, shop: Any) -> None:
    api = call(shop.admin)
    made = api.post(
        URL, body(description="Head office", events=["play.failed", "device.offline", "play.failed"])
    )
    assert made.status_code == 201, made.json()
    shown = made.json()
    secret = shown.pop("secret")
    assert secret.startswith("whsec_")
    assert stored(shown["id"]).secret == secret
    assert (shown["client"], shown["events"], shown["is_active"]) == (
        shop.client.pk,
        ["device.offline", "play.failed"],
        True,
    )
    path = f"{URL}{shown['id']}/"
    for answer in (api.get(path), api.get(URL), api.patch(path, {"description": "N"})):
        assert answer.status_code == 200
        assert secret not in answer.content.decode()
        assert '"secret"' not in answer.content.decode()
    assert secret not in json.dumps(audited())
    assert [action for action, _ in audited()] == ["create", "update"]


def test_the_secret_is_encrypted_at_rest(call: Any, shop: Any) -> None:
    from django.db import connection

    secret = call(shop.admin).post(URL, body()).json()["secret"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM webhooks")
        assert secret not in cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"url": "https://127.0.0.1:8443/"}, "url", "target_refused"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "url", "target_refused"),
        ({"url": "https://localhost/"}, "url", "target_refused"),
        ({"url": "http://8.8.8.8/"}, "url", "target_refused"),
        ({"url": "https://u:p@8.8.8.8/"}, "url", "target_refused"),
        ({"url": ""}, "url", "target_refused"),
        ({"url": None}, "url", "null"),
        ({"url": {"a": 1}}, "url", "invalid"),
        ({"events": []}, "events", "empty"),
        ({"events": ["device.exploded"]}, "events.0", "invalid_choice"),
        ({"events": ["webhook.test"]}, "events.0", "invalid_choice"),
        ({"events": "device.offline"}, "events", "not_a_list"),
    ],
)
def test_what_is_refused(call: Any, shop: Any, make_webhook: Any, fields: Any, field: str, code: str) -> None:
    webhook = make_webhook(shop)
    api = call(shop.admin)
    for answer in (api.post(URL, body(**fields)), api.patch(f"{URL}{webhook.pk}/", fields)):
        assert answer.status_code == 400, answer.json()
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert stored(webhook.pk).url == webhook.url


def test_a_name_with_a_private_address_is_refused_and_one_without_any_is_not(
    call: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "addresses_of", lambda target: ["8.8.8.8", "192.168.0.7"])
    refused = call(shop.admin).post(URL, body(url="https://two.example/"))
    assert (refused.status_code, refused.json()["code"]) == (400, "target_refused")
    monkeypatch.setattr(sending, "addresses_of", lambda target: [])
    assert call(shop.admin).post(URL, body(url="https://soon.example/")).status_code == 201


def test_a_business_has_so_many_and_no_more(call: Any, shop: Any, other_shop: Any, make_webhook: Any) -> None:
    for _ in range(services.MOST_WEBHOOKS):
        make_webhook(shop)
    answer = call(shop.admin).post(URL, body())
    assert (answer.status_code, answer.json()["code"]) == (403, "webhook_limit")
    assert call(other_shop.admin).post(URL, body()).status_code == 201


def test_staff_name_the_business(call: Any, staff: Any, shop: Any, other_shop: Any) -> None:
    assert call(staff).post(URL, body()).json()["errors"][0]["field"] == "client"
    assert call(staff).post(URL, body(client=other_shop.client.pk)).json()["client"] == other_shop.client.pk


def test_a_locked_business_changes_nothing_and_reads(call: Any, shop: Any, make_webhook: Any) -> None:
    webhook = make_webhook(shop)
    with system_scope("test data"):
        shop.client.status = "suspended"
        shop.client.save()
    api = call(shop.admin)
    assert api.get(URL).status_code == 200
    assert api.post(f"{URL}{webhook.pk}/test/").json()["code"] == "client_suspended"


# --- secrets ---------------------------------------------------------------------------------------------


def test_after_a_rotation_both_secrets_sign_for_a_day(
    call: Any, shop: Any, receiver: Any, make_webhook: Any
) -> None:
    webhook = make_webhook(shop, url=receiver.url)
    answer = call(shop.admin).post(f"{URL}{webhook.pk}/rotate-secret/")
    assert answer.status_code == 200
    fresh = answer.json()["secret"]
    assert fresh != webhook.secret
    now, row = clock.now(), stored(webhook.pk)
    assert row.secrets_at(now) == [fresh, webhook.secret]
    assert row.secrets_at(now + services.OLD_SECRET_HOLDS) == [fresh]
    call(shop.admin).post(f"{URL}{webhook.pk}/test/")
    [request] = receiver.received
    for secret in (fresh, webhook.secret):
        Verifier(secret).verify(request.body, request.headers)
    assert [action for action, _ in audited()][-3:] == ["update", "rotate_secret", "test"]
    assert fresh not in json.dumps(audited())


# --- the test button -------------------------------------------------------------------------------------


def test_the_test_button_says_what_the_target_said(
    call: Any, shop: Any, receiver: Any, make_webhook: Any
) -> None:
    webhook = make_webhook(shop, url=receiver.url, is_active=False)
    receiver.will(status(200, "schön".encode()), status(418, b"no\x00 coffee"))
    api = call(shop.admin)
    good, bad = (api.post(f"{URL}{webhook.pk}/test/") for _ in range(2))
    assert (good.status_code, bad.status_code) == (200, 200)
    assert [
        (
            shown["status"],
            shown["response_status"],
            shown["response_body"],
            shown["error_code"],
            shown["attempts"],
        )
        for shown in (good.json(), bad.json())
    ] == [("delivered", 200, "schön", "", 1), ("failed", 418, "no coffee", "http_status", 1)]
    request = receiver.received[0]
    assert Verifier(webhook.secret).verify(request.body, request.headers) == json.loads(request.body)
    sent = json.loads(request.body)
    assert (sent["type"], sent["data"]) == (
        "webhook.test",
        {"webhook": {"id": webhook.pk, "url": receiver.url}},
    )
    assert stored(webhook.pk).failures == 0, "a test counts for nothing"
    assert len(api.get(f"{URL}{webhook.pk}/deliveries/").json()["results"]) == 2


def test_the_test_button_shows_nothing_of_our_own_network(call: Any, shop: Any, make_webhook: Any) -> None:
    webhook = make_webhook(shop, url="https://127.0.0.1:8443/")
    shown = call(shop.admin).post(f"{URL}{webhook.pk}/test/").json()
    assert (shown["status"], shown["error_code"], shown["response_body"]) == ("failed", "target_refused", "")


def test_the_test_button_is_not_for_hammering(
    call: Any, shop: Any, make_webhook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = make_webhook(shop)
    monkeypatch.setattr(sending, "send", lambda parcel: sending.Answer(status=200))
    answers = [call(shop.admin).post(f"{URL}{webhook.pk}/test/").status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]


# --- switching off and on --------------------------------------------------------------------------------


def offline(business: Any, number: int = 1) -> services.Event:
    data = {"device": {"id": number, "name": "Till", "hardware_id": "hw"}, "floor": None, "last_seen": None}
    return services.Event(client_id=business.client.pk, type="device.offline", data=data, at=clock.now())


def test_switching_off_ends_what_waits_and_on_forgets_the_failures(
    call: Any, shop: Any, make_webhook: Any, in_system: None
) -> None:
    now = clock.now()
    webhook = make_webhook(
        shop, failures=9, failing_since=now, paused_until=now + timedelta(hours=1), switched_off="failing"
    )
    services.emit(events=[offline(shop)], now=now)
    path = f"{URL}{webhook.pk}/"
    assert call(shop.admin).patch(path, {"is_active": False}).json()["is_active"] is False
    row = WebhookDelivery.objects.get()
    assert (row.status, row.error_code) == ("failed", "switched_off")
    services.emit(events=[offline(shop)], now=now)
    assert WebhookDelivery.objects.count() == 1, "nothing is kept for later"
    shown = call(shop.admin).patch(path, {"is_active": True}).json()
    assert (shown["failures"], shown["failing_since"], shown["paused_until"], shown["switched_off"]) == (
        0,
        None,
        None,
        "",
    )


def test_deleting_takes_its_deliveries_along(
    call: Any, shop: Any, make_webhook: Any, in_system: None
) -> None:
    webhook = make_webhook(shop)
    services.emit(events=[offline(shop)], now=clock.now())
    assert call(shop.admin).delete(f"{URL}{webhook.pk}/").status_code == 204
    assert not WebhookDelivery.objects.exists()


# --- deliveries ------------------------------------------------------------------------------------------


def test_deliveries_the_newest_first(
    call: Any, shop: Any, make_webhook: Any, in_system: None, django_assert_max_num_queries: Any
) -> None:
    webhook, neighbour = make_webhook(shop), make_webhook(shop)
    now = clock.now()
    for number in range(3):
        services.emit(events=[offline(shop, number)], now=now + timedelta(seconds=number))
    WebhookDelivery.objects.filter(webhook=neighbour).update(status="failed")
    path = f"{URL}{webhook.pk}/deliveries/"
    with django_assert_max_num_queries(6):
        shown = call(shop.admin).get(path).json()["results"]
    assert [json.loads(row["payload"])["data"]["device"]["id"] for row in shown] == [2, 1, 0]
    assert {row["status"] for row in shown} == {"pending"}
    assert call(shop.admin).get(f"{path}?status=failed").json()["results"] == []
    assert len(call(shop.admin).get(f"{path}?type=device.offline").json()["results"]) == 3
    first = call(shop.admin).get(f"{path}?limit=2").json()
    [last] = call(shop.admin).get(first["next"]).json()["results"]
    assert [*(row["id"] for row in first["results"]), last["id"]] == [row["id"] for row in shown]
    assert call(shop.admin).get(f"{path}?type=nothing").status_code == 400


def test_sending_again(
    call: Any, shop: Any, receiver: Any, make_webhook: Any, commit: Any, in_system: None
) -> None:
    webhook = make_webhook(shop, url=receiver.url)
    services.emit(events=[offline(shop)], now=clock.now())
    row = WebhookDelivery.objects.get()
    path = f"{URL}{webhook.pk}/deliveries/{row.pk}/redeliver/"
    api = call(shop.admin)
    assert api.post(path).json()["code"] == "already_pending"
    [claimed] = outbox.claim(now=clock.now(), most=5)
    outbox.record(claimed, sending.send(claimed.parcel), now=clock.now())
    answer = api.post(path)
    assert (answer.status_code, answer.json()["status"], answer.json()["attempts"]) == (202, "pending", 1)
    [claimed] = outbox.claim(now=clock.now(), most=5)
    receiver.will(500)
    outbox.record(claimed, sending.send(claimed.parcel), now=clock.now())
    row.refresh_from_db()
    assert (row.status, row.attempts, row.next_attempt_at) == ("failed", 2, None), "once, and no more"
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == row.message_id
    assert first.body == second.body
    webhook.is_active = False
    webhook.save()
    assert api.post(path).json()["code"] == "webhook_off"


def test_a_delivery_is_found_under_its_own_webhook_only(
    call: Any, shop: Any, make_webhook: Any, in_system: None
) -> None:
    webhook, neighbour = (
        make_webhook(shop, events=["device.offline"]),
        make_webhook(shop, events=["play.failed"]),
    )
    services.emit(events=[offline(shop)], now=clock.now())
    row = WebhookDelivery.objects.get(webhook=webhook)
    assert call(shop.admin).post(f"{URL}{neighbour.pk}/deliveries/{row.pk}/redeliver/").status_code == 404
    assert call(shop.admin).get(f"{URL}{2**63}/deliveries/").status_code == 404


def test_every_type_can_be_subscribed_to(call: Any, shop: Any) -> None:
    made = call(shop.admin).post(URL, body(events=list(catalogue.TYPES))).json()
    assert made["events"] == sorted(catalogue.TYPES)
