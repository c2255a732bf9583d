"""The quadrant page: bins, figures and lists agree, for everybody with what they may see."""

from __future__ import annotations

import random
from decimal import Decimal
from math import floor

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from leads import lifecycle
from leads.filters import LeadFilter
from leads.models import Lead, Standing
from scoring import quadrant_lists, quadrants, rules
from scoring.models import LeadFeature, ModelVersion, Rule
from scoring.quadrant_cells import count_crowd
from scoring.quadrants import Cuts, Window
from scoring.rescore import enqueue
from tests.conftest import QUICK_HASHERS, person
from tests.factories import LeadFactory
from tests.scoring.stories import SYSTEM, good_fit_lead, settle, tell_events
from users.models import Team, User
from users.roles import Role

pytestmark = pytest.mark.django_db
PAGE, PICTURE, LEADS = "scoring:quadrants", "scoring:quadrant_picture", "scoring:quadrant_leads"


def active() -> ModelVersion:
    return ModelVersion.objects.get(state="active")


@pytest.fixture(autouse=True)
def nothing_is_kept(db) -> None:
    cache.clear()


@pytest.fixture(scope="module")
def placed(module_transaction) -> list[int]:
    """The keys of Sam and of the crowd, which all tests start with."""
    with override_settings(PASSWORD_HASHERS=QUICK_HASHERS):
        sam = person("Sam", Role.REP, Team.objects.create(name="North"))
    return [sam.pk, *(lead.pk for lead in spread(sam))]


@pytest.fixture
def north(placed, db) -> Team:
    return Team.objects.get(name="North")


@pytest.fixture
def sam(placed, db) -> User:
    return User.objects.get(pk=placed[0])


@pytest.fixture
def crowd(placed, db) -> list[Lead]:
    return list(Lead.objects.filter(pk__in=placed[1:]).order_by("pk"))


def spread(sam: User) -> list[Lead]:
    """Forty leads all over the plane, some at the very edges and on the cuts; some blocked."""
    version, dice = active(), random.Random(7)
    blocking = Rule.objects.filter(version=version, is_blocking=True).first()
    leads = [LeadFactory(owner=sam if n % 4 == 0 else None) for n in range(40)]
    for n, lead in enumerate(leads):
        fit = Decimal(dice.choice([-50, 50, version.fit_cut, dice.randint(-5000, 5000) / 100]))
        interest = Decimal(
            dice.choice([-50, 100, version.interest_cut, dice.randint(-5000, 10000) / 100])
        )
        fit, interest = round(fit, 2), round(interest, 2)
        is_blocked = n % 5 == 0
        sums = [0.0] * 60
        sums[blocking.signal.ordinal - 1] = float(is_blocked)
        LeadFeature.objects.update_or_create(
            lead=lead,
            defaults={"sums": sums, "anchor_at": lead.created_at, "folded_at": lead.created_at},
        )
        place = rules.quadrant(fit, interest, version.fit_cut, version.interest_cut)
        Standing.objects.filter(lead=lead).update(
            fit=fit,
            interest=interest,
            score=fit + interest,
            quadrant=place,
            is_promising=rules.is_promising(fit + interest, version.threshold, place, is_blocked),
            scored_at=lead.created_at,
            model_version=version.number,
        )
    return leads


def of(user):
    return quadrants.scored_leads(user, LeadFilter())


def now(leads):
    return count_crowd(leads, active())


def figures(leads, version, cuts):
    return quadrants.figures(leads, version, cuts, now(leads))


def test_the_figures_are_what_the_standings_say(crowd, mia):
    version = active()
    found = figures(of(mia), version, Cuts.of(version))
    for quadrant, tally in found.quadrants.items():
        assert tally.count == Standing.objects.filter(quadrant=quadrant).count()
    assert found.promising == Standing.objects.filter(is_promising=True).count()
    assert (found.entering, found.leaving) == (0, 0)
    assert sum(now(of(mia)).bands(10).values()) == found.total.count == len(crowd)


