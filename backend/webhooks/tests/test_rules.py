"""Signatures, retries, payloads: held against the specification's own library and tables of cases."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from common import clock
from webhooks.domain import catalogue, retries, signing

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@given(body=st.dictionaries(st.text(), st.text()).map(lambda value: json.dumps(value, ensure_ascii=False)))
def test_the_specification_s_own_library_believes_us(body: str) -> None:
    secret, now = signing.fresh_secret(), clock.now()
    headers = signing.headers([secret], message_id="msg_1", at=now, body=body.encode())
    assert Verifier(secret).verify(body, headers) == json.loads(body)


def test_the_example_of_the_specification() -> None:
    """Signature scheme, symmetric: the published secret, id, timestamp and body."""
    signature = signing.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_both_secrets_sign_and_no_third() -> None:
    old, new, other = (signing.fresh_secret() for _ in range(3))
    headers = signing.headers([new, old], message_id="msg_1", at=clock.now(), body=b"{}")
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Verifier(secret).verify("{}", headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(other).verify("{}", headers)


def test_a_secret_has_256_random_bits() -> None:
    one, two = signing.fresh_secret(), signing.fresh_secret()
    assert one != two
    assert len(base64.b64decode(one.removeprefix("whsec_"), validate=True)) == 32


def test_the_pauses_of_a_message_that_never_arrives() -> None:
    pauses = [retries.pause(left, chance=0) for left in range(retries.ATTEMPTS - 1, -1, -1)]
    assert pauses == [*retries.PAUSES, None]
    assert timedelta(hours=24) < sum(retries.PAUSES, timedelta()) < timedelta(hours=36)
    assert retries.pause(retries.ATTEMPTS - 1, chance=1) == timedelta(seconds=6)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", None),
        ("120", 120),
        (" 7 ", 7),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, 86_400),
        ("Mon, 02 Mar 2026 12:01:00 GMT", 60),
        ("Mon, 02 Mar 2026 11:00:00 GMT", None),
        ("Mon, 02 Mar 2027 12:00:00 GMT", 86_400),
        ("Mon, 99 Mar 2026 12:01:00 GMT", None),
    ],
)
def test_what_a_receiver_asks_for(header: str, seconds: int | None) -> None:
    wait = retries.wait_asked(header, now=NOW)
    assert wait == (None if seconds is None else timedelta(seconds=seconds))


def test_a_longer_wait_is_heeded_and_a_shorter_one_is_not() -> None:
    left = retries.ATTEMPTS - 1
    assert retries.pause(left, chance=0, asked=timedelta(hours=1)) == timedelta(hours=1)
    assert retries.pause(left, chance=0, asked=timedelta(seconds=1)) == timedelta(seconds=5)
    assert retries.pause(0, chance=0, asked=timedelta(hours=1)) is None


@pytest.mark.parametrize(
    ("failures", "hours", "given_up"),
    [(8, 24, True), (7, 100, False), (1000, 23.9, False), (1000, 24, True)],
)
def test_when_a_receiver_is_given_up(failures: int, hours: float, given_up: bool) -> None:
    since = NOW - timedelta(hours=hours)
    assert retries.gives_up(failures=failures, failing_since=since, now=NOW) is given_up


def test_a_payload() -> None:
    at = datetime(2026, 3, 2, 13, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=1)))
    body = catalogue.body_of("device.online", {"device": {"id": 1, "name": "Käse"}}, at=at)
    assert body == (
        '{"type":"device.online","timestamp":"2026-03-02T12:00:00.250000Z","data":{"device":{"id":1,"name":"Käse"}}}'
    )


def test_types_are_hierarchical_names() -> None:
    for name, kind in catalogue.ALL_TYPES.items():
        assert name.count(".") == 1
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz_.")
        assert not kind.gathered or list(kind.example) == [kind.gathered]
