"""The first version of the scoring model: sensible weights for a B2B company.

A migration writes it, in English; readers see these words in their language. Admins change it by cloning it to a draft; this file only ever makes version 1.
"""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext_noop as _

VERSION = {
    "number": 1,
    "name": _("First agreement"),
    "threshold": 60,
    "fit_cut": 20,
    "interest_cut": 25,
    "fit_floor": -50,
    "fit_ceiling": 50,
    "interest_floor": -50,
    "interest_ceiling": 100,
}
CAPS = (
    ("fit", _("Seniority"), 20),
    ("fit", _("Company size"), 15),
    ("interest", _("Browsing"), 20),
    ("interest", _("Content"), 30),
    ("interest", _("E-mail"), 20),
    ("interest", _("Meetings"), 30),
)

LEADERS = [
    "ceo", "cto", "cfo", "coo", "cio", "cmo", "cdo", "chief", "founder", "co-founder",
    "business owner", "co-owner", "president", "managing director", "general manager",
    "managing partner", "대표", "사장",
]  # fmt: skip
HEADS = [
    "vp", "svp", "evp", "vice president", "director", "head", "이사", "상무", "전무", "본부장",
]  # fmt: skip
MANAGERS = ["manager", "lead", "leader", "supervisor", "팀장", "부장", "과장"]
LEARNERS = ["student", "intern", "trainee", "phd candidate", "학생", "인턴"]
INDUSTRIES = [
    "manufactur", "automotive", "machine", "industrial", "logistic", "pharma", "food", "chemical",
    "electronic", "energy", "engineering",
]  # fmt: skip
CORE_MARKETS = ["DE", "AT", "CH", "NL", "BE", "FR", "GB", "DK", "SE", "PL", "US", "KR"]


def _c(field: str, operator: str, value: Any = None) -> dict:
    condition = {"field": field, "operator": operator}
    return condition if value is None else condition | {"value": value}


def _on_path(*pieces: str) -> list[dict]:
    return [_c("path", "contains", list(pieces))]


# key, words, conditions, points, group, blocks
FIT = (
    ("title_leader", _("Leads the company"), [_c("title", "has_word", LEADERS)], 20, "Seniority", False),
    ("title_head", _("Heads a department"), [_c("title", "has_word", HEADS)], 15, "Seniority", False),
    ("title_manager", _("Manages a team"), [_c("title", "has_word", MANAGERS)], 8, "Seniority", False),
    ("employees_50", _("50 to 199 employees"), [_c("employee_count", "between", [50, 199])], 8, "Company size", False),
    ("employees_200", _("200 to 4,999 employees"), [_c("employee_count", "between", [200, 4999])], 15, "Company size", False),
    ("employees_5000", _("5,000 employees or more"), [_c("employee_count", "at_least", 5000)], 10, "Company size", False),
    ("target_industry", _("Works in a target industry"), [_c("industry", "contains", INDUSTRIES)], 10, "", False),
    ("core_market", _("Is in a core market"), [_c("country", "is_one_of", CORE_MARKETS)], 5, "", False),
    ("corporate_email", _("Writes from a company address"), [_c("email_type", "is", "corporate")], 5, "", False),
    ("free_email", _("Writes from a free mail address"), [_c("email_type", "is", "free")], -10, "", False),
    ("learner", _("Is a student or trainee"), [_c("title", "has_word", LEARNERS)], -40, "", True),
    ("competitor", _("Works for a competitor"), [_c("relationship", "is", "competitor")], -50, "", True),
)  # fmt: skip

# key, words, kind of event, conditions, frequency, half-life in days, points, group
EVERY: dict = {}
ONCE_A_DAY = {"frequency": "per_period", "max_count": 1, "period_days": 1}


def _most(count: int, days: int) -> dict:
    return {"frequency": "per_period", "max_count": count, "period_days": days}


def _distinct(field: str) -> dict:
    return {"frequency": "per_distinct", "distinct_field": field}


INTEREST: Any = (
    ("page_view", _("Viewed a page"), "page_viewed", [], _most(5, 1), 14, 1, "Browsing"),
    ("customer_story", _("Read a customer story"), "page_viewed", _on_path("/customers", "/case-stud", "/stories"), _distinct("path"), 30, 3, "Browsing"),
    ("pricing_page", _("Viewed the pricing page"), "pricing_page_viewed", [], _most(2, 1), 21, 8, ""),
    ("download", _("Downloaded a file"), "file_downloaded", [], _distinct("path"), 45, 8, "Content"),
    ("form", _("Sent a form"), "form_submitted", [], _most(1, 1), 45, 10, "Content"),
    ("video", _("Watched a video"), "video_watched", [], _most(2, 7), 30, 4, "Content"),
    ("demo", _("Asked for a demo"), "demo_requested", [], _most(1, 30), 60, 35, ""),
    ("trial", _("Started a trial"), "trial_started", [], _most(1, 30), 45, 25, ""),
    ("mail_opened", _("Opened an e-mail"), "email_opened", [], _most(3, 7), 14, 1, "E-mail"),
    ("mail_clicked", _("Clicked a link in an e-mail"), "email_link_clicked", [], _most(3, 7), 21, 4, "E-mail"),
    ("mail_answered", _("Answered an e-mail"), "email_replied", [], _most(1, 7), 30, 12, "E-mail"),
    ("webinar", _("Attended a webinar"), "webinar_attended", [], ONCE_A_DAY, 60, 15, "Meetings"),
    ("event", _("Attended an event"), "event_attended", [], ONCE_A_DAY, 60, 15, "Meetings"),
    ("meeting", _("Met us"), "meeting_held", [], ONCE_A_DAY, 60, 15, "Meetings"),
    ("call", _("Spoke with us on the phone"), "call_held", [], ONCE_A_DAY, 45, 8, "Meetings"),
    ("careers_page", _("Looked at open positions"), "page_viewed", _on_path("/career", "/jobs", "/karriere", "/채용"), ONCE_A_DAY, 60, -8, ""),
    ("unsubscribed", _("Unsubscribed"), "email_unsubscribed", [], {"frequency": "per_period", "period_days": 30}, 90, -20, ""),
    ("bounced", _("An e-mail bounced"), "email_bounced", [], {"frequency": "per_period", "period_days": 30}, 120, -10, ""),
    ("spam", _("Marked an e-mail as spam"), "email_marked_as_spam", [], _most(1, 30), 365, -40, ""),
)  # fmt: skip


def write_first_version(signals: Any, versions: Any, rules: Any, caps: Any) -> Any:
    """Create version 1 and make it active. The arguments are the models' managers."""
    version = versions.create(**VERSION, state="draft")
    ordinal = 0
    for key, label, conditions, points, group, is_blocking in FIT:
        ordinal += 1
        signal = signals.create(
            axis="fit", key=key, label=label, conditions=conditions, ordinal=ordinal
        )
        rules.create(
            version=version, signal=signal, points=points, group=group, is_blocking=is_blocking
        )
    for key, label, kind, conditions, frequency, half_life, points, group in INTEREST:
        ordinal += 1
        signal = signals.create(
            axis="interest", key=key, label=label, event_kind=kind, conditions=conditions,
            half_life_days=half_life, ordinal=ordinal, **frequency,
        )  # fmt: skip
        rules.create(version=version, signal=signal, points=points, group=group)
    for axis, group, cap in CAPS:
        caps.create(version=version, axis=axis, group=group, cap=cap)
    signals.update(counted_at=Now())
    versions.filter(pk=version.pk).update(state="active", published_at=Now())
    return version
