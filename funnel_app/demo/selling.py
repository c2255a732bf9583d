"""What sales makes of an MQL: hand-off, BANT, opportunity, customer."""

from __future__ import annotations

import math
from datetime import date, timedelta

from funnel_app.demo.company import PRODUCTS
from funnel_app.demo.market import LEAK_COUNTRY
from funnel_app.demo.seasons import at_work
from funnel_app.demo.walk import Deal, Finding, Proposal, Walk
from leads.stages import Stage
from sales.reasons import DEFAULT_REASONS

# The leak: since then nobody has had time for new leads from there.
LEAKS_FOR = timedelta(days=165)
_WAITING_DAYS = {code: days for code, _label, days in DEFAULT_REASONS}
_LABELS = {code: label for code, label, _days in DEFAULT_REASONS}
_NOTES = {
    "no_budget": ("Budget is gone for this year", "Next budget round in spring", ""),
    "bad_timing": ("Line runs until next year", "Busy with an audit", "Call again after the move"),
    "wrong_person": ("Has no say in this", "Moved to another plant", ""),
    "unreachable": ("Four calls, two mails", "Number does not exist", "Nobody answers", ""),
    "needs_nurture": ("Reads for a thesis", "Just looking around", "Wanted the handbook only"),
    "uses_competitor": ("Frame contract until next year", ""),
    "not_a_fit": ("Workshop of three people", "No production of their own", ""),
    "is_competitor": ("Integrator who resells others", ""),
    "student": ("Writes a thesis", "Wanted to win the robot"),
    "bad_data": ("Company does not exist", "Invented name"),
}
_USUAL = (
    ("no_budget", 14), ("bad_timing", 22), ("wrong_person", 14), ("unreachable", 16),
    ("needs_nurture", 16), ("uses_competitor", 7), ("not_a_fit", 7), ("is_competitor", 2),
)  # fmt: skip
_OF_POOR_LEADS = (
    ("student", 18), ("not_a_fit", 24), ("bad_data", 14), ("needs_nurture", 28),
    ("unreachable", 16),
)  # fmt: skip
_OF_THE_LEAK = (("unreachable", 55), ("bad_timing", 35), ("needs_nurture", 10))
_EVIDENCE = {
    "budget": ("Approved in the investment plan", "Between 40 and 60 thousand", "Not planned yet"),
    "authority": (
        "Signs up to 100 thousand",
        "Decides with the plant manager",
        "Must ask the board",
    ),
    "need": ("Two stoppages a week on line 3", "Scrap rate of 4 %", "Curious, no pressure"),
    "timeline": ("Before the summer shutdown", "This quarter", "Some day"),
}
_WHY_LOST = (
    ("Chose a cheaper competitor", 24), ("No decision", 28), ("Builds it in-house", 14),
    ("Budget was cut", 18), ("Missing feature", 9), ("Contact left the company", 7),
)  # fmt: skip
_WHY_WON = ("Best references in the industry", "Pilot proved the savings", "Price and service")


def meet_sales(walk: Walk) -> None:
    """One hand-off and what follows; returns when the lead is back at Qualified lead."""
    proposal = Proposal(walk.cycle, walk.at)
    walk.journey.proposals.append(proposal)
    if walk.rests == Stage.MQL:
        walk.rest()
    is_leak = _leaks(walk)
    walk.wait(2.2 if is_leak else 0.22, 0.9, at_most=3, office=True)
    question = "is accepted" if walk.cycle == 1 else "is accepted again"
    if walk.happens(question, _chance_to_be_accepted(walk, is_leak)):
        proposal.state, proposal.decided_at = "accepted", walk.at
        walk.journey.is_worked = True
        walk.move(Stage.SAL, "rep")
        _work(walk)
    else:
        _reject(walk, proposal, is_leak)


def _leaks(walk: Walk) -> bool:
    return walk.person.country.code == LEAK_COUNTRY and walk.at > walk.end - LEAKS_FOR


def _chance_to_be_accepted(walk: Walk, is_leak: bool) -> float:
    chance = min(0.72 * walk.person.origin.quality**0.7, 0.93)
    if walk.cycle > 1:
        chance = max(chance, 0.8)
    if not walk.person.is_wanted:
        chance *= 0.4
    return chance * (0.4 if is_leak else 1)


def _reject(walk: Walk, proposal: Proposal, is_leak: bool) -> None:
    is_poor = walk.person.origin.is_poor or not walk.person.is_wanted
    reasons = _OF_THE_LEAK if is_leak else _OF_POOR_LEADS if is_poor else _USUAL
    if walk.fate:
        reasons = _OF_THE_LEAK  # a fixed part that is rejected may come back
    code = walk.draw(reasons)
    proposal.state, proposal.decided_at, proposal.reason_code = "rejected", walk.at, code
    proposal.note = walk.rng.choice(_NOTES[code])
    days = _WAITING_DAYS[code]
    label = _LABELS[code]
    reason = f"{label}: {proposal.note}" if proposal.note else label
    if days is None:
        walk.move(Stage.DISQUALIFIED, "rep", reason)
        walk.rest()
    _recycle(walk, reason, days, proposal)


