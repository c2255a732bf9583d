"""The people of every test: one of each role, and one who must see nothing."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase
from django.utils import translation
from hypothesis import HealthCheck, settings
from psycopg.errors import DeadlockDetected

from tests import migrated_database
from users.models import Team, User
from users.roles import Role

# How quick the machine is proves nothing about the product.
settings.register_profile(
    "any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any_machine")

# Other sessions of this database that are in a statement or a transaction, or were just now.
OTHERS_AT_WORK = """
SELECT EXISTS (
    SELECT 1 FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND backend_type = 'client backend'
       AND (state <> 'idle' OR state_change > clock_timestamp() - interval '100 milliseconds'))
"""
# Take twenty seconds of a processor or more. Spread over processes they begin first, together with
# what drives browsers and servers: begun late, one of them would keep all others waiting.
LONG = {
    "test_arithmetic.py",
    "test_hostile_values.py",
    "test_import_killed.py",
    "test_import_opportunities.py",
    "test_import_real_files.py",
    "test_merged_leads.py",
    "test_merging_concurrently.py",
    "test_merging_property.py",
    "test_outages.py",
    "test_pages.py",
    "test_prediction_figures.py",
    "test_prediction_work.py",
    "test_quadrants.py",
    "test_review.py",
    "test_traffic.py",
    "test_two_opinions.py",
    "test_verdict_thresholds.py",
    "test_verdicts_restored.py",
    "test_visits.py",
    "test_walk.py",
}
QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Only tables that hold something are emptied: a TRUNCATE of all of them, and the permissions that
# Django would write anew, take longer than most tests. As a replica neither the guards of
# append-only tables nor foreign keys ask anything.
RESET = """
DO $$
DECLARE
  name text;
  is_filled boolean;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables
               WHERE schemaname = 'public' AND tablename <> 'django_migrations' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO is_filled;
    IF is_filled THEN
      EXECUTE format('DELETE FROM public.%I', name);
    END IF;
  END LOOP;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'reference' LOOP
    EXECUTE format('INSERT INTO public.%1$I SELECT * FROM reference.%1$I', name);
  END LOOP;
END $$
"""


@pytest.hookimpl(trylast=True)  # browser tests are marked by a hook of their own
def pytest_collection_modifyitems(config, items) -> None:
    """Order the files for several processes, each of which takes the next one when it is done."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not _is_long(item))


def _is_long(item) -> bool:
    is_marked = any(map(item.get_closest_marker, ("browser", "servers")))
    return is_marked or item.path.name in LONG


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings) -> None:
    """A test's own transaction may stay open for as long as a busy machine needs."""
    connection.settings_dict["OPTIONS"]["options"] += " -c idle_in_transaction_session_timeout=0"


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment,
    django_db_modify_db_settings,
    django_db_keepdb,
    django_db_createdb,
    django_db_blocker,
) -> Iterator[None]:
    """A copy of the migrated database for this process. After a transactional test it holds what
    migrations wrote (legal moves, default criteria, first model, permissions …), nothing else."""
    with django_db_blocker.unblock():
        before = migrated_database.take_copy(anew=django_db_createdb)
    flush = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = _reset
    yield
    TransactionTestCase._fixture_teardown = flush
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            try:
                migrated_database.give_back(before)
            except OperationalError as error:
                still_there = migrated_database.sessions()
                warnings.warn(f"The test database stays: {error} {still_there}", stacklevel=1)


def _reset(_case: TransactionTestCase) -> None:
    for attempts_left in (2, 1, 0):
        _wait_for_silence()
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(RESET)
            return
        except OperationalError as error:
            # A browser that is going asked once more, just after the silence.
            if not attempts_left or not isinstance(error.__cause__, DeadlockDetected):
                raise


def _wait_for_silence(seconds: float = 10) -> None:
    """A server of the test may still answer a browser that has gone: what it writes would
    outlive the test."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(OTHERS_AT_WORK)
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("The servers of this test did not come to rest.")


@pytest.fixture(scope="module")
def module_transaction(django_db_setup, django_db_blocker) -> Iterator[None]:
    """What other module-scoped fixtures write stays for all tests of the module, which take back
    only what they did themselves. For tests that need one connection."""
    with django_db_blocker.unblock():
        block = transaction.atomic()
        block.__enter__()
        try:
            yield
        finally:
            transaction.set_rollback(True)
            block.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def quick_and_uncollected(settings) -> None:
    """Passwords are hashed quickly, and pages are drawn without collected static files."""
    settings.PASSWORD_HASHERS = QUICK_HASHERS
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    # Otherwise each client's first request reads the facts of all collected files anew.
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def one_language() -> Iterator[None]:
    """A test that reads a page in another language leaves it to nobody else."""
    yield
    translation.activate(django_settings.LANGUAGE_CODE)


@pytest.fixture
def north(db) -> Team:
    return Team.objects.create(name="North")


@pytest.fixture
def south(db) -> Team:
    return Team.objects.create(name="South")


def person(first_name: str, role: str, team: Team | None = None, **fields) -> User:
    fields |= {"is_staff": role == Role.ADMIN, "is_superuser": role == Role.ADMIN}
    return User.objects.create_user(
        f"{first_name.lower()}@example.com",
        "correct horse battery",
        first_name=first_name,
        role=role,
        team=team,
        **fields,
    )


@pytest.fixture
def mia(db) -> User:
    """The marketer."""
    return person("Mia", Role.MARKETER)


@pytest.fixture
def sam(north) -> User:
    """The rep of the northern team."""
    return person("Sam", Role.REP, north)


@pytest.fixture
def sue(south) -> User:
    """A rep of another team."""
    return person("Sue", Role.REP, south)


@pytest.fixture
def mona(north) -> User:
    """The manager of the northern team."""
    return person("Mona", Role.MANAGER, north)


@pytest.fixture
def ana(db) -> User:
    """The admin."""
    return person("Ana", Role.ADMIN)


@pytest.fixture
def viv(db) -> User:
    """Signed in, without a role: must see nothing."""
    return person("Viv", "")
