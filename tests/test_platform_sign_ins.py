"""`manage.py sign_ins`, which `make run` prints at its end."""

from io import StringIO

import pytest
from django.core.management import call_command

from funnel_app.demo.company import COLLEAGUES, DEMO_PASSWORD
from users.models import User


@pytest.fixture
def sign_ins(db):
    def run() -> list[str]:
        out = StringIO()
        call_command("sign_ins", stdout=out)
        return out.getvalue().splitlines()

    return run


def test_an_empty_product_says_how_to_make_the_first_administrator(sign_ins):
    assert sign_ins() == ["Nobody can sign in yet: .venv/bin/python manage.py createsuperuser"]


def test_one_person_of_each_role_is_named(sign_ins):
    for colleague in COLLEAGUES:
        User.objects.create_user(colleague.email, DEMO_PASSWORD, role=colleague.role)

    assert [line.split()[-4] for line in sign_ins()] == [
        "mia@demo.example",
        "sam@demo.example",
        "mona@demo.example",
        "ana@demo.example",
    ]


def test_a_changed_password_is_not_announced(sign_ins):
    User.objects.create_user(COLLEAGUES[0].email, "something else", role=COLLEAGUES[0].role)

    assert "Nobody can sign in yet" in sign_ins()[0]
