"""Nobody changes or removes an entry: not the code, and not a statement of SQL."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from audit import append_only
from audit.models import AppendOnly, AuditChain, AuditLog
from audit.sealing import seal
from audit.tests.conftest import as_database_administrator
from common import clock
from common.tenancy import system_scope

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "attempt",
    [
        lambda row: row.save(),
        lambda row: row.save(update_fields=["details"]),
        lambda row: row.delete(),
        lambda row: AuditLog.objects.filter(pk=row.pk).update(details="{}"),
        lambda row: AuditLog.objects.all().delete(),
        lambda row: AuditLog.everything.update(details="{}"),
        lambda row: AuditLog._base_manager.filter(pk=row.pk).delete(),
        lambda row: AuditLog.objects.bulk_update([row], ["details"]),
        lambda row: AuditLog.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["id"], update_fields=["details"]
        ),
        lambda row: AuditLog.objects.update_or_create(pk=row.pk, defaults={"details": "{}"}),
    ],
)
def test_the_code_refuses(write, attempt):
    [row] = write(1)
    with system_scope("test"), pytest.raises(AppendOnly), transaction.atomic():
        attempt(row)
    assert AuditLog.everything.get().details == '{"place": 0}'


def test_many_at_once_have_their_digests(write):
    [row] = write(1)
    row.pk = None
    [copy] = AuditLog.everything.bulk_create([row])
    assert copy.digest == row.digest_now() != ""


STATEMENTS = [
    "UPDATE audit_logs SET details = '{}'",
    "UPDATE audit_logs SET timestamp = '2026-01-01 00:00:00+00:00'",
    "UPDATE audit_logs SET digest = ''",
    "UPDATE audit_logs SET id = 99999",
    "UPDATE audit_logs SET number = 1, hash = 'x', user_id = 3",
    "DELETE FROM audit_logs",
    "DELETE FROM audit_chains",
]


def refused(statement):
    with (
        pytest.raises(IntegrityError, match=append_only.REFUSAL),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("sealed", [False, True])
def test_the_database_refuses(write, statement, sealed):
    write(2)
    seal(now=clock.now())
    if not sealed:
        write(1)
    refused(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_logs SET number = 7",
        "UPDATE audit_logs SET hash = 'x'",
        "UPDATE audit_logs SET number = NULL",
        "UPDATE audit_chains SET number = 1",
        "UPDATE audit_chains SET chain = 5",
    ],
)
def test_a_place_is_given_once(write, statement):
    write(2)
    seal(now=clock.now())
    refused(statement)


@pytest.mark.production
@pytest.mark.parametrize("table", ["audit_logs", "audit_chains"])
def test_postgresql_refuses_to_truncate(write, table):
    refused(f"TRUNCATE {table}")


def test_the_triggers_are_on_after_all_migrations(db):
    assert append_only.missing(connection) == []
    append_only.remove(connection)
    assert append_only.missing(connection) == list(append_only.TRIGGERS)
    append_only.install(connection)


def test_who_may_drop_triggers_may_do_anything(write):
    """What the chain is there for."""
    write(2)
    with as_database_administrator() as cursor:
        cursor.execute("DELETE FROM audit_logs")
    assert not AuditLog.everything.exists()
    assert not AuditChain.objects.exists()
