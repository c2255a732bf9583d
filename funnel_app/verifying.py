"""The proof that the books balance: every app's checks, in one list.

ledger = score (scoring), episodes = stage (leads), counters = events (tracking),
hand-offs = stages (sales), roll-ups = episodes (insights).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from insights import verifying as insights
from leads import verifying as leads
from leads.verifying import EXAMPLES, Outcome
from sales import verifying as sales
from scoring import account_verifying as accounts
from scoring import verifying as scoring
from tracking import verifying as tracking


class Item(NamedTuple):
    """One check: `about` names its app, `run` gives the outcomes."""

    about: str
    run: Callable[[], list[Outcome]]


def items(sample: int | None) -> Iterator[Item]:
    """Everything that can be checked; `sample` leads for what is slow (None: all leads)."""
    for app, checks in (("leads", leads.CHECKS), ("tracking", tracking.CHECKS)):
        for check in checks:
            yield Item(app, partial(_run_sql, check))
    yield Item("scoring", partial(_run_scoring, sample))
    yield Item("scoring", partial(_run_accounts, sample))
    for check in sales.CHECKS:
        yield Item("sales", partial(_run_sql, check))
    yield Item("insights", _run_insights)


def _run_sql(check: leads.Check) -> list[Outcome]:
    return [leads.run(check)]


def _run_insights() -> list[Outcome]:
    found = insights.differences()
    return [Outcome("the roll-ups are what the episodes say", len(found), found)]


def _run_scoring(sample: int | None) -> list[Outcome]:
    found = defaultdict(list)
    for discrepancy in scoring.verify(sample):
        found[discrepancy.check].append(discrepancy)
    if not found:
        return [Outcome("hits, features, ledger and standing agree", 0, [])]
    return [
        Outcome(f"no {check}", len(many), [str(one) for one in many[:EXAMPLES]])
        for check, many in found.items()
    ]


def _run_accounts(sample: int | None) -> list[Outcome]:
    found = [str(one) for one in accounts.verify(sample)]
    return [Outcome("account scores are what their people say", len(found), found[:EXAMPLES])]
