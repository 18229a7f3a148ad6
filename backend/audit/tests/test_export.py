"""The export: every entry once, as a spreadsheet and a program can read it, a page at a time."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import export
from audit.models import AuditLog
from audit.services import record
from common import clock
from common.context import Actor, acting_as

pytestmark = pytest.mark.django_db
URL = "/api/audit-logs/export/"


def text_of(answer):
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content).decode()


def lines_of(answer):
    return [json.loads(line) for line in text_of(answer).splitlines()]


def table_of(answer):
    return list(csv.DictReader(io.StringIO(text_of(answer), newline="")))


def test_json_lines_are_the_entries_of_the_list(call, shop, write):
    write(3, client_id=shop.client.pk)
    api = call(shop.admin)
    listed = api.get("/api/audit-logs/?limit=200&ordering=timestamp").json()["results"]
    exported = lines_of(api.get(f"{URL}?format=jsonl"))
    assert exported == listed


def test_csv_has_the_same_columns(call, shop, write):
    with acting_as(Actor(user_id=shop.admin.pk, name="olivia", ip_address="2001:db8::1", request_id="r-1")):
        [entry] = write(1, client_id=shop.client.pk)
    [row] = table_of(call(shop.admin).get(f"{URL}?action=play"))
    assert row == {
        "id": str(entry.pk),
        "timestamp": entry.timestamp.isoformat(),
        "client": str(shop.client.pk),
        "client_name": "Our shop",
        "user": str(shop.admin.pk),
        "actor_name": "olivia",
        "real_user": "",
        "real_actor_name": "",
        "action": "play",
        "resource": "announcement",
        "resource_id": "1",
        "details": '{"place": 0}',
        "ip_address": "2001:db8::1",
        "request_id": "r-1",
        "number": "",
        "digest": entry.digest,
        "hash": "",
    }


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")', "＝1"])
def test_no_cell_is_computed_by_a_spreadsheet(call, shop, evil):
    with acting_as(Actor(name=evil)):
        record("play", resource="announcement", resource_id=evil, client_id=shop.client.pk)
    answer = call(shop.admin).get(f"{URL}?action=play")
    [row] = table_of(answer)
    assert (row["actor_name"], row["resource_id"]) == (f"'{evil}", f"'{evil}")
    [entry] = lines_of(call(shop.admin).get(f"{URL}?action=play&format=jsonl"))
    assert entry["actor_name"] == evil, "a program reads what was written"


@pytest.mark.parametrize("rows", [0, 1, 3, 4, 5, 9])
def test_pages_lose_and_double_nothing(call, shop, write, monkeypatch, rows):
    """Entries of the same instant lie across the edge of a page."""
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 4)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    written = write(rows, client_id=shop.client.pk)
    exported = lines_of(call(shop.admin).get(f"{URL}?action=play&format=jsonl"))
    assert [row["id"] for row in exported] == [entry.pk for entry in written]


def test_only_one_page_is_in_memory(call, shop, write, monkeypatch):
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)
    write(6, client_id=shop.client.pk)
    answer = call(shop.admin).get(f"{URL}?action=play&format=jsonl")
    with CaptureQueriesContext(connection) as queries:
        next(iter(answer.streaming_content))
    assert len(queries) == 1, "the second page is read when the first was taken"


def test_what_is_filtered_out_and_other_tenants_are_not_in_it(call, shop, other_shop, staff, write):
    ours, theirs = write(2, client_id=shop.client.pk), write(2, client_id=other_shop.client.pk)
    seen = {row["id"] for row in lines_of(call(shop.admin).get(f"{URL}?format=jsonl"))}
    assert seen >= {entry.pk for entry in ours}
    assert not seen & {entry.pk for entry in theirs}
    assert lines_of(call(shop.admin).get(f"{URL}?format=jsonl&client={other_shop.client.pk}")) == []
    both = {row["id"] for row in lines_of(call(staff).get(f"{URL}?format=jsonl&action=play"))}
    assert both == {entry.pk for entry in ours + theirs}


def test_what_is_written_after_the_request_is_not_in_it(call, shop, write, monkeypatch):
    write(2, client_id=shop.client.pk)
    answer = call(shop.admin).get(f"{URL}?format=jsonl")
    write(1, client_id=shop.client.pk, action="later")
    assert {row["action"] for row in lines_of(answer)}.isdisjoint({"later", "export"})


def test_the_export_is_audited(call, shop):
    answer = call(shop.admin).get(f"{URL}?format=csv&resource=floor&action=create", REMOTE_ADDR="10.1.2.3")
    assert answer["Content-Type"].startswith("text/csv")
    assert answer["Content-Disposition"].endswith('.csv"')
    entry = AuditLog.everything.get(action="export")
    assert (entry.user_id, entry.client_id, entry.ip_address) == (shop.admin.pk, shop.client.pk, "10.1.2.3")
    assert json.loads(entry.details) == {
        "format": "csv",
        "filters": {"resource": ["floor"], "action": ["create"]},
    }


@pytest.mark.parametrize("query", ["format=xml", "format=", "from=yesterday", "user=x"])
def test_what_makes_no_sense_is_400_and_no_export(call, shop, query):
    assert call(shop.admin).get(f"{URL}?{query}").status_code == 400
    assert not AuditLog.everything.filter(action="export").exists()


def test_exports_are_limited(call, shop):
    api = call(shop.admin)
    statuses = [api.get(URL).status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]


@pytest.mark.django_db(transaction=True)
def test_under_asgi_pages_are_made_when_they_are_wanted(shop, write, monkeypatch):
    """And each on a thread that keeps no database connection."""
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)
    write(6, client_id=shop.client.pk)
    made = []
    whole = export.chunks(AuditLog.everything.filter(action="play"), "jsonl")

    def noted():
        for chunk in whole:
            made.append(chunk)
            yield chunk

    async def read():
        taken = []
        async for chunk in export.ExportResponse(noted()):
            taken.append(chunk)
            assert made == taken
        return taken

    assert len(asyncio.run(read())) == 3


def test_an_old_trail_comes_first(call, shop, write, monkeypatch):
    write(1, client_id=shop.client.pk, action="new")
    before = clock.now() - timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: before)
    write(1, client_id=shop.client.pk, action="old")
    monkeypatch.undo()
    exported = lines_of(call(shop.admin).get(f"{URL}?format=jsonl&action=old,new"))
    assert [row["action"] for row in exported] == ["old", "new"]
