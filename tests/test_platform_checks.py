"""The product refuses to start where it would lose or expose data."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from funnel_app import checks

ROOT = Path(__file__).resolve().parent.parent
GOOD_KEY = "kP2v-7Qx.w9_Zr4Tn8Lm3Bd6Hc1Jf5Gs0YaUeIoXqW!pzRtVbNmKlAs"


@pytest.fixture
def production(settings):
    """Settings as on a production server, all safe."""
    settings.IS_PRODUCTION = True
    settings.DEBUG = False
    settings.SECRET_KEY = GOOD_KEY
    settings.ALLOWED_HOSTS = ["funnel.example.com"]
    return settings


def url_of_tests() -> str:
    """DATABASE_URL of the database that the tests use."""
    name = connection.settings_dict["NAME"]
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


ASYNC_UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"


def run_manage(*command: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={
            # Browser tests set it for themselves.
            **{name: value for name, value in os.environ.items() if name != ASYNC_UNSAFE},
            "ENVIRONMENT": "production",
            "DATABASE_URL": url_of_tests(),
            **environment,
        },
        capture_output=True,
        text=True,
    )


def test_safe_production_settings_have_nothing_to_say(production):
    assert checks.unsafe_settings() == []


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DEBUG", True, "DEBUG is on"),
        ("SECRET_KEY", "short", "shorter than 40 characters"),
        ("ALLOWED_HOSTS", ["*"], "every host name"),
    ],
)
def test_each_unsafe_setting_is_named(production, name, value, reason):
    setattr(production, name, value)

    (sentence,) = checks.unsafe_settings()

    assert reason in sentence


def test_the_key_from_the_source_is_refused_in_production_only(production):
    production.SECRET_KEY = production.INSECURE_SECRET_KEY
    assert "SECRET_KEY is not set" in checks.unsafe_settings()[0]

    production.IS_PRODUCTION = False
    assert checks.unsafe_settings() == []


def test_the_database_of_the_tests_is_safe(db):
    assert checks.unsafe_database() == []


def test_a_database_that_forgets_is_refused(db):
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
    try:
        (sentence,) = checks.unsafe_database()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")

    assert sentence.startswith("PostgreSQL runs with synchronous_commit off")


def test_a_migration_that_is_not_applied_is_refused(db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")

    (sentence,) = checks.unsafe_database()

    assert "(the first is sessions 0001_initial)" in sentence


def test_a_server_process_ends_with_the_reasons(monkeypatch, production):
    production.DEBUG = True
    monkeypatch.setattr(checks, "unsafe_database", list)
    monkeypatch.setattr(checks.connections, "close_all", lambda: None)

    with pytest.raises(SystemExit, match=r"Refusing to start\.\n- DEBUG is on"):
        checks.refuse_unsafe_start()


def test_a_database_that_is_away_is_no_reason(monkeypatch, capsys):
    def away() -> list[str]:
        raise OperationalError("connection refused")

    monkeypatch.setattr(checks, "unsafe_database", away)
    monkeypatch.setattr(checks.connections, "close_all", lambda: None)

    checks.refuse_unsafe_start()

    assert "cannot be asked whether it is safe yet: connection refused" in capsys.readouterr().err


def test_commands_refuse_production_without_a_key(db):
    done = run_manage("check", SECRET_KEY="")

    assert done.returncode == 1
    assert "SECRET_KEY" in done.stderr


def test_the_deployment_check_is_clean(db):
    done = run_manage(
        "check",
        "--deploy",
        "--fail-level=WARNING",
        SECRET_KEY=GOOD_KEY,
        ALLOWED_HOSTS="funnel.example.com",
        EMAIL_URL="smtp+tls://funnel:password@mail.example.com:587",
    )

    assert done.returncode == 0, done.stderr


def test_every_model_change_has_its_migration(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
