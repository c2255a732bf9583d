"""The people of every test: one of each role, and one who must see nothing."""

from __future__ import annotations

import pytest

from users.models import Team, User
from users.roles import Role


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let the flush between transactional tests empty the append-only tables."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET funnel.truncating = 'on'")
        connection.close()


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
