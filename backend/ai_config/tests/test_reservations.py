"""Limits hold whoever asks, how many at once, and whatever becomes of the worker."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_config import calls, reservations
from ai_config.adapters.errors import ProviderError
from ai_config.adapters.values import BACKGROUND
from ai_config.domain.breaker import PROBE_LEASE
from ai_config.models import AIProvider, AIReservation, AIUsage
from ai_config.reservations import LOST_AFTER, NotReserved, Use
from ai_config.selectors import spending_of
from ai_config.tests.fake_providers import Fault
from users.tests.support import at_once

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
NEXT_MONTH = NOW + timedelta(seconds=1)
NEXT_DAY = NOW - timedelta(days=1)


@pytest.fixture
def account(db):
    """An account with limits of its own."""

    def make(**fields):
        settings = {"name": "One", "provider": "openai", "api_key": "k" * 20}
        return AIProvider.objects.create(**settings | fields)

    return make


def reserve(account, *, now=NOW, estimate=100, **more):
    """Reserves one call."""
    asked = {"client_id": None, "kind": "speech", "estimate_microusd": estimate, "now": now} | more
    return reservations.reserve(provider_id=account.pk, **asked)


def refused(account, **more):
    """The code of the refusal."""
    with pytest.raises(NotReserved) as raised:
        reserve(account, **more)
    return raised.value.code


def standing(account, now=NOW):
    """Requests today and µ$ this month."""
    account.refresh_from_db()
    spent = spending_of(account, now=now)
    return spent.requests_today, int(spent.spent_this_month_usd * 1_000_000)


def test_it_is_one_statement(account):
    one = account()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        reserve(one)
    writes = [query["sql"] for query in queries if "UPDATE" in query["sql"]]
    reads = [query["sql"] for query in queries if query["sql"].lstrip().startswith("SELECT")]
    assert (len(writes), reads) == (1, [])
    assert "WHERE" in writes[0]
    assert "daily_request_limit" in writes[0]


def test_the_daily_limit(account):
    one = account(daily_request_limit=2)
    reserve(one)
    reserve(one)
    assert refused(one) == "daily_limit"
    assert refused(one, testing=True) == "daily_limit"
    reserve(one, now=NEXT_MONTH)
    assert standing(one, NEXT_MONTH) == (1, 100)
    assert refused(account(daily_request_limit=0)) == "daily_limit"


def test_the_monthly_budget(account):
    one = account(monthly_budget_usd=Decimal("0.29"))
    reserve(one, estimate=289_999, now=NEXT_DAY)
    reserve(one, estimate=1)
    assert refused(one, estimate=1) == "monthly_budget"
    reserve(one, estimate=0)
    assert refused(one, estimate=290_001, now=NEXT_MONTH) == "monthly_budget"
    reserve(one, estimate=290_000, now=NEXT_MONTH)
    assert standing(one, NEXT_MONTH) == (1, 290_000)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"is_active": False}, "inactive"),
        ({"open_until": NOW + timedelta(seconds=1)}, "resting"),
    ],
)
def test_whom_nobody_calls_but_staff_may_try(account, fields, code):
    one = account(**fields)
    assert refused(one) == code
    assert standing(one) == (0, 0)
    assert reserve(one, testing=True)


def test_gone(account):
    one = account()
    AIProvider.objects.all().delete()
    assert refused(one) == "gone"


def test_after_a_rest_one_probe_goes_through(account):
    one = account(open_until=NOW - timedelta(seconds=1), failures_in_a_row=3, rests_in_a_row=1)
    reserve(one)
    assert refused(one) == "resting"
    assert refused(one, now=NOW + PROBE_LEASE - timedelta(seconds=1)) == "resting"
    reserve(one, now=NOW + PROBE_LEASE)


def test_settled_at_what_it_cost(account, shop):
    one = account()
    for cost, tokens in ((40, 5), (100, 0), (130, 7)):
        held = reserve(one, client_id=shop.client.pk)
        assert reservations.settle(reservation=held, use=Use(cost, characters=9, output_tokens=tokens))
        assert not reservations.settle(reservation=held, use=Use(999)), "it is ended once"
        assert not reservations.release(reservation=held)
    assert standing(one) == (3, 270)
    assert (one.total_requests, one.total_tokens, one.total_cost_usd) == (3, 12, Decimal("0.01"))
    row = AIUsage.objects.get()
    assert (row.client_id, row.day, row.requests, row.failures) == (shop.client.pk, date(2026, 3, 31), 3, 0)
    assert (row.characters, row.output_tokens, row.cost_microusd) == (27, 12, 270)
    assert not AIReservation.objects.exists()


def test_released_it_never_was(account):
    one = account(daily_request_limit=1)
    reservations.release(reservation=reserve(one))
    assert standing(one) == (0, 0)
    assert (one.total_requests, one.total_cost_usd) == (0, 0)
    assert AIUsage.objects.get().failures == 1
    reserve(one)


@pytest.mark.parametrize("end", [lambda held: reservations.release(reservation=held), None])
def test_ended_in_the_next_month_it_changes_only_its_own(account, end):
    one = account()
    held = reserve(one)
    reserve(one, now=NEXT_MONTH, estimate=7)
    if end is not None:
        end(held)
    else:
        reservations.settle(reservation=held, use=Use(50))
    assert standing(one, NEXT_MONTH) == (1, 7)
    assert AIUsage.objects.get().day == date(2026, 3, 31)


def test_what_a_dead_worker_left_counts_at_its_estimate(account):
    one = account()
    reserve(one)
    late = reserve(one, now=NOW - LOST_AFTER - timedelta(seconds=1))
    assert reservations.sweep(now=NOW) == 1
    assert standing(one) == (2, 200)
    assert one.total_requests == 1
    assert not reservations.settle(reservation=late, use=Use(1)), "a worker that was only slow comes too late"
    assert standing(one) == (2, 200)


def test_usage_outlives_its_provider(account, shop):
    one = account()
    for client in (None, None, shop.client.pk):
        reservations.settle(reservation=reserve(one, client_id=client), use=Use(10))
    one.delete()
    assert sorted(AIUsage.objects.values_list("provider_name", "requests")) == [("One", 1), ("One", 2)]


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 2000), st.sampled_from("srw")), max_size=20))
def test_never_above_its_limits_and_nothing_is_lost(steps):
    """Any order of reserving, settling below the estimate, releasing and dying keeps the sums right."""
    AIProvider.objects.all().delete()
    one = AIProvider.objects.create(
        name="One",
        provider="openai",
        api_key="k",
        daily_request_limit=10,
        monthly_budget_usd=Decimal("0.01"),
    )
    requests = spent = 0
    for estimate, step in steps:
        try:
            held = reserve(one, estimate=estimate)
        except NotReserved:
            assert requests >= 10 or spent + estimate > 10_000
            continue
        if step == "s":
            reservations.settle(reservation=held, use=Use(estimate // 2))
            requests, spent = requests + 1, spent + estimate // 2
        elif step == "r":
            reservations.release(reservation=held)
        else:
            requests, spent = requests + 1, spent + estimate
        assert standing(one) == (requests, spent)
        assert requests <= 10
        assert spent <= 10_000


@pytest.mark.django_db(transaction=True)
def test_fifty_workers_and_a_limit_of_ten_make_ten_calls(provider, fake):
    one = provider("openai", daily_request_limit=10)

    def work():
        return calls.write(
            AIProvider.objects.get(), calls.CopyAsked("s", "p", 10), client_id=None, bounds=BACKGROUND
        )

    results = at_once(*[work] * 50)
    assert sum(isinstance(result, calls.Written) for result in results) == 10
    assert sum(isinstance(result, NotReserved) for result in results) == 40
    assert len(fake.asked()) == 10
    one.refresh_from_db()
    assert (one.requests_today, one.total_requests) == (10, 10)
    assert AIUsage.objects.get().requests == 10


@pytest.mark.django_db(transaction=True)
def test_many_workers_and_a_budget_for_five(provider, fake):
    """Each may cost a cent; the budget is five of those."""
    one = provider("openai", monthly_budget_usd=Decimal("0.05"), price_per_1000_characters_usd=Decimal("0.1"))

    def work():
        row = AIProvider.objects.get()
        return reserve(row, now=NOW, estimate=10_000)

    results = at_once(*[work] * 20)
    assert sum(isinstance(result, AIReservation) for result in results) == 5
    one.refresh_from_db()
    assert one.spent_microusd == 50_000


@pytest.mark.django_db(transaction=True)
def test_many_workers_and_one_probe(provider, fake):
    provider("openai", open_until=datetime(2026, 1, 1, tzinfo=UTC), rests_in_a_row=1, failures_in_a_row=3)
    fake.faults[""] = Fault(503)

    def work():
        return calls.write(
            AIProvider.objects.get(), calls.CopyAsked("s", "p", 10), client_id=None, bounds=BACKGROUND
        )

    results = at_once(*[work] * 12)
    assert sum(isinstance(result, ProviderError) for result in results) == 1
    assert len(fake.asked()) == 1
