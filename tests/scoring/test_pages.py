"""The scoring page, the explanation of a lead's score, and the admin's way to publish."""

from __future__ import annotations

import pytest
from django.urls import reverse

from scoring import publishing, terms
from scoring.models import ModelVersion, Publication, Rule
from tests.scoring.stories import (
    good_fit_lead,
    put_in_force,
    settle,
    sign,
    some_lead,
    tell_events,
)
from tracking.signals import event_recorded

pytestmark = pytest.mark.django_db


def active() -> ModelVersion:
    return ModelVersion.objects.get(state="active")


@pytest.fixture
def scored_lead(db):
    lead = good_fit_lead()
    tell_events(lead, "pricing_page_viewed 3d ago /pricing", "page_viewed 1d ago /jobs/x")
    event_recorded.send(sender=None, lead_ids=[lead.pk], event_ids=[])
    settle()
    return lead


def clone(client) -> ModelVersion:
    client.post(reverse("admin:scoring_modelversion_clone", args=[active().pk]))
    return ModelVersion.objects.get(state="draft")


def test_everyone_reads_the_agreement_in_plain_words(client, sam):
    client.force_login(sam)
    page = client.get(reverse("scoring:model")).content.decode()
    assert "Viewed the pricing page" in page
    assert (
        "+8 points: Event “Pricing page viewed”; at most twice a day; halves every 21 days." in page
    )
    assert "Change the model" not in page


def test_a_lead_explains_its_score(client, mia, scored_lead):
    client.force_login(mia)
    page = client.get(reverse("scoring:explanation", args=[scored_lead.pk])).content.decode()
    assert "Viewed the pricing page" in page and "Looked at open positions" in page
    assert "/jobs/x" in page and "Leads the company" in page


def test_the_explanation_alone_for_htmx_and_as_of_a_past_day(client, mia, scored_lead):
    client.force_login(mia)
    url = reverse("scoring:explanation", args=[scored_lead.pk])
    assert "<html" not in client.get(url, headers={"HX-Request": "true"}).content.decode()
    past = client.get(url, {"as_of": "2020-01-01"}).content.decode()
    assert "Viewed the pricing page" not in past
    assert client.get(url, {"as_of": "2020-99-99"}).status_code == 200


def test_a_lead_that_is_not_yours_is_not_found(client, sue, scored_lead):
    client.force_login(sue)
    assert client.get(reverse("scoring:explanation", args=[scored_lead.pk])).status_code == 404


def test_a_lead_without_score(client, mia):
    lead = some_lead()
    ModelVersion.objects.filter(state="active").update(state="retired")
    client.force_login(mia)
    assert (
        "Not scored yet"
        in client.get(reverse("scoring:explanation", args=[lead.pk])).content.decode()
    )
    assert "No scoring model is active" in client.get(reverse("scoring:model")).content.decode()


def rule_form(version: ModelVersion, **changes: str) -> dict:
    """The admin's form of a draft as a browser would send it."""
    fields = (
        "name threshold fit_cut interest_cut fit_floor fit_ceiling interest_floor interest_ceiling"
    )
    form = {name: getattr(version, name) for name in fields.split()}
    form |= {"hysteresis": version.hysteresis}
    for prefix, rows, names in (
        ("rules", version.rules.all(), ("signal_id", "points", "group")),
        ("caps", version.caps.all(), ("axis", "group", "cap")),
    ):
        form[f"{prefix}-TOTAL_FORMS"] = form[f"{prefix}-INITIAL_FORMS"] = len(rows)
        for number, row in enumerate(rows):
            form[f"{prefix}-{number}-id"] = row.pk
            form[f"{prefix}-{number}-version"] = version.pk
            for name in names:
                form[f"{prefix}-{number}-{name.removesuffix('_id')}"] = getattr(row, name)
            if getattr(row, "is_blocking", False):
                form[f"{prefix}-{number}-is_blocking"] = "on"
    return form | changes


def index_of(version: ModelVersion, key: str) -> int:
    return [rule.signal.key for rule in version.rules.select_related("signal")].index(key)


def on_page(version: ModelVersion, what: str = "") -> str:
    return reverse(f"scoring:version{what}", args=[version.number])


def test_an_admin_changes_a_weight_both_sign_and_it_is_published(
    client, ana, mia, mona, scored_lead
):
    client.force_login(ana)
    draft = clone(client)
    number = index_of(draft, "pricing_page")
    edit = reverse("admin:scoring_modelversion_change", args=[draft.pk])
    shown = client.get(edit).context["adminform"].form.initial["shown"]
    answer = client.post(edit, rule_form(draft, shown=shown, **{f"rules-{number}-points": "60"}))
    assert answer.status_code == 302, answer.context["errors"]
    page = client.get(on_page(draft)).content.decode()
    assert "Viewed the pricing page: 8 → 60" in page and "Submit for signature" in page

    refused = client.post(on_page(draft, "_publications"), {"scope": "all"})
    assert refused.status_code == 422
    assert "is not signed by marketing and sales yet" in refused.content.decode()
    assert client.post(on_page(draft, "_reviews"), {"decision": "submit"}).status_code == 302
    for signer in (mia, mona):
        client.force_login(signer)
        assert ">Sign<" in client.get(on_page(draft)).content.decode().replace("\n", "")
        seen = {"seen": terms.fingerprint(draft)}
        assert client.post(on_page(draft, "_signatures")).status_code == 409  # not what is shown
        assert client.post(on_page(draft, "_signatures"), seen).status_code == 302
    assert client.post(on_page(draft, "_signatures"), seen).status_code == 409

    client.force_login(ana)
    answer = client.post(on_page(draft, "_publications"), {"scope": "all"})
    assert answer.status_code == 302
    assert active() == draft
    while publishing.drain():
        pass
    scored_lead.refresh_from_db()
    assert scored_lead.stage == "mql"
    assert scored_lead.standing.model_version == 2
    assert Publication.objects.get().finished_at
    history = client.get(on_page(draft)).content.decode()
    for said in ("submitted it for signature", "signed it", "published it"):
        assert said in history


