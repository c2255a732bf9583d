"""Several models, new leads only, back again, and no flood: which version scores whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils.timezone import localdate, now

from leads.actors import Actor
from leads.models import Lead, Standing
from scoring import drafting, governing, publishing, rescore, terms, version_queries
from scoring.explanations import basis
from scoring.models import (
    HeldLead,
    LeadFeature,
    ModelVersion,
    Rule,
    ScoringModel,
    Signal,
)
from scoring.publishing import Plan
from scoring.verifying import verify
from tests.scoring.stories import (
    activated,
    good_fit_lead,
    put_in_force,
    settle,
    sign,
    some_lead,
    standing_of,
    tell_events,
)

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system("test")
KOREANS = [{"field": "country", "operator": "is", "value": "KR"}]


def active() -> ModelVersion:
    return ModelVersion.objects.active()


def draft_with(**points: int) -> ModelVersion:
    draft = drafting.clone_to_draft(active().pk, by=SYSTEM)
    for key, value in points.items():
        draft.rules.filter(signal__key=key).update(points=value)
    return draft


def finish() -> None:
    while publishing.drain():
        pass
    settle()


def scored(lead: Lead) -> Standing:
    rescore.enqueue([lead.pk])
    settle()
    return standing_of(lead)


def test_a_lead_is_scored_by_the_model_that_it_belongs_to():
    german, korean = some_lead(country="DE"), some_lead(country="KR")
    rescore.enqueue([german.pk, korean.pk])
    settle()
    draft = drafting.begin_model("Korea", KOREANS, active().pk, by=SYSTEM)
    draft.rules.filter(signal__key="core_market").update(points=17)
    assert scored(korean).model_version == 1  # nothing changes before it is in force
    put_in_force(draft)
    assert (standing_of(german).model_version, standing_of(korean).model_version) == (1, 2)
    assert standing_of(korean).fit - standing_of(german).fit == 12
    assert governing.version_for(korean).number == 2
    assert verify(None) == []


def test_before_its_model_was_there_a_lead_was_scored_by_the_model_for_all():
    korean = some_lead(country="KR")
    scored(korean)
    before, first = now(), active()
    draft = drafting.begin_model("Korea", KOREANS, first.pk, by=SYSTEM)
    assert version_queries.whom(draft) == ["country is “South Korea”"]
    put_in_force(draft)
    assert terms.before(draft) == first
    assert basis(korean, before).explanation.version == first
    assert basis(korean, now()).explanation.version == draft


def test_a_lead_that_moves_is_scored_by_the_other_model():
    put_in_force(drafting.begin_model("Korea", KOREANS, active().pk, by=SYSTEM))
    lead = some_lead(country="DE")
    assert scored(lead).model_version == 1
    Lead.objects.filter(pk=lead.pk).update(country="KR")
    assert scored(lead).model_version == 2
    assert verify(None) == []


def test_each_model_has_its_own_active_version():
    put_in_force(drafting.begin_model("Korea", KOREANS, active().pk, by=SYSTEM))
    korean = ModelVersion.objects.in_force().exclude(model=1).get()
    put_in_force(drafting.clone_to_draft(korean.pk, by=SYSTEM))
    put_in_force(draft_with(demo=30))
    numbers = {v.model.name: v.number for v in ModelVersion.objects.in_force()}
    assert numbers == {"Korea": 3, "All leads": 4}


@pytest.mark.parametrize(
    "conditions", [[], [{"field": "password", "operator": "is", "value": "x"}]]
)
def test_a_model_says_whom_it_is_for(conditions):
    with pytest.raises(ValidationError):
        drafting.begin_model("Odd", conditions, active().pk, by=SYSTEM)
    assert ScoringModel.objects.count() == 1


def test_published_for_new_leads_only_the_others_stay_with_the_old_version():
    old = some_lead(country="DE")
    scored(old)
    draft = draft_with(core_market=17)
    publishing.publish(sign(draft).pk, by=SYSTEM, plan=Plan(scope="new"))
    finish()
    new = some_lead(country="DE")
    assert scored(new).model_version == 2
    assert scored(old).model_version == 1
    assert standing_of(new).fit - standing_of(old).fit == 12
    rescore.recompute_all()
    assert (standing_of(old).model_version, standing_of(new).model_version) == (1, 2)
    assert verify(None) == []


def test_three_generations_each_with_its_own_leads():
    leads = []
    for number in range(3):
        leads.append(some_lead(country="DE"))
        scored(leads[-1])
        if number < 2:
            draft = draft_with(core_market=10 + number)
            publishing.publish(sign(draft).pk, by=SYSTEM, plan=Plan(scope="new"))
            finish()
    assert [scored(lead).model_version for lead in leads] == [1, 2, 3]
    put_in_force(draft_with(core_market=1))
    assert [scored(lead).model_version for lead in leads] == [4, 4, 4]


def test_a_former_version_comes_back_with_its_leads():
    old = some_lead(country="DE")
    scored(old)
    put_in_force(draft_with(core_market=17))
    assert scored(old).model_version == 2
    publishing.publish(ModelVersion.objects.get(number=1).pk, by=SYSTEM)
    finish()
    assert active().number == 1 and scored(old).model_version == 1
    assert ModelVersion.objects.get(number=2).state == "retired"
    publishing.publish(ModelVersion.objects.get(number=2).pk, by=SYSTEM)
    finish()
    assert active().number == 2
    assert verify(None) == []


def nearly_ready(count: int) -> list[Lead]:
    leads = [good_fit_lead() for _n in range(count)]
    for lead in leads:
        tell_events(lead, "pricing_page_viewed 0d ago")
    rescore.enqueue([lead.pk for lead in leads])
    settle()
    return leads


def mqls() -> int:
    return Lead.objects.filter(stage="mql").count()


def test_leads_that_a_publication_makes_ready_go_to_sales_by_and_by():
    leads = nearly_ready(5)
    draft = draft_with(pricing_page=60)
    publishing.publish(sign(draft).pk, by=SYSTEM, plan=Plan(daily_handoffs=2))
    finish()
    assert mqls() == 0 and HeldLead.objects.count() == 5
    rescore.refresh()
    assert mqls() == 2
    rescore.refresh()
    assert mqls() == 2  # that was today's share
    for days, handed_over in ((1, 4), (2, 5)):
        activated(now() - timedelta(days=days))
        rescore.refresh()
        assert mqls() == handed_over
    assert mqls() == len(leads) and not HeldLead.objects.exists()


def test_who_does_something_does_not_wait_for_its_turn():
    lead, _other, _third = nearly_ready(3)
    publishing.publish(sign(draft_with(pricing_page=60)).pk, by=SYSTEM, plan=Plan(daily_handoffs=1))
    finish()
    assert mqls() == 0
    with time_machine.travel(now() + timedelta(minutes=1)):
        tell_events(lead, "page_viewed 0d ago")
        lead.last_activity.at = now()
        lead.last_activity.save(update_fields=["at"])
        rescore.enqueue([lead.pk])
        settle()
    lead.refresh_from_db()
    assert lead.stage == "mql" and mqls() == 1


def test_without_a_limit_all_go_at_once():
    nearly_ready(3)
    put_in_force(draft_with(pricing_page=60))
    assert mqls() == 3 and not HeldLead.objects.exists()


@pytest.mark.parametrize("plan", [Plan(scope="some"), Plan(daily_handoffs=0)])
def test_a_plan_that_makes_no_sense_is_refused(plan):
    with pytest.raises(publishing.Refused):
        publishing.publish(sign(draft_with()).pk, by=SYSTEM, plan=plan)


def test_the_first_version_of_a_model_is_for_all_its_leads():
    draft = sign(drafting.begin_model("Korea", KOREANS, active().pk, by=SYSTEM))
    with pytest.raises(publishing.Refused, match="scores all leads that belong to it"):
        publishing.publish(draft.pk, by=SYSTEM, plan=Plan(scope="new"))


def test_who_may_not_go_to_sales_yet_takes_nobodys_turn():
    first, second = nearly_ready(2)
    Lead.objects.filter(pk=first.pk).update(not_before_on=localdate() + timedelta(days=30))
    draft = sign(draft_with(pricing_page=60))
    publishing.publish(draft.pk, by=SYSTEM, plan=Plan(daily_handoffs=5))
    finish()
    assert list(HeldLead.objects.values_list("lead", flat=True)) == [second.pk]


def test_a_former_version_comes_back_without_a_flood():
    nearly_ready(3)
    put_in_force(draft_with(pricing_page=60, demo=30))
    put_in_force(draft_with(pricing_page=8))
    late = nearly_ready(3)
    publishing.publish(
        ModelVersion.objects.get(number=2).pk, by=SYSTEM, plan=Plan(daily_handoffs=1)
    )
    finish()
    assert HeldLead.objects.filter(lead__in=late).count() == 3


def test_a_new_inactivity_counts_for_who_was_quiet_before():
    """Since the lead was last folded, the silence has begun."""
    lead = some_lead()
    tell_events(lead, "page_viewed 60d ago")
    scored(lead)
    LeadFeature.objects.filter(lead=lead).update(folded_at=now() - timedelta(days=59))
    signal = Signal(axis="interest", key="quiet", label="Quiet", inactive_days=30)
    drafting.prepare_signal(signal)
    Signal.objects.bulk_create([signal])
    draft = draft_with()
    Rule.objects.create(version=draft, signal=signal, points=-5)
    put_in_force(draft)
    assert LeadFeature.objects.get(lead=lead).sums[signal.ordinal - 1] == 1
    assert verify(None) == []