@pytest.mark.parametrize("seed", range(8))
def test_other_cuts_give_what_the_arithmetic_gives_one_by_one(crowd, mia, seed):
    version, dice = active(), random.Random(seed)
    cuts = Cuts(
        Decimal(dice.randint(-50, 50)),
        Decimal(dice.randint(-50, 99)),
        Decimal(dice.randint(-60, 120)),
    )
    found, leads = figures(of(mia), version, cuts), of(mia)
    blocked = {feature.lead_id for feature in LeadFeature.objects.all() if any(feature.sums)}
    places, promising = {}, set()
    for standing in Standing.objects.all():
        place = rules.quadrant(standing.fit, standing.interest, cuts.fit, cuts.interest)
        places.setdefault(place, set()).add(standing.pk)
        if rules.is_promising(standing.score, cuts.threshold, place, standing.pk in blocked):
            promising.add(standing.pk)
    before = set(Standing.objects.filter(is_promising=True).values_list("pk", flat=True))
    for place, tally in found.quadrants.items():
        ids = set(quadrant_lists.leads_in_quadrant(leads, cuts, place).values_list("pk", flat=True))
        assert ids == places.get(place, set()) and tally.count == len(ids)
    lists = {
        "promising": (quadrant_lists.promising_leads, promising),
        "entering": (quadrant_lists.entering_leads, promising - before),
        "leaving": (quadrant_lists.leaving_leads, before - promising),
    }
    for name, (leads_of, expected) in lists.items():
        assert set(leads_of(leads, version, cuts).values_list("pk", flat=True)) == expected
        assert getattr(found, name) == len(expected)


def test_every_lead_is_in_one_bin_also_on_the_edges(crowd, mia):
    Standing.objects.filter(lead=crowd[0]).update(fit=70)  # by an earlier version
    whole = quadrants.whole_plane(now(of(mia)), active())
    for found in (
        quadrants.whole_picture(of(mia), now(of(mia)), whole),
        quadrants.picture(of(mia), whole),
    ):
        assert found.count == len(crowd) == len(found.dots)
        assert found.columns <= quadrants.COLUMNS and found.rows <= quadrants.ROWS
        assert all(0 <= c < found.columns and 0 <= r < found.rows for c, r, _n in found.bins)


def test_bins_of_the_whole_plane_are_whole_points_and_alike(crowd, mia):
    whole = quadrants.whole_plane(now(of(mia)), active())
    found = quadrants.whole_picture(of(mia), now(of(mia)), whole)
    wide = (whole.fit_to - whole.fit_from) / found.columns
    high = (whole.interest_to - whole.interest_from) / found.rows
    assert wide == int(wide) and high == int(high)
    for column, row, count in found.bins:
        left, low = whole.fit_from + column * wide, whole.interest_from + row * high
        here = Standing.objects.filter(fit__gte=left, interest__gte=low)
        if column + 1 < found.columns:
            here = here.filter(fit__lt=left + wide)
        if row + 1 < found.rows:
            here = here.filter(interest__lt=low + high)
        assert here.count() == count


@pytest.mark.parametrize("seed", range(6))
def test_cells_and_leads_give_the_same_figures(crowd, mia, seed):
    version, dice = active(), random.Random(seed)
    cuts = Cuts(*(Decimal(dice.randint(-60, 110)) for _cut in range(3)))
    for lead in crowd[::3]:
        lifecycle.record_imported_step(lead.pk, "mql", by=SYSTEM, at=lead.created_at)
    groups = quadrants._from_cells(now(of(mia)), version, cuts)
    assert groups == quadrants._from_leads(of(mia), version, cuts)


