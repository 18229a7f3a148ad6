"""What is old is cut off the trail, and nothing else: the chain goes on, and whoever cuts by hand is found."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from audit import append_only, retention
from audit.domain.chain import Head
from audit.domain.cutting import cut_at
from audit.models import AuditChain, AuditLog
from audit.sealing import seal
from audit.tests.conftest import as_database_administrator
from common import clock
from common.environment import LEAST_AUDIT_DAYS

KEPT = timedelta(days=3650)
DAY = timedelta(days=1)
AGES = [4000, 3990, 3980, 3970, 3960, 300, 0]
"""In days: of each entry of a chain. Five are older than they are kept."""


@pytest.mark.parametrize(
    ("ages", "start"),
    [
        ([], None),
        ([1], None),
        ([9], None),
        ([9, 1], None),
        ([9, 9], 1),
        ([9, 9, 9, 1], 2),
        ([9, 9, 1, 9, 9], 1),
    ],
)
def test_all_but_the_last_of_the_old_ones_go(ages, start):
    now = datetime(2026, 3, 2, tzinfo=UTC)
    entries = [(number, f"h{number}", now - age * DAY) for number, age in enumerate(ages, 1)]
    assert cut_at(entries, before=now - 5 * DAY) == (start and Head(start, f"h{start}"))


@pytest.fixture
def aged(write, monkeypatch):
    """`aged(7, [400, 0])`: sealed entries of that business, so many days old, by this machine's clock."""
    now = clock.now()

    def add(client, ages):
        for age in ages:
            monkeypatch.setattr(clock, "now", lambda age=age: now - age * DAY)
            write(1, client_id=client)
        monkeypatch.setattr(clock, "now", lambda: now)
        seal(now=now)

    return add


def cut(*, kept=KEPT):
    now = clock.now()
    removed = sum(retention.cut(before=now - kept, kept=kept, now=now))
    seal(now=now)
    return removed


def numbers(client):
    return list(AuditLog.everything.filter(client=client).order_by("number").values_list("number", flat=True))


@pytest.mark.django_db
class TestCutting:
    def test_the_rest_is_a_chain_that_tells_of_it(self, aged, verify):
        aged(7, AGES)
        aged(None, AGES)
        aged(8, [4000, 0])
        last = AuditLog.everything.get(client=7, number=4)
        now = clock.now()
        assert retention.old(before=now - KEPT) == 8
        assert cut() == 8
        assert numbers(7) == numbers(None) == [5, 6, 7, 8], (
            "an old one stays as witness; the newest tells of the cut"
        )
        assert numbers(8) == [1, 2], "the only old one is the witness"
        assert AuditChain.objects.get(chain=7).start == Head(4, last.hash)
        entry = AuditLog.everything.get(client=7, number=8)
        assert (entry.action, entry.resource, entry.resource_id, entry.actor_name) == (
            "cut",
            "audit_log",
            "4",
            "system",
        )
        assert json.loads(entry.details) == {"first": 1, "last": 4, "hash": last.hash, "kept_days": 3650}
        assert verify()[0] == 0
        assert (retention.old(before=now - KEPT), cut()) == (0, 0)

    def test_batch_by_batch(self, aged, verify, monkeypatch):
        monkeypatch.setattr(retention, "AT_ONCE", 3)
        aged(7, AGES[:5] * 2 + [0])
        now = clock.now()
        batches = list(retention.cut(before=now - KEPT, kept=KEPT, now=now))
        assert batches == [3, 3, 3]
        seal(now=now)
        assert numbers(7) == [10, 11, 12, 13, 14]
        assert verify()[0] == 0

    def test_once_a_month(self):
        assert retention.month_of(datetime(2026, 3, 31, 23, 59, tzinfo=UTC)) == datetime(
            2026, 3, 1, tzinfo=UTC
        )

    def test_a_stretch_that_was_tampered_with_is_evidence(self, aged, caplog):
        aged(7, AGES)
        with as_database_administrator() as cursor:
            cursor.execute("UPDATE audit_logs SET details = '{}' WHERE client_id = 7 AND number = 2")
        assert cut() == 0
        assert numbers(7) == [1, 2, 3, 4, 5, 6, 7]
        assert "chain 7 of the audit trail is not cut, for at 2 it is changed" in caplog.text

    def test_noted_heads_outlive_cuts(self, aged, verify, tmp_path):
        aged(7, AGES)
        noted = tmp_path / "heads.txt"
        noted.write_text(verify()[1])
        assert cut() == 4
        assert verify("--from", str(noted))[0] == 0
        AuditLog.everything.get(client=7, number=8)


