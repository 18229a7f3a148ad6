"""The triggers that make the trail append-only in the database itself, for PostgreSQL and SQLite.

An UPDATE may only give an entry its place in the chain, once; DELETE and TRUNCATE are refused. Heads of chains only
grow. `install` and `remove` are for migrations; nothing else in the project takes the triggers away.
"""

from __future__ import annotations

from typing import Any

TRIGGERS = (
    "audit_logs_no_update",
    "audit_logs_no_delete",
    "audit_chains_no_rewind",
    "audit_chains_no_delete",
)
"""On each database; PostgreSQL has `…_no_truncate` besides."""

REFUSAL = "the audit trail is append-only"

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
    "CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs"
    " FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_logs_no_truncate BEFORE TRUNCATE ON audit_logs"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_chains_no_rewind BEFORE UPDATE ON audit_chains FOR EACH ROW"
    " WHEN (NEW.number < OLD.number OR NEW.chain <> OLD.chain) EXECUTE FUNCTION audit_append_only()",
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
            ("audit_chains", ("no_rewind", "no_delete", "no_truncate")),
        )
        for name in names
    ),
    "DROP FUNCTION IF EXISTS audit_append_only()",
]

_SEALED_COLUMNS = {"number", "hash"}


def _sqlite(columns: list[str]) -> list[str]:
    told = ", ".join(column for column in columns if column not in _SEALED_COLUMNS)
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    return [
        f"CREATE TRIGGER audit_logs_no_update BEFORE UPDATE OF {told} ON audit_logs {refuse}",
        "CREATE TRIGGER audit_logs_no_update_of_place BEFORE UPDATE OF number, hash ON audit_logs"
        f" WHEN OLD.number IS NOT NULL OR NEW.number IS NULL {refuse}",
        f"CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs {refuse}",
        "CREATE TRIGGER audit_chains_no_rewind BEFORE UPDATE ON audit_chains"
        f" WHEN NEW.number < OLD.number OR NEW.chain <> OLD.chain {refuse}",
        f"CREATE TRIGGER audit_chains_no_delete BEFORE DELETE ON audit_chains {refuse}",
    ]


def install(connection: Any) -> None:
    """Puts the triggers onto the tables."""
    with connection.cursor() as cursor:
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