def _recycle(walk: Walk, reason: str, days: int, proposal: Proposal | None = None) -> None:
    day = walk.at.date() + timedelta(days=days)
    if proposal is not None:
        proposal.not_before_on = day
    walk.move(Stage.QUALIFIED, "rep", reason, not_before_on=day)
    walk.until(walk.at + timedelta(days=days + 1))


def _work(walk: Walk) -> None:
    """SAL: the rep qualifies."""
    has_project = walk.happens("has a project", 0.52 * walk.person.origin.quality**0.35)
    started = walk.at
    _find_out(walk, ("need", "authority"), 1.5, sure=has_project)
    if walk.rests == Stage.SAL:
        walk.rest()
    _find_out(walk, ("budget", "timeline"), 12, sure=has_project)
    if walk.at - started < timedelta(days=2):
        walk.wait(2, office=True)
    if has_project:
        walk.move(Stage.SQL, "rep")
        return _negotiate(walk)
    turn = walk.rng.random()
    if turn < 0.4:
        return _recycle(walk, walk.rng.choice(("No project this year", "Project is on hold")), 120)
    if turn < 0.8:
        walk.move(Stage.LOST, "rep", walk.draw(_WHY_LOST))
    else:
        walk.move(Stage.DISQUALIFIED, "rep", "No production of their own")
    walk.rest()


def _find_out(walk: Walk, letters: tuple[str, ...], days: float, *, sure: bool) -> None:
    size = _size(walk)
    walk.wait(days * size, office=True, at_most=10)
    for letter in letters:
        met = walk.rng.random() < (0.93 if sure else 0.4) or (sure and letter != "budget")
        verdict = "met" if met else walk.rng.choice(("not_met", "unknown"))
        texts = _EVIDENCE[letter]
        evidence = walk.rng.choice(texts[:2]) if met else texts[2]
        walk.journey.findings.append(Finding(walk.cycle, letter, verdict, evidence, walk.at))


def _size(walk: Walk) -> float:
    """How much longer than a small company this one takes: 1 to about 3."""
    employees = walk.person.company.employees if walk.person.company else 50
    return max(1.0, math.log10(employees) - 1)


def _negotiate(walk: Walk) -> None:
    """SQL: demo, price, NDA, and a decision after months."""
    deal = _open_deal(walk)
    walk.journey.deals.append(deal)
    if walk.rests == Stage.SQL:
        walk.rest()
    for milestone, days, chance in (
        ("demo_on", 12, 0.9),
        ("pricing_on", 16, 0.85),
        ("nda_on", 20, 0.4),
    ):
        walk.wait(days * _size(walk) / 1.5, 0.5, office=True)
        if walk.rng.random() < chance:
            setattr(deal, milestone, walk.at.date())
            deal.probability += 15
    walk.wait(45 * _size(walk), 0.45, office=True)
    deal.closed_at = walk.at
    deal.expected_close_on = _month_end(walk.at.date() - timedelta(days=walk.rng.randint(-10, 40)))
    if walk.happens("buys", min(0.36 * walk.person.origin.quality**0.5, 0.6)):
        deal.outcome, deal.probability, deal.reason = "won", 100, walk.rng.choice(_WHY_WON)
        walk.move(Stage.CUSTOMER, "rep")
        return _be_a_customer(walk)
    deal.outcome, deal.probability, deal.reason = "lost", 0, walk.draw(_WHY_LOST)
    if deal.reason == "No decision" and not walk.fate:
        return _recycle(walk, "No decision", 150)
    walk.move(Stage.LOST, "rep", deal.reason)
    walk.rest()


def _open_deal(walk: Walk) -> Deal:
    weights = [product.weight for product in PRODUCTS]
    product = walk.rng.choices(range(len(PRODUCTS)), weights)[0]
    employees = walk.person.company.employees if walk.person.company else 50
    scale = min(max((employees / 250) ** 0.35, 0.5), 6)
    worth = PRODUCTS[product].price * scale * walk.rng.lognormvariate(0, 0.35)
    close = walk.at + timedelta(days=walk.rng.lognormvariate(math.log(100 * _size(walk)), 0.3))
    close = max(close, walk.end + timedelta(days=walk.rng.randint(-12, 120)))
    return Deal(walk.cycle, walk.at, product, worth, 20, _month_end(close.date()))


def _month_end(day: date) -> date:
    """Reps promise deals for the end of a month."""
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return following - timedelta(days=1)


def _be_a_customer(walk: Walk) -> None:
    if walk.happens("churns", 0.09):
        walk.wait(190, 0.35, at_most=200, office=True)
        walk.move(
            Stage.CHURNED, "rep", walk.rng.choice(("Plant was closed", "Went to a competitor"))
        )
        walk.rest()
    if not walk.happens("comes back", 0.12):
        walk.rest()
    walk.wait(110, 0.4, at_most=150, office=True)
    walk.move(Stage.QUALIFIED, "marketer", "Asks about a second line")
    walk.until(at_work(walk.at + timedelta(days=1), walk.person.country.zone, walk.rng))
