"""The triggers that make the trail append-only in the database itself, for PostgreSQL and SQLite.

An UPDATE may only give an entry its place in the chain, once; TRUNCATE is refused. Heads and beginnings of chains only
grow. A chain may begin later only where a whole stretch of entries and the one after it are older than
LEAST_KEPT_DAYS, and with that stretch's last hash; a DELETE is refused but for entries before the beginning.
`install` and `remove` are for migrations; nothing else in the project takes the triggers away.
"""

from __future__ import annotations

from typing import Any

from common.environment import LEAST_AUDIT_DAYS

TRIGGERS = (
    "audit_logs_no_update",
    "audit_logs_no_delete",
    "audit_chains_no_rewind",
    "audit_chains_old_enough",
    "audit_chains_no_later_birth",
    "audit_chains_no_delete",
)
"""On each database; PostgreSQL has `…_no_truncate` besides."""

REFUSAL = "the audit trail is append-only"

_REWOUND = (
    "NEW.number < OLD.number OR NEW.chain <> OLD.chain OR NEW.start_number < OLD.start_number"
    " OR NEW.start_number = OLD.start_number AND NEW.start_hash <> OLD.start_hash"
)

_POSTGRESQL = [
    f"""
    CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_logs_no_update BEFORE UPDATE ON audit_logs FOR EACH ROW
    WHEN (
        OLD.number IS NOT NULL OR NEW.number IS NULL
        OR to_jsonb(NEW) - '{number,hash}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{number,hash}'::text[]
    ) EXECUTE FUNCTION audit_append_only()
    """,
    f"""
    CREATE OR REPLACE FUNCTION audit_keep_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM audit_chains WHERE chain = COALESCE(OLD.client_id, 0) AND start_number >= OLD.number
        ) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    "CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs"
    " FOR EACH ROW EXECUTE FUNCTION audit_keep_entry()",
    "CREATE TRIGGER audit_logs_no_truncate BEFORE TRUNCATE ON audit_logs"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_chains_no_rewind BEFORE UPDATE ON audit_chains FOR EACH ROW"
    f" WHEN ({_REWOUND}) EXECUTE FUNCTION audit_append_only()",
    f"""
    CREATE OR REPLACE FUNCTION audit_old_enough() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        limit_ timestamptz := now() - interval '{LEAST_AUDIT_DAYS} days';
        good boolean;
    BEGIN
        SELECT count(*) = NEW.start_number - OLD.start_number + 1 AND max(timestamp) < limit_
            AND max(hash) FILTER (WHERE number = NEW.start_number) = NEW.start_hash
        INTO good FROM audit_logs
        WHERE (client_id = NEW.chain OR NEW.chain = 0 AND client_id IS NULL)
            AND number > OLD.start_number AND number <= NEW.start_number + 1;
        IF good THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
    END $$
    """,  # noqa: S608  # our own names
    "CREATE TRIGGER audit_chains_old_enough BEFORE UPDATE ON audit_chains FOR EACH ROW"
    " WHEN (NEW.start_number > OLD.start_number) EXECUTE FUNCTION audit_old_enough()",
    "CREATE TRIGGER audit_chains_no_later_birth BEFORE INSERT ON audit_chains FOR EACH ROW"
    " WHEN (NEW.start_number <> 0) EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_chains_no_delete BEFORE DELETE ON audit_chains"
    " FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_chains_no_truncate BEFORE TRUNCATE ON audit_chains"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
]

_POSTGRESQL_AWAY = [
    *(
        f"DROP TRIGGER IF EXISTS {table}_{name} ON {table}"
        for table, names in (
            ("audit_logs", ("no_update", "no_delete", "no_truncate")),
            ("audit_chains", ("no_rewind", "old_enough", "no_later_birth", "no_delete", "no_truncate")),
        )
        for name in names
    ),
    *(
        f"DROP FUNCTION IF EXISTS {name}()"
        for name in ("audit_append_only", "audit_keep_entry", "audit_old_enough")
    ),
]

_SEALED_COLUMNS = {"number", "hash"}


def _sqlite(columns: list[str]) -> list[str]:
    told = ", ".join(column for column in columns if column not in _SEALED_COLUMNS)
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    return [
        f"CREATE TRIGGER audit_logs_no_update BEFORE UPDATE OF {told} ON audit_logs {refuse}",
        "CREATE TRIGGER audit_logs_no_update_of_place BEFORE UPDATE OF number, hash ON audit_logs"
        f" WHEN OLD.number IS NOT NULL OR NEW.number IS NULL {refuse}",
        "CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs WHEN NOT EXISTS ("  # noqa: S608  # our own names
        "SELECT 1 FROM audit_chains WHERE chain = COALESCE(OLD.client_id, 0) AND start_number >= OLD.number)"
        f" {refuse}",
        f"CREATE TRIGGER audit_chains_no_rewind BEFORE UPDATE ON audit_chains WHEN {_REWOUND} {refuse}",
        "CREATE TRIGGER audit_chains_old_enough BEFORE UPDATE ON audit_chains"  # noqa: S608  # our own names
        " WHEN NEW.start_number > OLD.start_number AND ("
        "SELECT count(*) <> NEW.start_number - OLD.start_number + 1"
        f" OR max(timestamp) >= datetime('now', '-{LEAST_AUDIT_DAYS} days')"
        " OR max(CASE number WHEN NEW.start_number THEN hash END) <> NEW.start_hash"
        " FROM audit_logs WHERE client_id IS NULLIF(NEW.chain, 0)"
        f" AND number > OLD.start_number AND number <= NEW.start_number + 1) {refuse}",
        "CREATE TRIGGER audit_chains_no_later_birth BEFORE INSERT ON audit_chains"
        f" WHEN NEW.start_number <> 0 {refuse}",
        f"CREATE TRIGGER audit_chains_no_delete BEFORE DELETE ON audit_chains {refuse}",
    ]


def install(connection: Any) -> None:
    """Puts the triggers onto the tables.

    Does nothing for the older migrations that call it: the triggers are about a column that a later one adds.
    """
    with connection.cursor() as cursor:
        chains = connection.introspection.get_table_description(cursor, "audit_chains")
        if "start_number" not in {column.name for column in chains}:
            return
        if connection.vendor == "postgresql":
            statements = _POSTGRESQL
        else:
            described = connection.introspection.get_table_description(cursor, "audit_logs")
            statements = _sqlite([column.name for column in described])
        for statement in statements:
            cursor.execute(statement)


def remove(connection: Any) -> None:
    """Takes the triggers away, where they are."""
    if connection.vendor == "postgresql":
        statements = _POSTGRESQL_AWAY
    else:
        statements = [
            f"DROP TRIGGER IF EXISTS {name}" for name in (*TRIGGERS, "audit_logs_no_update_of_place")
        ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def missing(connection: Any) -> list[str]:
    """The names of TRIGGERS that are not there, or are switched off."""
    there = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(there)
        found = {name for (name,) in cursor.fetchall()}
    return [name for name in TRIGGERS if name not in found]
