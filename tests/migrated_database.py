"""One migrated database for each set of test servers, of which every process takes a copy.

Migrating takes a processor for longer than most files of tests do, copying takes a
moment. What is copied is named after the migrations and what they import, so that a
changed one is never missed; `--create-db` migrates again in any case.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
LOCK = 0x66756E6E656C  # of PostgreSQL's advisory locks: "funnel"
HALF_MADE = "half_made"


def take_copy(*, anew: bool) -> str:
    """Connect this process to a fresh copy; returns the name of the database it had before.

    `anew` migrates again though nothing that migrations read has changed.
    """
    before, mine = connection.settings_dict["NAME"], _own_name()
    prefix = f"test_{before}_migrated_"
    made = prefix + _fingerprint()
    with connection._nodb_cursor() as cursor:
        # Another process may be migrating meanwhile, for as long as it needs.
        cursor.execute("SET lock_timeout = 0; SET statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        if anew or not _exists(cursor, made):
            _drop_all(cursor, prefix)
            _migrate(cursor, made)
        _drop(cursor, mine)
        cursor.execute(f'CREATE DATABASE "{mine}" TEMPLATE "{made}"')
    _connect_to(mine)
    return before


def give_back(before: str) -> None:
    """Drop the copy of this process and connect to the database it had before.

    Raises OperationalError when somebody is still connected to the copy.
    """
    mine = connection.settings_dict["NAME"]
    connection.close()
    with connection._nodb_cursor() as cursor:
        _drop(cursor, mine)
    _connect_to(before)


def sessions() -> list[str]:
    """Who else is connected to the database of this process: what each did last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%s since %s: %s', state, backend_start, left(query, 200))"
            "  FROM pg_stat_activity WHERE datname = current_database()"
            "   AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return [said for (said,) in cursor.fetchall()]


def _own_name() -> str:
    place = connection.settings_dict
    return place["TEST"]["NAME"] or f"test_{place['NAME']}"


def _fingerprint() -> str:
    """Changes with migrations, what they import of the product, the packages and the Python."""
    migrations = sorted(ROOT.glob("*/migrations/*.py"))
    read = {ROOT / "requirements" / "dev.txt", *migrations}
    for migration in migrations:
        modules = re.findall(r"^\s*(?:from|import) ([\w.]+)", migration.read_text(), re.MULTILINE)
        read |= {ROOT / f"{module.replace('.', '/')}.py" for module in modules}
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(path for path in read if path.exists()):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _migrate(cursor, name: str) -> None:
    """Make a database with all migrations; it gets its name when it is complete."""
    before = connection.settings_dict["NAME"]
    half_made = f"test_{before}_{HALF_MADE}"
    _drop(cursor, half_made)
    cursor.execute(f'CREATE DATABASE "{half_made}"')
    _connect_to(half_made)
    try:
        _fill()
    finally:
        _connect_to(before)
    cursor.execute(f'ALTER DATABASE "{half_made}" RENAME TO "{name}"')


def _fill() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
    _remember_reference_rows()


def _remember_reference_rows() -> None:
    """Copy what migrations wrote into a schema of its own."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA reference")
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT 1 FROM "{table}" LIMIT 1')
            if cursor.fetchone() and table != "django_migrations":
                cursor.execute(f'CREATE TABLE reference."{table}" AS TABLE "{table}"')


def _exists(cursor, name: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return cursor.fetchone() is not None


def _drop(cursor, name: str) -> None:
    cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')


def _drop_all(cursor, prefix: str) -> None:
    """Databases that were migrated from code as it was earlier."""
    cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
    for (name,) in cursor.fetchall():
        _drop(cursor, name)


def _connect_to(name: str) -> None:
    """Let everything in this process that asks for the database get this one."""
    connection.close()
    connection.settings_dict["NAME"] = name
    settings.DATABASES[connection.alias]["NAME"] = name
