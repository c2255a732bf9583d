"""Rules made, applied and taken back as in the running product, and whether the books balance."""

from __future__ import annotations

import pytest

from leads import verifying
from leads.actors import Actor
from scoring import rescore
from scoring.verifying import verify
from tracking.models import VerdictRule
from tracking.verdicts import ruling, running
from tracking.verifying import CHECKS

MIA = Actor.system("Mia")
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
ADA = "ada@acme.example"


@pytest.fixture
def settle(attach):
    """Work everything off, as the relay does."""

    def all_of_it() -> None:
        for _ in range(3):
            attach()
            while running.drain():
                pass
        while rescore.drain():
            pass

    return all_of_it


@pytest.fixture
def rule(settle):
    """Make a rule and apply it."""

    def made(effect: str, reason: str = "We know them", **conditions) -> VerdictRule:
        rule = ruling.make_rule(
            ruling.read_rule(effect=effect, reason=reason, **conditions), by=MIA
        )
        settle()
        return rule

    return made


@pytest.fixture
def take_back(settle):
    def ended(rule: VerdictRule) -> None:
        ruling.end_rule(rule.pk, by=MIA)
        settle()

    return ended


def books_balance() -> bool:
    wrong = [outcome for check in CHECKS if (outcome := verifying.run(check)).count]
    assert wrong == []
    assert verify(None) == []
    return True
