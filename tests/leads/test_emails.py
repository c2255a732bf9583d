"""One address has one spelling."""

from __future__ import annotations

import pytest

from leads.capture import capture_lead
from leads.emails import normalised
from leads.models import Lead
from tests.leads.people import SYSTEM
from tracking.claims import email_of


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Ada@Acme.Example ", "ada@acme.example"),
        ("admin@ｃorp.example", "admin@corp.example"),
        ("admin@corp。example", "admin@corp.example"),
        ("ada@Müller.example", "ada@xn--mller-kva.example"),
        ("ada@xn--mller-kva.example", "ada@xn--mller-kva.example"),
        ("ada@mu\u0308ller.example", "ada@xn--mller-kva.example"),
        ("ａda@acme.example", ""),
        ("ada@" + "ü" * 70 + ".example", ""),
        ("ada@\ud800.example", ""),
        ("ada@", ""),
        ("@", ""),
        ("", ""),
    ],
)
def test_spellings(text, address):
    assert normalised(text) == email_of(text) == address


def test_look_alikes_are_one_lead(db):
    for text in ("admin@corp.example", "admin@ｃorp.example", "Admin@CORP.example"):
        capture_lead(by=SYSTEM, email=text)
    assert Lead.objects.get().email == "admin@corp.example"