def test_the_farthest_points_are_counted_in_their_cell(crowd, mia):
    points = [Decimal("-9999999.99"), Decimal("9999999.99"), Decimal("-0.01"), Decimal("0.99")]
    for lead, fit, interest in zip(crowd, points, reversed(points), strict=False):
        Standing.objects.filter(lead=lead).update(fit=fit, interest=interest)
    Standing.objects.exclude(pk__in=[lead.pk for lead in crowd[:4]]).update(scored_at=None)
    expected = sorted(
        (floor(fit), floor(interest), floor(fit + interest))
        for fit, interest in zip(points, reversed(points), strict=True)
    )
    assert sorted(cell[:3] for cell in now(of(mia)).cells) == expected


def test_what_was_counted_is_kept_for_a_minute_and_says_when(client, crowd, mia, sam):
    client.force_login(mia)
    first = client.get(reverse(PAGE)).context["figures"]
    Standing.objects.filter(lead=crowd[0]).update(scored_at=None)
    with CaptureQueriesContext(connection) as queries:
        again = client.get(reverse(PAGE), {"fit_cut": "7"}).context["figures"]
    assert again.as_of == first.as_of and again.total == first.total
    assert not [q for q in queries if "leads_standing" in q["sql"]]
    cache.clear()
    later = client.get(reverse(PAGE)).context["figures"]
    assert later.as_of > first.as_of and later.total.count == len(crowd) - 1
    client.force_login(sam)  # nobody is shown what another person may see
    assert client.get(reverse(PAGE)).context["figures"].total.count < len(crowd) / 2


def test_a_window_shows_its_own_leads_and_few_of_them_by_name(crowd, mia, monkeypatch):
    window = Window(Decimal(0), Decimal(50), Decimal(-50), Decimal("20.5"))
    inside = Standing.objects.filter(fit__range=(0, 50), interest__range=(-50, Decimal("20.5")))
    found = quadrants.picture(of(mia), window)
    assert found.count == inside.count() > 0
    assert {dot[0] for dot in found.dots} == set(inside.values_list("pk", flat=True))
    monkeypatch.setattr(quadrants, "MOST_DOTS", found.count - 1)
    assert quadrants.picture(of(mia), window).dots is None


def test_conversion_counts_who_ever_entered_a_stage(mia):
    came, stayed = (good_fit_lead(email=f"{who}@new.example") for who in ("kim", "lee"))
    for stage in ("mql", "sal"):
        lifecycle.record_imported_step(came.pk, stage, by=SYSTEM, at=came.created_at)
    tell_events(came, "demo_requested 0d ago")
    enqueue([came.pk, stayed.pk])
    settle()
    version = active()
    both = of(mia).filter(pk__in=[came.pk, stayed.pk])  # the crowd is not counted
    found = figures(both, version, Cuts.of(version))
    assert found.quadrants["both"].reached == (1, 1, 0)
    assert found.quadrants["fit"].shares == [0, 0, 0]
    assert found.quadrants["neither"].shares == [None, None, None]


def test_everybody_counts_only_whom_they_see(client, crowd, mia, sam, sue):
    for user, expected in ((mia, 40), (sam, 10), (sue, 0)):
        client.force_login(user)
        assert client.get(reverse(PICTURE)).json()["count"] == expected
        behind = client.get(reverse(LEADS)).content.decode()
        assert f'data-count="{expected}"' in behind


def test_a_manager_without_a_team_sees_an_empty_picture(client, crowd, mona):
    mona.team = None
    mona.save()
    client.force_login(mona)
    assert client.get(reverse(PICTURE)).json()["bins"] == []
    assert "No scored lead matches." in client.get(reverse(PAGE)).content.decode()


