"""Sealing, and what `verify_audit` finds when somebody has been at the rows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections

from audit import append_only, sealing, verification
from audit.domain.chain import STAFF, Head, follow
from audit.models import AuditChain, AuditLog
from audit.sealing import seal
from audit.tests.conftest import as_database_administrator
from common import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def trail(write, shop, other_shop):
    """Two businesses' entries and sync2gear's own, mixed, sealed. What made the businesses is on the record too."""
    for _ in range(3):
        write(2, client_id=shop.client.pk)
        write(1, client_id=other_shop.client.pk)
        write(1)
    seal(now=clock.now())
    return shop.client.pk


def test_each_business_has_a_chain_of_its_own_without_gaps(trail, other_shop):
    for chain in (trail, other_shop.client.pk, None):
        numbers = AuditLog.everything.filter(client=chain).order_by("pk").values_list("number", flat=True)
        assert list(numbers) == list(range(1, len(numbers) + 1))
        assert len(numbers) >= 3


def test_an_intact_trail_prints_its_heads(trail, verify):
    status, out, err = verify()
    assert (status, "0 faults" in err) == (0, True)
    heads = {line.split()[1]: line for line in out.splitlines()}
    assert heads.keys() == {str(row.chain) for row in AuditChain.objects.all()}
    row = AuditChain.objects.get(chain=trail)
    assert heads[str(trail)] == f"head {trail} {row.number} {row.hash}"


def test_later_entries_go_on_where_the_chain_was(trail, write, verify):
    before = AuditChain.objects.get(chain=trail).head
    [entry] = write(1, client_id=trail)
    assert (entry.number, entry.hash) == (None, "")
    assert seal(now=clock.now()) == 1
    sealed = AuditLog.everything.get(pk=entry.pk)
    assert Head(sealed.number, sealed.hash) == follow(before, entry=entry.pk, digest=entry.digest)
    assert seal(now=clock.now()) == 0
    assert verify()[0] == 0


def test_batches_make_the_same_chain(write, verify, monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 3)
    monkeypatch.setattr(verification, "CHUNK", 2)
    write(10)
    assert seal(now=clock.now()) == 10
    assert verify("--client", "0")[0] == 0


TAMPERING = {
    "details": ("UPDATE audit_logs SET details = '{}' WHERE id = {second}", "changed"),
    "actor": ("UPDATE audit_logs SET actor_name = 'somebody else' WHERE id = {second}", "changed"),
    "address": ("UPDATE audit_logs SET ip_address = '10.9.8.7' WHERE id = {second}", "changed"),
    "instant": (
        "UPDATE audit_logs SET timestamp = '2026-01-01 00:00:00+00:00' WHERE id = {second}",
        "changed",
    ),
    "moved to nobody's chain": ("UPDATE audit_logs SET client_id = NULL WHERE id = {second}", "missing"),
    "digest": ("UPDATE audit_logs SET digest = hash WHERE id = {second}", "out_of_place"),
    "one removed": ("DELETE FROM audit_logs WHERE id = {second}", "missing"),
    "the first removed": ("DELETE FROM audit_logs WHERE id = {first}", "missing"),
    "the tail removed": ("DELETE FROM audit_logs WHERE id >= {second} AND client_id = {client}", "missing"),
    "all removed": ("DELETE FROM audit_logs WHERE client_id = {client}", "missing"),
    "two swapped": (
        "UPDATE audit_logs SET number = 2 * {number} + 1 - number WHERE id IN ({second}, {third})",
        "out_of_place",
    ),
    "one copied in": (
        "INSERT INTO audit_logs (user_id, real_user_id, client_id, action, resource, resource_id, details, ip_address,"
        " timestamp, actor_name, real_actor_name, client_name, request_id, digest, number, hash)"
        " SELECT user_id, real_user_id, client_id, 'delete', resource, resource_id, details, ip_address, timestamp,"
        " actor_name, real_actor_name, client_name, request_id, digest, number, hash"
        " FROM audit_logs WHERE id = {second}",
        "inserted",
    ),
    "one put on the end": (
        "UPDATE audit_logs SET number = 1000 WHERE id = {third}",
        "beyond_head",
    ),
    "the head rewound": ("UPDATE audit_chains SET number = {number} WHERE chain = {client}", "beyond_head"),
    "the head removed": ("DELETE FROM audit_chains WHERE chain = {client}", "beyond_head"),
}


def tampered(statement, chain):
    rows = list(AuditLog.everything.filter(client=chain).order_by("number"))
    second = len(rows) - 2
    places = {
        "first": rows[0].pk,
        "second": rows[second].pk,
        "third": rows[second + 1].pk,
        "number": rows[second].number,
        "client": chain,
    }
    for name, value in places.items():
        statement = statement.replace(f"{{{name}}}", str(value))
    with as_database_administrator() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_found(trail, other_shop, verify, how):
    statement, what = TAMPERING[how]
    tampered(statement, trail)
    status, out, err = verify()
    assert status == 1
    assert f": {what}. " in err, err
    assert f"head {trail} " not in out
    assert f"head {other_shop.client.pk} " in out, "the chain of another business is not touched by it"
    assert verify("--client", str(other_shop.client.pk))[0] == 0


def test_who_changes_an_entry_before_it_is_sealed_is_found(trail, write, verify):
    [entry] = write(1, client_id=trail)
    with as_database_administrator() as cursor:
        cursor.execute("UPDATE audit_logs SET details = '[]' WHERE id = %s", [entry.pk])
    assert verify()[0] == 1
    seal(now=clock.now())
    assert verify()[0] == 1


def test_an_entry_put_in_by_hand_is_found(trail, verify):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_logs (action, resource, resource_id, details, timestamp,"
            " actor_name, real_actor_name, client_name, request_id, digest, hash)"
            " VALUES ('login', 'user', '1', '{}', '2026-03-02 12:00:00+00:00', 'olivia', '', '', '', '', '')"
        )
    seal(now=clock.now())
    status, _, err = verify("--client", str(STAFF))
    assert (status, ": changed. " in err) == (1, True)


class TestNotedHeads:
    """What the database alone cannot tell: a chain that was recomputed, or cut off together with its head."""

    @pytest.fixture
    def noted(self, trail, verify, tmp_path):
        path = tmp_path / "heads.txt"
        path.write_text(verify()[1])
        return str(path)

    def test_what_follows_them_is_read(self, trail, write, verify, noted):
        write(2, client_id=trail)
        seal(now=clock.now())
        status, _, err = verify("--from", noted)
        assert (status, err.startswith("2 entries in ")) == (0, True)

    def test_what_lies_before_them_is_not(self, trail, verify, noted):
        tampered("UPDATE audit_logs SET details = '{}' WHERE id = {first}", trail)
        assert verify("--from", noted)[0] == 0
        assert verify()[0] == 1

    def test_the_tail_removed_and_the_head_set_back(self, trail, verify, noted):
        last = AuditLog.everything.filter(client=trail).order_by("number").last()
        before = AuditLog.everything.get(client=trail, number=last.number - 1)
        with as_database_administrator() as cursor:
            cursor.execute("DELETE FROM audit_logs WHERE id = %s", [last.pk])
            cursor.execute(
                "UPDATE audit_chains SET number = %s, hash = %s WHERE chain = %s",
                [before.number, before.hash, trail],
            )
        assert verify()[0] == 0
        status, _, err = verify("--from", noted)
        assert (status, "not_as_noted" in err) == (1, True)

    def test_everything_recomputed(self, trail, verify, noted):
        with as_database_administrator() as cursor:
            cursor.execute("UPDATE audit_logs SET number = NULL, hash = '' WHERE client_id = %s", [trail])
            cursor.execute("DELETE FROM audit_logs WHERE client_id = %s AND action = 'create'", [trail])
            cursor.execute("DELETE FROM audit_chains WHERE chain = %s", [trail])
        seal(now=clock.now())
        assert verify()[0] == 0
        assert verify("--from", noted)[0] == 1

    def test_a_whole_chain_gone(self, trail, verify, noted):
        with as_database_administrator() as cursor:
            cursor.execute("DELETE FROM audit_logs WHERE client_id = %s", [trail])
            cursor.execute("DELETE FROM audit_chains WHERE chain = %s", [trail])
        assert verify()[0] == 0
        assert verify("--from", noted)[0] == 1


@pytest.mark.parametrize("text", [None, "", "head one two three"])
def test_heads_that_cannot_be_read_are_status_2(trail, verify, tmp_path, text):
    path = tmp_path / "heads.txt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CommandError) as refused:
        verify("--from", str(path))
    assert refused.value.returncode == 2


def test_a_chain_that_is_not_there_is_status_2(trail):
    with pytest.raises(CommandError) as refused:
        call_command("verify_audit", "--client", "987654")
    assert refused.value.returncode == 2


class TestUnguarded:
    """Status 3: nothing was tampered with, but it could be."""

    def test_a_trigger_is_gone(self, trail, verify):
        append_only.remove(connection)
        status, out, err = verify()
        assert (status, bool(out), "audit_logs_no_delete is not there" in err) == (3, True, True)
        append_only.install(connection)

    def test_nothing_seals(self, trail, write, verify, monkeypatch):
        write(1)
        assert verify()[0] == 0
        later = clock.now() + timedelta(minutes=2)
        monkeypatch.setattr(clock, "now", lambda: later)
        status, _, err = verify()
        assert (status, "wait to be sealed" in err) == (3, True)


@pytest.mark.django_db(transaction=True)
def test_several_sealers_at_once_make_one_chain(write, verify):
    write(400)

    def run(_):
        try:
            return seal(now=clock.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == 400
    assert verify()[0] == 0