@pytest.mark.django_db
class TestTheDatabase:
    """What somebody can do who has the server's own account, without taking the triggers off."""

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_chains SET start_number = 2 WHERE chain = 7",
            "UPDATE audit_chains SET start_hash = 'x' WHERE chain = 7",
            "UPDATE audit_chains SET start_number = {young}, start_hash = '{young_hash}' WHERE chain = 7",
            "UPDATE audit_chains SET start_number = 5, start_hash = '{fifth_hash}' WHERE chain = 7",
            "UPDATE audit_chains SET start_number = 99, start_hash = 'x' WHERE chain = 7",
            "INSERT INTO audit_chains (chain, number, hash, start_number, start_hash, sealed_at)"
            " VALUES (9, 0, '', 99, '', '2026-01-01 00:00:00+00:00')",
            "DELETE FROM audit_logs WHERE client_id = 7 AND number = 1",
        ],
    )
    def test_refuses_to_begin_later_without_reason(self, aged, statement):
        aged(7, AGES)
        hashes = dict(AuditLog.everything.filter(client=7).values_list("number", "hash"))
        statement = statement.format(young=6, young_hash=hashes[6], fifth_hash=hashes[5])
        with (
            pytest.raises(IntegrityError, match=append_only.REFUSAL),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    def test_refuses_what_follows_the_beginning(self, aged):
        aged(7, AGES)
        cut()
        for statement in (
            "DELETE FROM audit_logs WHERE client_id = 7",
            "UPDATE audit_chains SET start_number = 3 WHERE chain = 7",
        ):
            with (
                pytest.raises(IntegrityError, match=append_only.REFUSAL),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)

    def test_lets_nobody_remove_what_is_younger_than_a_year(self, aged, monkeypatch):
        aged(7, [LEAST_AUDIT_DAYS + 2, LEAST_AUDIT_DAYS - 1, LEAST_AUDIT_DAYS - 2])
        monkeypatch.setattr(retention, "month_of", lambda instant: instant)
        with pytest.raises(IntegrityError, match=append_only.REFUSAL), transaction.atomic():
            cut(kept=timedelta(days=2))


def by_hand(cursor, number):
    """As a lawful cut does it, with the triggers off."""
    cursor.execute("SELECT hash FROM audit_logs WHERE client_id = 7 AND number = %s", [number])
    [hash] = cursor.fetchone()
    cursor.execute("DELETE FROM audit_logs WHERE client_id = 7 AND number <= %s", [number])
    cursor.execute(
        "UPDATE audit_chains SET start_number = %s, start_hash = %s WHERE chain = 7", [number, hash]
    )
    return hash


@pytest.mark.django_db
class TestVerifying:
    """What somebody can do who takes the triggers off, and how it is found."""

    def test_a_cut_that_is_not_on_record(self, aged, verify):
        aged(7, AGES)
        with as_database_administrator() as cursor:
            by_hand(cursor, 4)
        status, _, err = verify()
        assert (status, ": cut_unrecorded. " in err, ": cut_too_early. " in err) == (1, True, False)

    @pytest.mark.parametrize("number", [5, 6, 7])
    def test_a_cut_that_came_too_early_though_it_is_on_record(self, aged, verify, write, number):
        aged(7, AGES)
        with as_database_administrator() as cursor:
            hash = by_hand(cursor, number)
        row = write(1, client_id=7, action="cut", resource="audit_log", resource_id=number)[0]
        with as_database_administrator() as cursor:
            row.details = json.dumps({"hash": hash})
            cursor.execute(
                "UPDATE audit_logs SET details = %s, digest = %s WHERE id = %s",
                [row.details, row.digest_now(), row.pk],
            )
        seal(now=clock.now())
        status, _, err = verify()
        assert (status, ": cut_too_early. " in err, ": cut_unrecorded. " in err) == (1, True, False)

    def test_another_hash_for_the_beginning(self, aged, verify):
        aged(7, AGES)
        cut()
        with as_database_administrator() as cursor:
            cursor.execute("UPDATE audit_chains SET start_hash = 'x' WHERE chain = 7")
        assert ": out_of_place. " in verify()[2]

    def test_more_removed_after_a_cut(self, aged, verify):
        aged(7, AGES)
        cut()
        with as_database_administrator() as cursor:
            cursor.execute("DELETE FROM audit_logs WHERE client_id = 7 AND number = 5")
        assert ": missing. " in verify()[2]

    def test_a_noted_head_that_was_cut_away(self, aged, verify, tmp_path):
        aged(7, AGES[:-1])
        noted = tmp_path / "heads.txt"
        noted.write_text(verify()[1])
        aged(7, [0, 0])
        with as_database_administrator() as cursor:
            by_hand(cursor, 7)
        assert ": not_as_noted. " in verify("--from", str(noted))[2]

    def test_a_time_that_was_made_longer_since(self, aged, verify, settings):
        aged(7, [1000, 900, 800, 0])
        cut(kept=timedelta(days=730))
        assert ": cut_too_early. " in verify()[2]
        assert verify("--kept-days", "730")[0] == 0