def test_filters_and_cuts_are_in_the_address(client, crowd, mia):
    client.force_login(mia)
    Lead.objects.filter(pk=crowd[0].pk).update(channel="event")
    asked = {"channel": "event", "fit_cut": "-50", "interest_cut": "-50", "threshold": "-100"}
    page = client.get(reverse(PAGE), asked).content.decode()
    assert 'whom=">1</a>' in page and "With these cuts" in page
    assert client.get(reverse(PICTURE), asked).json()["count"] == 1
    behind = client.get(reverse(LEADS), asked | {"whom": "both"}).content.decode()
    assert 'data-count="1"' in behind and crowd[0].name in behind


@pytest.mark.parametrize("whom", ["both", "fit", "interest", "neither", "promising"])
def test_the_list_behind_a_figure_is_as_long_as_the_figure(client, crowd, mia, whom):
    client.force_login(mia)
    cuts = {"fit_cut": "3.5", "interest_cut": "12", "threshold": "20"}
    found = figures(of(mia), active(), Cuts(*map(Decimal, cuts.values())))
    number = found.promising if whom == "promising" else found.quadrants[whom].count
    page = client.get(reverse(LEADS), cuts | {"whom": whom}).content.decode()
    assert f'data-count="{number}"' in page


@pytest.mark.parametrize(
    "asked",
    [
        {"fit_cut": "many"},
        {"fit_cut": "NaN"},
        {"threshold": "1e999"},
        {"fit_from": "5", "fit_to": "5", "interest_from": "1", "interest_to": "2"},
        {"fit_from": "9", "fit_to": "1", "interest_from": "1", "interest_to": "2"},
        {"fit_from": "0.001", "fit_to": "0.002", "interest_from": "1", "interest_to": "2"},
        {"owner": "x" * 5000, "channel": "\x00", "whom": "both"},
    ],
)
def test_nonsense_is_said_and_breaks_nothing(client, crowd, mia, asked):
    client.force_login(mia)
    for name in (PAGE, PICTURE, LEADS):
        response = client.get(reverse(name), {"whom": "both"} | asked)
        assert response.status_code == 200
    if "fit_cut" in asked or "threshold" in asked:
        assert 'role="alert"' in client.get(reverse(PAGE), asked).content.decode()


def test_nobody_is_listed_for_a_figure_that_does_not_exist(client, mia):
    client.force_login(mia)
    assert client.get(reverse(LEADS), {"whom": "everybody"}).status_code == 404
    assert client.get(reverse(LEADS)).status_code == 200


def test_without_a_model_the_page_says_what_to_do(client, mia):
    ModelVersion.objects.filter(state="active").update(state="retired")
    client.force_login(mia)
    assert "No scoring model is active" in client.get(reverse(PAGE)).content.decode()
    assert client.get(reverse(PICTURE)).status_code == 404


def test_the_figures_alone_for_htmx_and_few_queries(client, crowd, mia):
    client.force_login(mia)
    client.get(reverse(PAGE))
    with CaptureQueriesContext(connection) as queries:
        part = client.get(reverse(PAGE), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and 'id="quadrant-figures"' in part
    assert len(queries) <= 12


def test_with_two_models_each_has_a_picture_of_its_own(client, crowd, mia, monkeypatch):
    first = active()
    other = ModelVersion.objects.get(pk=first.pk)
    other.pk, other.number, other.fit_cut = 10**6, 77, Decimal(-50)
    monkeypatch.setattr(quadrants, "scoring_versions", lambda: [first, other])
    ids = [lead.pk for lead in crowd[:7]]
    Standing.objects.filter(lead__in=ids).update(model_version=77)
    client.force_login(mia)
    for number, count in ((first.number, 33), (77, 7), (5, 33)):
        asked = {"version": str(number)}
        assert client.get(reverse(PICTURE), asked).json()["count"] == count
        assert f'data-count="{count}"' in client.get(reverse(LEADS), asked).content.decode()
    page = client.get(reverse(PAGE), {"version": "77"}).content.decode()
    assert 'name="version" value="77"' in page and 'placeholder="-50"' in page


def test_the_versions_that_score_somebody():
    assert quadrants.scoring_versions() == [active()]
