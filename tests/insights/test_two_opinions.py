"""The figures of random histories: as SQL over roll-ups tells them, and a slow oracle.

Also: cells and stays give the same figures, and every list is as long as its figure.
"""

from __future__ import annotations

from contextlib import contextmanager
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights import drilldown
from insights.drilldown import Wanted
from insights.queries import funnel_report
from insights.report import FunnelReport
from insights.rules import DROPS, code_hours
from insights.scope import Scope
from insights.verifying import differences
from leads.models import Lead
from tests.insights.conftest import NOW, filters, freshness
from tests.insights.histories import fold, with_survivor, write
from tests.insights.oracle import FUNNEL, Oracle
from tests.insights.random_histories import histories

SLOWLY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PERIODS = st.sampled_from(
    [
        {},
        {"period": "all"},
        {"period": "90d"},
        {"period": "quarter"},
        {"from": "2026-02-10", "to": "2026-08-24"},
        {"from": "2026-05-26", "to": "2026-05-26"},
    ]
)
SEGMENTS = st.sampled_from(
    [{}, {"channel": "email"}, {"source": "(not set)"}, {"channel": "event", "country": "KR"}]
)
WINDOWS = st.sampled_from(["14", "30", "90", "365"])


@contextmanager
def world(told):
    """These leads and no others, folded in; gone afterwards."""
    with transaction.atomic():
        leads = [write(history) for history in told]
        fold()
        yield leads
        transaction.set_rollback(True)


def counted(told, chosen, window, horizon, segment) -> Oracle:
    period = chosen.period
    told = with_survivor(told)
    told = [h for h in told if all((h.lead[k] or "") == v for k, v in segment.items())]
    last = period.last_on(freshness().today)
    is_ever = period.preset == "all"
    return Oracle(told, period.from_on, last, window, horizon, NOW, "Europe/Berlin", is_ever)


@SLOWLY
@given(
    told=st.lists(histories(), max_size=8),
    period=PERIODS,
    segment=SEGMENTS,
    window=WINDOWS,
    horizon=WINDOWS,
)
def test_every_figure_equals_the_oracle_and_its_list(mia, told, period, segment, window, horizon):
    chosen = filters(**period, **segment, window=window, horizon=horizon)
    oracle = counted(told, chosen, int(window), int(horizon), chosen.segment)
    with world(told):
        assert differences() == []
        report = funnel_report(mia, chosen, freshness())
        with mock.patch.object(Scope, "slices", None):
            assert funnel_report(mia, chosen, freshness()) == report
        check_against_oracle(report, oracle)
        check_sums(report)
        check_lists(mia, report)


def check_against_oracle(report: FunnelReport, oracle: Oracle) -> None:
    assert report.undated == oracle.undated()
    for row in report.stages:
        stage = row.stage.value
        step = oracle.step(stage)
        told = {name: getattr(row.step, name) for name in step}
        assert told == step
        assert +row.exits == +oracle.exits(stage)
        assert row.now == oracle.now_in(stage)
        assert (row.reached_of, row.reached) == oracle.reached(stage)
        for share, told in ((0.5, row.time.median), (0.9, row.time.p90)):
            stay_count, hours = oracle.hours_by(stage, share)
            assert row.time.stay_count == stay_count
            assert (None if told is None else code_hours(told)) == hours


def check_sums(report: FunnelReport) -> None:
    """Entered = advanced + left + still there, to the unit; overall counts never rise."""
    for row in report.stages:
        left = sum(row.exits[kind] for kind in (*DROPS, "reopened"))
        assert row.entered == row.advanced + left + row.open
        step = row.step
        assert step.mature == step.converted + step.dropped + step.undecided
        assert step.entered == step.mature + step.immature + step.untold
        months = [month.get(row.stage) for month in report.months.values()]
        dated = [m.entered - m.untold for m in months if m]
        assert sum(dated) == row.entered - step.untold
    reached = [row.reached for row in report.stages]
    assert reached == sorted(reached, reverse=True)
    assert reached[0] == report.captured_mature
    rates = [row.conversion_rate for row in report.stages if row.reached_of]
    assert rates == sorted(rates, reverse=True)


def shown(report: FunnelReport) -> list[tuple[str, str, int]]:
    """Every figure that the page links: its name, its stage and what it says."""
    figures = [
        ("captured", "", report.captured),
        ("captured_mature", "", report.captured_mature),
        ("captured_immature", "", report.captured_immature),
        ("undated", "", report.undated),
    ]
    for row in report.stages:
        step = row.step
        counts = {
            "now": row.now,
            "reached": row.entered,
            "mature": step.mature,
            "immature": step.immature,
            "cohort": step.cohort,
            "untold": step.untold,
            "converted": step.converted,
            "converted_so_far": step.converted + step.immature_converted,
            "dropped": step.dropped,
            "undecided": step.undecided,
            "advanced": row.advanced,
            "drop_off": row.drop_off,
            "open": row.open,
            "timed": row.time.stay_count,
            "conversion": row.reached,
            "conversion_of": row.reached_of,
            **dict(row.ways_out),
        }
        figures += [(name, row.stage, count) for name, count in counts.items()]
    return figures + [("now", stage, count) for stage, count in report.resting.items()]


def check_lists(user, report: FunnelReport) -> None:
    for name, stage, count in shown(report):
        wanted = Wanted(name, stage, "newest")
        stays = drilldown.stays_behind(user, wanted, report.filters, freshness())
        assert (name, stage, stays.count()) == (name, stage, count)


def test_every_figure_is_checked():
    from insights.figures import FIGURES
    from insights.filters import read_filters
    from insights.report import build_report

    empty = build_report(
        read_filters({}, NOW.date()), NOW, now={}, steps=[], durations=[], reaches=[]
    )
    assert {name for name, _stage, _count in shown(empty)} == set(FIGURES)


@pytest.mark.parametrize("stage", FUNNEL)
def test_the_list_of_a_rep_is_as_long_as_the_figure(sam, sue, stage):
    from tests.insights.histories import tell

    for owner in (sam, sam, sue):
        tell("lead 2026-05-01", "qualified 2026-05-02", "mql 2026-05-03", owner=owner)
    fold()
    report = funnel_report(sam, filters(), freshness())
    assert {name: count for name, at, count in shown(report) if at == stage}["reached"] == (
        2 if stage in ("lead", "qualified", "mql") else 0
    )
    check_lists(sam, report)


def test_a_managers_figures_are_of_what_the_managers_lists_show(mona, sam, sue):
    from tests.insights.histories import tell

    stories = [(sam, sam.team), (sam, sue.team), (sue, sam.team), (sue, sue.team)]
    for owner, team in [*stories, (None, sam.team), (None, sue.team), (None, None), (sam, None)]:
        tell("lead 2026-05-01", "qualified 2026-05-02", owner=owner, team=team)
    fold()
    assert Scope(mona, {}).slices is not None
    report = funnel_report(mona, filters(), freshness())
    with mock.patch.object(Scope, "slices", None):
        assert funnel_report(mona, filters(), freshness()) == report
    check_lists(mona, report)
    seen = Lead.objects.visible_to(mona).count()
    assert 0 < seen < Lead.objects.count()
    assert dict(shown_by_stage(report, "reached")) == {"lead": seen, "qualified": seen}


def shown_by_stage(report, name):
    return ((at, count) for figure, at, count in shown(report) if figure == name and count)
