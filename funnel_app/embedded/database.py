"""The product's database: made, filled with demo data once, and brought up to date.

A first start that is interrupted anywhere leaves nothing half done: on a server
of our own the database is filled under another name and gets its own name only
when it is complete.
"""

import os
import sys
from collections.abc import Mapping

import psycopg

from .children import Family, tell
from .errors import CannotStart
from .postgres import Postgres

NAME = "funnel"
UNFINISHED = "funnel_unfinished"


class DatabaseMaker:
    """Runs the product's own commands on a database; each shows its progress on our terminal."""

    def __init__(self, family: Family, environment: Mapping[str, str]) -> None:
        self.family = family
        # Making tables and data takes longer than a web page may.
        self.environment = {**environment, "STATEMENT_TIMEOUT_MS": "0"}

    def make(self, postgres: Postgres | None) -> str:
        """Bring the database up to date, filling a new one; returns its DATABASE_URL.

        With None it is the one that DATABASE_URL names. Raises CannotStart.
        """
        if postgres is None:
            return self._make_on_their_server()
        if NAME not in postgres.databases():
            postgres.drop_database(UNFINISHED)
            postgres.create_database(UNFINISHED)
            self._migrate(postgres.url(UNFINISHED))
            self._load_demo_data(postgres.url(UNFINISHED))
            postgres.rename_database(UNFINISHED, NAME)
        else:
            self._migrate(postgres.url(NAME))
        return postgres.url(NAME)

    def _make_on_their_server(self) -> str:
        url = os.environ["DATABASE_URL"]
        _require_answer(url)
        self._migrate(url)
        if not _has_leads(url):
            self._load_demo_data(url)
        return url

    def _migrate(self, url: str) -> None:
        tell("Bringing the database up to date …")
        self._manage(url, "migrate", "--no-input", "--verbosity", "0")

    def _load_demo_data(self, url: str) -> None:
        if os.environ.get("DEMO", "yes").lower() in ("no", "0", "false", "off"):
            return
        tell("Loading demo data (once) …")
        self._manage(url, "seed_demo")

    def _manage(self, url: str, *command: str) -> None:
        code = self.family.run_once(
            [sys.executable, "manage.py", *command], {**self.environment, "DATABASE_URL": url}
        )
        if code:
            raise CannotStart(
                f"The command manage.py {command[0]} failed; what it said stands above."
            )


def _require_answer(url: str) -> None:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        cause = str(error).strip().splitlines()[0]
        raise CannotStart(
            f"The PostgreSQL that DATABASE_URL names cannot be used: {cause}"
        ) from error


def _has_leads(url: str) -> bool:
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute("SELECT EXISTS (SELECT FROM leads_lead)").fetchone()
    return bool(row and row[0])
