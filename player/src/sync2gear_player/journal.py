"""The journal: what this speaker has begun to play and what became of it, safe against loss of power.

"Starting" is committed (SQLite, `synchronous=FULL`, so fsync'd) before the first sample; a row found in that
state after a restart may or may not have sounded: it becomes `unknown_after_crash` and is never played again.
Receipts stay until the server acknowledges them, and event ids at least `KEEP_US` longer, against repeats.

Music that was heard stays until the server acknowledges it, too. Its instants are the server's time; what was heard
while that was not known is kept with its boot and monotonic instant, and dated anew once the time is known.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, astuple, fields
from pathlib import Path

from sync2gear_player.documents import build
from sync2gear_player.messages import MusicStretch, Receipt

KEEP_US = 72 * 3_600_000_000
"""Longer than the 48 h within which a push or a plan may name an event again."""
KEEP_STRETCHES = 50_000
"""Of music that was never acknowledged: more than a month of three-minute tracks."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS plays (
    event_id TEXT PRIMARY KEY,
    at_us INTEGER NOT NULL,
    crashed TEXT,
    receipt TEXT,
    acknowledged INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS plays_owed ON plays (acknowledged, at_us);
CREATE TABLE IF NOT EXISTS music (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    report_id TEXT NOT NULL UNIQUE,
    segment_id TEXT NOT NULL,
    music_id INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    played_ms INTEGER NOT NULL,
    over INTEGER NOT NULL,
    undated_in TEXT NOT NULL,
    began_us INTEGER NOT NULL
);
"""

_FROM_FIRST_SCHEMA = """
BEGIN;
ALTER TABLE plays ADD COLUMN crashed TEXT;
UPDATE plays SET crashed = json_object(
    'event_id', event_id, 'announcement_id', announcement_id, 'outcome', 'unknown_after_crash'
) WHERE receipt IS NULL;
ALTER TABLE plays DROP COLUMN announcement_id;
COMMIT;
"""

log = logging.getLogger(__name__)


class Journal:
    """Safe to call from several threads; every method that writes has committed when it returns."""

    def __init__(self, path: Path) -> None:
        """Opens or creates it. A file that is damaged is put aside, since a silent speaker helps nobody."""
        self._lock = threading.Lock()
        try:
            self._db = _open(path)
        except sqlite3.DatabaseError as error:
            aside = path.with_suffix(f".damaged-{path.stat().st_mtime_ns}")
            log.error("the journal is damaged (%s); it is put aside as %s", error, aside.name)
            path.rename(aside)
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self._db = _open(path)

    def begin(self, crashed: Receipt, now: int) -> bool:
        """Commits "starting"; `crashed` is the receipt if nothing is heard of it any more.

        False if the event is in the journal already: it must not sound again.
        """
        with self._lock, self._db:
            cursor = self._db.execute(
                "INSERT OR IGNORE INTO plays (event_id, at_us, crashed) VALUES (?, ?, ?)",
                (crashed.event_id, now, json.dumps(asdict(crashed))),
            )
            return cursor.rowcount == 1

    def finish(self, receipt: Receipt, now: int) -> None:
        """Keeps what became of an event, begun or not. An outcome that is kept already is not changed."""
        with self._lock, self._db:
            self._db.execute(
                "INSERT INTO plays (event_id, at_us, receipt) VALUES (?, ?, ?)"
                " ON CONFLICT (event_id) DO UPDATE SET receipt = excluded.receipt, at_us = excluded.at_us"
                " WHERE receipt IS NULL",
                (receipt.event_id, now, json.dumps(asdict(receipt))),
            )

    def recover(self, now: int) -> list[str]:
        """At start: what was left in "starting" is what `begin` said it is then; returns those event ids."""
        with self._lock, self._db:
            left = self._db.execute("SELECT event_id FROM plays WHERE receipt IS NULL").fetchall()
            self._db.execute("UPDATE plays SET receipt = crashed, at_us = ? WHERE receipt IS NULL", (now,))
        return [event_id for (event_id,) in left]

    def owed(self) -> list[Receipt]:
        """The receipts that the server has not acknowledged, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT receipt FROM plays WHERE receipt IS NOT NULL AND acknowledged = 0 ORDER BY at_us"
            ).fetchall()
        return [build(Receipt, json.loads(text)) for (text,) in rows]

    def acknowledge(self, event_ids: Iterable[str]) -> None:
        """The server has committed these receipts."""
        with self._lock, self._db:
            self._db.executemany(
                "UPDATE plays SET acknowledged = 1 WHERE event_id = ? AND receipt IS NOT NULL",
                [(event_id,) for event_id in event_ids],
            )

    def receipt_again(self, event_id: str) -> Receipt | None:
        """The receipt of an event that the server asks for once more: owed again. None if there is none yet."""
        with self._lock, self._db:
            row = self._db.execute("SELECT receipt FROM plays WHERE event_id = ?", (event_id,)).fetchone()
            if row is None or row[0] is None:
                return None
            self._db.execute("UPDATE plays SET acknowledged = 0 WHERE event_id = ?", (event_id,))
        return build(Receipt, json.loads(row[0]))

    def known(self, event_ids: Iterable[str]) -> set[str]:
        """Those of `event_ids` that are in the journal."""
        wanted = list(event_ids)
        with self._lock:
            return {
                event_id
                for event_id in wanted
                if self._db.execute("SELECT 1 FROM plays WHERE event_id = ?", (event_id,)).fetchone()
            }

    def prune(self, now: int) -> int:
        """Forgets acknowledged events older than `KEEP_US`; returns how many."""
        with self._lock, self._db:
            return self._db.execute(
                "DELETE FROM plays WHERE acknowledged = 1 AND at_us < ?", (now - KEEP_US,)
            ).rowcount

    # --- music ---

    def keep_music(
        self, stretch: MusicStretch, *, over: bool, began_us: int = 0, undated_in: str = ""
    ) -> None:
        """Keeps a stretch of music, or what is new of it.

        `undated_in` names the boot if the server's time was not known in it; `began_us` is its start on the
        monotonic clock of that boot.
        """
        with self._lock, self._db:
            self._db.execute(
                "INSERT INTO music (report_id, segment_id, music_id, started_at, ended_at, played_ms, over,"
                " undated_in, began_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (report_id) DO UPDATE SET started_at = excluded.started_at,"
                " ended_at = excluded.ended_at, played_ms = excluded.played_ms, over = excluded.over,"
                " undated_in = excluded.undated_in",
                (*astuple(stretch), over, undated_in, began_us),
            )

    def recover_music(self, boot_id: str) -> None:
        """At start: what sounded when the program stopped is over; what an earlier boot could not date stays as
        it was believed then."""
        with self._lock, self._db:
            self._db.execute("UPDATE music SET over = 1")
            self._db.execute("UPDATE music SET undated_in = '' WHERE undated_in <> ?", (boot_id,))

    def date_music(self, server_us: Callable[[int], int]) -> None:
        """Dates what could not be dated in this boot; `server_us` turns monotonic instants into the server's."""
        with self._lock, self._db:
            undated = self._db.execute(
                "SELECT number, began_us, ended_at - started_at FROM music WHERE undated_in <> ''"
            ).fetchall()
            dated = [(server_us(began_us), length, number) for number, began_us, length in undated]
            self._db.executemany(
                "UPDATE music SET started_at = ?1, ended_at = ?1 + ?2, undated_in = '' WHERE number = ?3",
                dated,
            )

    def owed_music(self, most: int) -> list[MusicStretch]:
        """Up to `most` stretches that are over and not acknowledged, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT report_id, segment_id, music_id, started_at, ended_at, played_ms FROM music"
                " WHERE over = 1 AND undated_in = '' ORDER BY number LIMIT ?",
                (most,),
            ).fetchall()
        names = [field.name for field in fields(MusicStretch)]
        return [MusicStretch(**dict(zip(names, row, strict=True))) for row in rows]

    def acknowledge_music(self, report_ids: Iterable[str]) -> None:
        """The server has committed these stretches: they are forgotten."""
        with self._lock, self._db:
            self._db.executemany("DELETE FROM music WHERE report_id = ?", [(each,) for each in report_ids])

    def prune_music(self) -> int:
        """Forgets the oldest stretches beyond `KEEP_STRETCHES`; returns how many."""
        with self._lock, self._db:
            return self._db.execute(
                "DELETE FROM music WHERE number <= (SELECT max(number) FROM music) - ?", (KEEP_STRETCHES,)
            ).rowcount

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(_SCHEMA)
        if "announcement_id" in {row[1] for row in db.execute("PRAGMA table_info(plays)")}:
            db.executescript(_FROM_FIRST_SCHEMA)
        check = db.execute("PRAGMA quick_check").fetchone()[0]
        if check != "ok":
            raise sqlite3.DatabaseError(check)
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db
