"""What a speaker keeps: plan, journal, cache, state folder."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import uuid
from contextlib import asynccontextmanager
from dataclasses import asdict, replace

import pytest

from devices import plan as truth
from devices import protocol
from sync2gear_player.cache import Cache, FetchError
from sync2gear_player.documents import DocumentError
from sync2gear_player.journal import KEEP_US, Journal
from sync2gear_player.messages import Receipt
from sync2gear_player.network import NetworkError, resolve
from sync2gear_player.plan import DAY_US, Plan, needed_assets, parse, repeated, silence_at
from sync2gear_player.plays import plays_of
from sync2gear_player.store import Identity, StateError, StateFolder

EVENT = str(uuid.UUID(int=5))
HOUR_US = DAY_US // 24


def plan_of(**fields) -> Plan:
    values = {
        "device_id": "d",
        "valid_from": 0,
        "valid_until": 26 * HOUR_US,
        "timezone": "UTC",
        "desired": protocol.Desired(rev=1, volume=5),
    }
    return parse(json.loads(protocol.encode(truth.Plan(**(values | fields)))))


def segment(name, begin, end, **fields):
    return truth.Segment(id=name, kind="music", sha256=name, start_at=begin, end_at=end, **fields)


# --- plan ---


@pytest.mark.parametrize(
    ("instant", "reason"),
    [
        (9, None),
        (10, "quiet_hours"),
        (14, "quiet_hours"),
        (15, "client_locked"),
        (20, "client_locked"),
        (30, None),
    ],
)
def test_the_weightiest_silence_counts_and_ends_are_open(instant, reason):
    silences = [
        truth.Silence(start_at=10, end_at=20, reason="quiet_hours"),
        truth.Silence(start_at=12, end_at=16, reason="quiet_hours"),
        truth.Silence(start_at=15, end_at=30, reason="client_locked"),
    ]
    assert silence_at(plan_of(silences=silences), instant) == reason


def test_assets_are_needed_once_the_soonest_first():
    occurrence = truth.Occurrence(
        event_id=EVENT,
        announcement_id=1,
        sha256="o",
        play_at=15,
        expires_at=16,
        volume=1,
        priority="interval",
    )
    plan = plan_of(
        programme=[segment("a", 0, 10), segment("b", 10, 20), segment("a", 20, 30), segment("c", 30, 40)],
        occurrences=[occurrence],
    )
    assert needed_assets(plan, 5) == ["a", "b", "o", "c"]
    assert needed_assets(plan, 16) == ["b", "a", "c"]


def test_past_its_end_the_programme_goes_round_by_whole_days_without_its_announcements():
    spoken = truth.Segment(
        id="s", kind="announcement", sha256="s", start_at=5, end_at=9, event_id=EVENT, announcement_id=1
    )
    silence = truth.Silence(start_at=2 * HOUR_US, end_at=3 * HOUR_US, reason="quiet_hours")
    plan = plan_of(programme=[segment("a", 0, HOUR_US), spoken], silences=[silence])
    assert repeated(plan, 26 * HOUR_US - 1) is plan
    later = repeated(plan, 26 * HOUR_US)
    assert [(each.id, each.start_at) for each in later.programme] == [("a+1", DAY_US)]
    assert later.silences[0].start_at == 26 * HOUR_US
    assert (later.valid_from, later.valid_until) == (DAY_US, 50 * HOUR_US)
    assert repeated(plan, 50 * HOUR_US).programme[0].start_at == 2 * DAY_US
    assert plays_of(later) == []


def test_the_plays_of_a_plan():
    assets = [
        truth.Asset(sha256="o", bytes=1, mime="", duration_ms=1234, gain_db=-3.0),
        truth.Asset(sha256="s", bytes=1, mime="", duration_ms=500, gain_db=1.0),
    ]
    occurrence = truth.Occurrence(
        event_id=EVENT,
        announcement_id=1,
        sha256="o",
        play_at=15,
        expires_at=16,
        volume=9,
        priority="timeline",
    )
    lost = truth.Occurrence(
        event_id="x",
        announcement_id=1,
        sha256="gone",
        play_at=15,
        expires_at=16,
        volume=9,
        priority="timeline",
    )
    spoken = truth.Segment(
        id="s", kind="announcement", sha256="s", start_at=5, end_at=9, event_id="p", announcement_id=2
    )
    first, second = plays_of(plan_of(assets=assets, occurrences=[occurrence, lost], programme=[spoken]))
    assert (first.event_id, first.duration_ms, first.gain_db, first.volume) == (EVENT, 1234, -3.0, 9)
    assert (second.event_id, second.priority, second.late, second.volume) == ("p", "playlist", "join", None)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": 2}, "version: 2"),
        ({"programme": [{"id": "x"}]}, "programme[0].kind: missing"),
        ({"assets": {}}, "assets: expected a list"),
        ({"desired": None}, "desired: expected an object"),
    ],
)
def test_a_plan_that_is_none(change, why):
    document = json.loads(
        protocol.encode(
            truth.Plan(
                device_id="d",
                valid_from=0,
                valid_until=1,
                timezone="",
                desired=protocol.Desired(rev=1, volume=5),
            )
        )
    )
    with pytest.raises(DocumentError) as caught:
        parse(document | change)
    assert why in str(caught.value)


# --- journal ---


def receipt(outcome="played", event_id=EVENT) -> Receipt:
    return Receipt(
        event_id=event_id, announcement_id=3, outcome=outcome, started_at=7, played_ms=0, error="é"
    )


CRASHED = replace(receipt("unknown_after_crash"), play_at=5, priority="interval")


def test_an_event_begins_once(tmp_path):
    journal = Journal(tmp_path / "j.db")
    assert journal.begin(CRASHED, 1)
    assert not journal.begin(CRASHED, 2)
    journal.finish(receipt(), 3)
    assert not journal.begin(CRASHED, 4)
    assert journal.known([EVENT, "other"]) == {EVENT}


def test_receipts_stay_until_they_are_acknowledged_and_can_be_asked_for_again(tmp_path):
    journal = Journal(tmp_path / "j.db")
    journal.begin(CRASHED, 1)
    assert journal.owed() == []
    assert journal.receipt_again(EVENT) is None
    journal.finish(receipt(), 2)
    journal.finish(receipt("partial"), 3)
    journal.close()
    journal = Journal(tmp_path / "j.db")
    assert journal.owed() == [receipt()], "the first outcome stays, over a restart"
    journal.acknowledge([EVENT, "unknown"])
    assert journal.owed() == []
    assert journal.receipt_again(EVENT) == receipt()
    assert journal.owed() == [receipt()]


def test_what_was_left_in_starting_is_unknown_and_never_begins_again(tmp_path):
    journal = Journal(tmp_path / "j.db")
    journal.begin(CRASHED, 1)
    journal.close()
    journal = Journal(tmp_path / "j.db")
    assert journal.recover(9) == [EVENT]
    assert journal.recover(9) == []
    assert journal.owed() == [CRASHED]
    assert not journal.begin(CRASHED, 9)


def test_a_journal_of_the_first_version_goes_on(tmp_path):
    old = sqlite3.connect(tmp_path / "j.db")
    old.execute(
        "CREATE TABLE plays (event_id TEXT PRIMARY KEY, announcement_id INTEGER NOT NULL, at_us INTEGER NOT NULL,"
        " receipt TEXT, acknowledged INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID"
    )
    old.execute("INSERT INTO plays VALUES ('begun', 3, 1, NULL, 0)")
    old.execute(
        "INSERT INTO plays VALUES ('over', 4, 1, ?, 0)", [json.dumps(asdict(receipt(event_id="over")))]
    )
    old.commit()
    old.close()
    for _ in range(2):
        journal = Journal(tmp_path / "j.db")
        journal.recover(9)
        assert {(each.event_id, each.outcome) for each in journal.owed()} == {
            ("begun", "unknown_after_crash"),
            ("over", "played"),
        }
        journal.close()


def test_event_ids_are_kept_for_days_and_unacknowledged_ones_for_ever(tmp_path):
    journal = Journal(tmp_path / "j.db")
    for name in ("acked", "owed"):
        journal.finish(receipt(event_id=name), 1)
    journal.acknowledge(["acked"])
    assert journal.prune(KEEP_US) == 0
    assert journal.prune(KEEP_US + 2) == 1
    assert journal.known(["acked", "owed"]) == {"owed"}


def test_every_commit_is_synced(tmp_path):
    journal = Journal(tmp_path / "j.db")
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._db.in_transaction is False
    journal.begin(CRASHED, 1)
    assert sqlite3.connect(tmp_path / "j.db").execute("SELECT event_id FROM plays").fetchall() == [(EVENT,)]


def test_a_damaged_journal_is_put_aside(tmp_path):
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a database, by far" * 1000)
    journal = Journal(path)
    assert journal.begin(CRASHED, 1)
    assert len(list(tmp_path.glob("journal.damaged-*"))) == 1


# --- cache ---


class Web:
    """A server of one file that can break off, forget ranges, or change its mind."""

    def __init__(self, content: bytes, etag='"1"'):
        self.content, self.etag, self.cut_after, self.status, self.asked = content, etag, None, 200, []

    @asynccontextmanager
    async def stream(self, url, headers):
        self.asked.append(headers.get("Range"))
        begin = 0
        if self.etag and headers.get("If-Range") == self.etag:
            begin = int(headers["Range"][6:-1])
        status = self.status if self.status != 200 else 206 if begin else 200

        async def chunks():
            body, sent = self.content[begin:], 0
            for at in range(0, len(body), 10):
                if self.cut_after is not None and sent >= self.cut_after:
                    raise NetworkError("cut")
                yield body[at : at + 10]
                sent += 10

        yield status, {"etag": self.etag} if self.etag else {}, chunks()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_a_download_resumes_where_it_was_cut(tmp_path):
    content = os.urandom(100)
    web, cache, sha256 = Web(content), Cache(tmp_path / "c"), digest(content)
    web.cut_after = 40
    with pytest.raises(FetchError, match="cut"):
        await cache.fetch(web, sha256, "u")
    assert cache.path(sha256) is None
    web.cut_after = None
    path = await cache.fetch(web, sha256, "u")
    assert path.read_bytes() == content
    assert web.asked == [None, "bytes=40-"]
    await cache.fetch(web, sha256, "u")
    assert len(web.asked) == 2, "it is here"
    assert sorted(file.name for file in (tmp_path / "c").iterdir()) == [sha256]


@pytest.mark.parametrize("later", ['"2"', ""])
async def test_a_file_that_changed_meanwhile_begins_anew(tmp_path, later):
    old, new = os.urandom(100), os.urandom(90)
    web, cache = Web(old), Cache(tmp_path / "c")
    web.cut_after = 40
    with pytest.raises(FetchError):
        await cache.fetch(web, digest(new), "u")
    web.content, web.etag, web.cut_after = new, later, None
    assert (await cache.fetch(web, digest(new), "u")).read_bytes() == new


async def test_the_hash_decides(tmp_path):
    cache = Cache(tmp_path / "c")
    with pytest.raises(FetchError, match="SHA-256"):
        await cache.fetch(Web(b"something else"), digest(b"what was promised"), "u")
    assert cache.size() == 0


@pytest.mark.parametrize(("status", "refused"), [(403, True), (404, True), (500, False), (416, False)])
async def test_refusals(tmp_path, status, refused):
    web = Web(b"x")
    web.status = status
    with pytest.raises(FetchError) as caught:
        await Cache(tmp_path / "c").fetch(web, digest(b"x"), "u")
    assert caught.value.refused == refused


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "F" * 64, "a" * 63])
async def test_only_hashes_are_names(tmp_path, name):
    cache = Cache(tmp_path / "c")
    assert cache.path(name) is None
    with pytest.raises(FetchError, match="SHA-256"):
        await cache.fetch(Web(b"x"), name, "u")


async def test_the_oldest_used_goes_but_never_what_is_needed(tmp_path):
    cache = Cache(tmp_path / "c", bound=250)
    contents = [os.urandom(100) for _ in range(2)]
    a, b = [digest(content) for content in contents]
    for content in contents:
        await cache.fetch(Web(content), digest(content), "u")
    os.utime(tmp_path / "c" / a, (1, 1))
    os.utime(tmp_path / "c" / b, (2, 2))
    assert cache.room_for(50, needed=())
    assert cache.has(a), "there was room"
    assert cache.room_for(100, needed={a})
    assert (cache.has(a), cache.has(b)) == (True, False)
    assert not cache.room_for(200, needed={a})
    assert cache.has(a)


# --- state folder ---

IDENTITY = Identity(server="http://s", token="t", device_id="d", ws_path="/w", plan_url="/p")


def test_the_state_folder_is_private_and_whole(tmp_path):
    state = StateFolder(tmp_path / "new" / "state")
    state.save("identity", IDENTITY)
    assert (tmp_path / "new/state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new/state/identity.json").stat().st_mode & 0o777 == 0o600
    assert state.load("identity", Identity) == IDENTITY
    (tmp_path / "new/state/identity.json").write_text('{"server": "http')
    assert state.load("identity", Identity) is None
    (tmp_path / "new/state/identity.json").write_text('{"server": 5}')
    assert state.load("identity", Identity) is None


def test_two_speakers_do_not_share_a_folder(tmp_path):
    state = StateFolder(tmp_path / "s")
    with pytest.raises(StateError, match="Another speaker"):
        StateFolder(tmp_path / "s")
    state.close()
    StateFolder(tmp_path / "s").close()


def test_a_folder_that_cannot_be_used_is_said_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"cannot be used .* choose another with --state"):
        StateFolder(tmp_path / "file" / "state")


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("/media/a?x=1", "http://s:8000/media/a?x=1"),
        ("media/a", "http://s:8000/media/a"),
        ("https://cdn.example/a", "https://cdn.example/a"),
        ("//cdn.example/a", "http://cdn.example/a"),
    ],
)
def test_references_are_resolved_against_the_origin(reference, url):
    assert resolve("http://s:8000", reference) == url
