"""Refusing to start in a state that would lose or expose data.

The settings are checked by every command; the database, which commands like
`migrate` must be able to reach in any state, when a server process starts.
"""

import sys
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.migrations.executor import MigrationExecutor

SHORTEST_SECRET_KEY = 40  # characters
# Off, each of them loses commits that were acknowledged when the machine or the server dies.
MUST_NOT_BE_OFF = ("fsync", "synchronous_commit", "full_page_writes")


def unsafe_settings() -> list[str]:
    """What is unsafe about the settings of a production server, one sentence each."""
    if not settings.IS_PRODUCTION:
        return []
    reasons = []
    if settings.DEBUG:
        reasons.append("DEBUG is on in production: it would show code and settings to visitors.")
    if settings.SECRET_KEY == settings.INSECURE_SECRET_KEY:
        reasons.append("SECRET_KEY is not set: everybody who has the source could sign sessions.")
    elif len(settings.SECRET_KEY) < SHORTEST_SECRET_KEY:
        reasons.append(
            f"SECRET_KEY is shorter than {SHORTEST_SECRET_KEY} characters and could be guessed."
        )
    if "*" in settings.ALLOWED_HOSTS:
        reasons.append(
            "ALLOWED_HOSTS accepts every host name: links could be made to point elsewhere."
        )
    return reasons


def unsafe_database() -> list[str]:
    """What is unsafe about the database, one sentence each.

    Raises OperationalError while it is away.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    reasons = []
    with connection.cursor() as cursor:
        for name in MUST_NOT_BE_OFF:
            cursor.execute("SELECT current_setting(%s)", [name])
            if cursor.fetchone()[0] == "off":
                reasons.append(
                    f"PostgreSQL runs with {name} off: a crash would lose acknowledged events."
                )
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        first = missing[0][0]
        reasons.append(
            f"{len(missing)} migrations are not applied (the first is {first.app_label} "
            f"{first.name}): run manage.py migrate."
        )
    return reasons


def refuse_unsafe_start() -> None:
    """Called first by each server process; ends it with the reasons on standard error.

    A database that is away is no reason: the product starts, answers 503 and
    goes on when it is back.
    """
    reasons = unsafe_settings()
    try:
        reasons += unsafe_database()
    except OperationalError as error:
        print(
            f"The database cannot be asked whether it is safe yet: {error}".strip(), file=sys.stderr
        )
    finally:
        connections.close_all()
    if reasons:
        sys.exit("Refusing to start.\n" + "\n".join(f"- {reason}" for reason in reasons))


@checks.register(checks.Tags.security)
def check_settings(app_configs: Any, **options: Any) -> list[checks.CheckMessage]:
    """The same reasons for `manage.py check` and all other commands."""
    return [
        checks.Error(reason, id=f"funnel_app.E{number:03}")
        for number, reason in enumerate(unsafe_settings(), 1)
    ]