def everything_in(version: ModelVersion) -> list:
    """The version with its rules and caps, column by column."""
    tables = (ModelVersion.objects.filter(pk=version.pk), version.rules.all(), version.caps.all())
    return [list(rows.order_by("pk").values()) for rows in tables]


def attempt_to_change(client, version: ModelVersion) -> str:
    """Change what the form has to change, and delete a rule. The page that answers."""
    form = rule_form(version, **{"rules-0-points": "99", "rules-1-DELETE": "on"})
    form |= {"name": "Mine", "threshold": "1", "caps-0-cap": "1", "_save": "Save"}
    edit = reverse("admin:scoring_modelversion_change", args=[version.pk])
    return client.post(edit, form, follow=True).content.decode()


def test_a_published_version_is_shown_but_never_changed(client, ana):
    client.force_login(ana)
    version = active()
    before = everything_in(version)
    edit = reverse("admin:scoring_modelversion_change", args=[version.pk])
    page = client.get(edit).content.decode()
    assert "never changes. Clone it to a draft" in page and 'name="_save"' not in page
    sentence = "Nothing was saved: version 1 is active and does not change. Clone it to a draft"
    assert sentence in attempt_to_change(client, version)
    delete = reverse("admin:scoring_modelversion_delete", args=[version.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert everything_in(version) == before


def test_a_retired_version_never_changes_either(client, ana):
    client.force_login(ana)
    version = active()
    put_in_force(clone(client))
    before = everything_in(version)
    assert "version 1 is retired and does not change" in attempt_to_change(client, version)
    assert everything_in(version) == before


def test_a_version_in_review_cannot_be_changed_under_the_signatures(client, ana):
    client.force_login(ana)
    draft = clone(client)
    client.post(on_page(draft, "_reviews"), {"decision": "submit"})
    draft.refresh_from_db()
    before = everything_in(draft)
    answer = attempt_to_change(client, draft)
    assert "version 2 is in review and does not change." in answer
    assert everything_in(draft) == before


def test_of_two_admins_who_edit_one_draft_the_second_is_told(client, ana):
    client.force_login(ana)
    draft = clone(client)
    edit = reverse("admin:scoring_modelversion_change", args=[draft.pk])
    shown = client.get(edit).context["adminform"].form.initial["shown"]
    first = rule_form(draft, shown=shown, **{"rules-0-points": "12"})
    second = rule_form(draft, shown=shown, threshold="66")
    assert client.post(edit, first).status_code == 302
    answer = client.post(edit, second)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "Nothing was saved: somebody else changed this meanwhile" in page
    assert 'value="66"' in page  # what was typed is still there
    draft.refresh_from_db()
    assert draft.threshold == 60 and draft.rules.filter(points=12).exists()


def test_a_threshold_out_of_reach_is_refused_at_the_field(client, ana):
    client.force_login(ana)
    draft = clone(client)
    edit = reverse("admin:scoring_modelversion_change", args=[draft.pk])
    answer = client.post(edit, rule_form(draft, threshold="9999", fit_cut="70"))
    errors = answer.context["adminform"].form.errors
    assert "No lead can reach this" in str(errors["threshold"])
    assert "The cut must lie between" in str(errors["fit_cut"])


def test_publishing_twice_tells_who_was_faster(client, ana):
    client.force_login(ana)
    draft = sign(clone(client))
    assert client.post(on_page(draft, "_publications"), {"scope": "all"}).status_code == 302
    answer = client.post(on_page(draft, "_publications"), {"scope": "all"})
    assert answer.status_code == 409
    assert "published already" in answer.content.decode()


def test_a_draft_without_interest_rules_is_not_submitted(client, ana):
    client.force_login(ana)
    draft = clone(client)
    Rule.objects.filter(version=draft, signal__axis="interest").delete()
    answer = client.post(on_page(draft, "_reviews"), {"decision": "submit"})
    assert answer.status_code == 422
    assert "has no rule for: Interest" in answer.content.decode()


def test_a_new_signal_is_checked_in_words(client, ana):
    client.force_login(ana)
    add = reverse("admin:scoring_signal_add")
    form = {
        "axis": "interest",
        "key": "docs",
        "label": "Read the documentation",
        "event_kind": "page_viewed",
        "conditions": '[{"field": "password", "operator": "is", "value": "x"}]',
        "frequency": "every",
        "max_count": "1",
        "period_days": "1",
    }
    answer = client.post(add, form)
    assert "There is no field “password” to look at." in answer.content.decode()
    good = '[{"field": "path", "operator": "starts_with", "value": "/docs"}]'
    assert client.post(add, form | {"conditions": good}).status_code == 302
    page = client.get(reverse("admin:scoring_signal_changelist")).content.decode()
    assert "path starts with “/docs”; counts every time; does not fade." in page


@pytest.mark.parametrize(
    "name", ["modelversion", "scoringmodel", "signal", "failedlead", "maildomain"]
)
def test_the_admin_lists_open(client, ana, name):
    client.force_login(ana)
    assert client.get(reverse(f"admin:scoring_{name}_changelist")).status_code == 200


def test_the_words_that_we_ship_are_in_the_readers_language(client, ana):
    client.force_login(ana)
    page = client.get("/scoring/", headers={"accept-language": "ko"}).content.decode()
    assert "가격 페이지를 봄" in page
    assert "직급" in page
