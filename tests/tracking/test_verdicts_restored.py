"""Whatever rules say in between: when they are taken back, all is as it was."""

from datetime import timedelta

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.models import LastActivity
from scoring.models import LeadFeature
from tests.tracking.conftest import FIREFOX
from tests.tracking.ruling import ADA, GOOGLEBOT, books_balance, rule, settle, take_back
from tests.tracking.test_attaching import known
from tracking.models import Event, Visitor

__all__ = ["rule", "settle", "take_back"]

STORIES = st.lists(
    st.tuples(
        st.sampled_from(["page", "Email Opened", "Email Link Clicked", "File Downloaded"]),
        st.sampled_from(["/a", "/pricing", "/b"]),
        st.sampled_from([FIREFOX, GOOGLEBOT, "curl/8.1", ""]),
        st.sampled_from(["v1", "v2", "v3"]),
        st.integers(1, 40),
    ),
    min_size=1,
    max_size=12,
)
CONDITIONS = st.sampled_from(
    [
        {"path": "/a"},
        {"path": "/"},
        {"user_agent": "firefox"},
        {"user_agent": "googlebot"},
        {"event_kind": "email_opened"},
        {"visitor": "v1"},
        {"event_kind": "pricing_page_viewed", "visitor": "v2"},
        {"email_domain": "acme.example"},
    ]
)
RULES = st.lists(
    st.tuples(st.sampled_from(["human", "machine", "staff"]), CONDITIONS), min_size=1, max_size=3
)


def picture() -> dict:
    """All that verdicts decide, of every event, lead and visitor."""
    return {
        "events": list(
            Event.objects.order_by("id").values_list("id", "verdict", "verdict_signals")
        ),
        "leads": list(LastActivity.objects.order_by("lead").values_list("lead", "at")),
        # What scores are made of, decayed to the beginning of the month: no clock in it.
        "features": [
            (lead, [round(each, 9) for each in sums])
            for lead, sums in LeadFeature.objects.order_by("lead").values_list("lead", "sums")
        ],
        "visitors": list(
            Visitor.objects.order_by("anonymous_id").values_list(
                "anonymous_id", "first_seen_at", "last_seen_at", "channel", "landing_path"
            )
        ),
    }


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STORIES, RULES, st.randoms(use_true_random=False))
def test_taking_back_restores_every_verdict_score_and_visitor(
    tell, settle, rule, take_back, stories, rules, chance
):
    with transaction.atomic():
        known(ADA)
        tell("Form Submitted", who="v1", email=ADA, ago=timedelta(days=50))
        for name, path, header, who, days in stories:
            is_mail = name.startswith("Email")
            about = {"trusted": True, "email": ADA, "email_id": "m"} if is_mail else {"who": who}
            context = {"page": {"path": path}} | ({"userAgent": header} if is_mail else {})
            tell(name, ago=timedelta(days=days), header=header, context=context, **about)
        settle()
        before = picture()
        made = [rule(effect, **conditions) for effect, conditions in rules]
        assert books_balance()
        for each in chance.sample(made, len(made)):
            take_back(each)
        assert picture() == before
        assert books_balance()
        transaction.set_rollback(True)
