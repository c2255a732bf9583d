"""Every figure of the funnel, from stories small enough to count by hand."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection

from insights.report import StepOutcome, TimeInStage
from insights.rules import code_hours
from leads.models import Lead
from tests.insights.conftest import report
from tests.insights.histories import tell

OLD = "2026-05-"  # long before the windows close


def row(report, stage: str):
    return next(row for row in report.stages if row.stage == stage)


def test_without_leads_there_are_zeros_and_no_rates(mia):
    empty = report(mia)
    assert empty.is_empty and not empty.is_all_young and empty.leak is None
    for stage in empty.stages:
        assert stage.step == StepOutcome() and stage.time == TimeInStage()
        assert stage.step.step_conversion_rate is None and stage.conversion_rate is None
    assert empty.months == {} and empty.captured == 0


def test_all_leads_in_one_stage(mia):
    for day in ("01", "02", "03"):
        tell(f"lead {OLD}{day}")
    figures = report(mia)
    assert [stage.now for stage in figures.stages] == [3, 0, 0, 0, 0, 0]
    lead = row(figures, "lead")
    assert lead.step == StepOutcome(mature=3) and lead.step.step_conversion_rate == 0
    assert lead.step.undecided == 3 and lead.open == 3
    assert row(figures, "qualified").step.step_conversion_rate is None
    assert [stage.reached for stage in figures.stages] == [3, 0, 0, 0, 0, 0]


def test_one_lead_walks_all_the_way(mia):
    tell(
        f"lead {OLD}01",
        f"qualified {OLD}02",
        f"mql {OLD}10",
        f"sal {OLD}12",
        f"sql {OLD}20",
        "customer 2026-06-30",
    )
    figures = report(mia)
    assert [stage.entered for stage in figures.stages] == [1] * 6
    assert [stage.step.step_conversion_rate for stage in figures.stages] == [1] * 5 + [0]
    assert [stage.conversion_rate for stage in figures.stages] == [1] * 6
    assert [stage.time.median and code_hours(stage.time.median) // 24 for stage in figures.stages][
        :5
    ] == [1, 8, 2, 8, 41]


def test_moving_on_after_the_window_is_undecided_not_converted(mia):
    tell(f"lead {OLD}01", "qualified 2026-08-30")
    tell(f"lead {OLD}01", "qualified 2026-07-29 23:59")
    assert row(report(mia), "lead").step == StepOutcome(mature=2, converted=1)
    assert row(report(mia), "lead").advanced == 2


def test_young_stays_are_shown_apart_and_left_out_of_the_rate(mia):
    tell("lead 2026-08-23 23:59")
    tell("lead 2026-08-24 00:00", "qualified 2026-08-25")
    step = row(report(mia), "lead").step
    assert step == StepOutcome(mature=1, immature=1, immature_converted=1)
    assert step.step_conversion_rate == 0


def test_a_recycled_lead_counts_once_in_each_cycle(mia):
    tell(
        f"lead {OLD}01",
        f"qualified {OLD}02",
        f"mql {OLD}03",
        f"qualified {OLD}05",
        f"mql {OLD}09",
        f"sal {OLD}10",
    )
    figures = report(mia)
    qualified, mql = row(figures, "qualified"), row(figures, "mql")
    assert (qualified.entered, mql.entered) == (2, 2)
    assert qualified.step == StepOutcome(mature=2, converted=2)
    assert mql.step == StepOutcome(mature=2, converted=1, dropped=1)
    assert mql.exits["recycled"] == 1
    # The lead counts once from the first contact on, in whatever cycle it came there.
    assert [stage.reached for stage in figures.stages] == [1, 1, 1, 1, 0, 0]


def test_ways_out_are_told_by_kind(mia):
    tell(f"lead {OLD}01", f"disqualified {OLD}02")
    tell(f"lead {OLD}01", f"qualified {OLD}02", f"mql {OLD}03", f"sal {OLD}04", f"lost {OLD}09")
    figures = report(mia)
    assert row(figures, "lead").exits == {"disqualified": 1, "advanced": 1}
    assert row(figures, "sal").exits == {"lost": 1} and row(figures, "sal").drop_off == 1
    assert {stage.value: count for stage, count in figures.resting.items()} == {
        "disqualified": 1,
        "lost": 1,
    }


def test_passed_through_stages_count_as_reached_but_take_no_time(mia):
    tell(f"lead {OLD}01", f"qualified -{OLD}09", f"mql -{OLD}09", f"sal {OLD}09")
    figures = report(mia)
    assert [stage.entered for stage in figures.stages] == [1, 1, 1, 1, 0, 0]
    assert row(figures, "qualified").step == StepOutcome(mature=1, converted=1)
    assert row(figures, "qualified").time == TimeInStage()
    assert row(figures, "lead").time.stay_count == 1


def test_where_a_date_is_unknown_no_time_is_told(mia):
    tell(f"lead {OLD}01", f"qualified ~{OLD}20", f"mql {OLD}25")
    figures = report(mia)
    # The end of the first and both ends of the second are only bounds.
    assert [row(figures, s).time.stay_count for s in ("lead", "qualified", "mql")] == [0, 0, 1]
    assert [row(figures, s).entered for s in ("lead", "qualified", "mql")] == [1, 0, 1]


def test_a_stay_without_a_known_date_is_in_no_period(mia):
    tell(f"lead {OLD}01", "qualified ~2026-11-22", "mql ~2026-11-22")
    figures = report(mia)
    qualified, mql = row(figures, "qualified"), row(figures, "mql")
    assert (qualified.entered, mql.entered, mql.now, figures.undated) == (0, 0, 1, 2)
    assert not qualified.exits and qualified.drop_off == 0
    # The first stay began in the period, but nobody knows when it ended.
    lead = row(figures, "lead")
    assert lead.step == StepOutcome(untold=1) and lead.advanced == 1
    assert lead.step.step_conversion_rate is None
    assert list(figures.months) == [date(2026, 5, 1)]


def test_of_all_time_it_counts_as_reached_but_in_no_rate(mia):
    tell("lead ~2026-11-22", "qualified ~2026-11-22", "mql ~2026-11-22", "disqualified ~2026-11-22")
    figures = report(mia, period="all")
    assert [stage.entered for stage in figures.stages] == [1, 1, 1, 0, 0, 0]
    assert [stage.step for stage in figures.stages[:3]] == [StepOutcome(untold=1)] * 3
    assert row(figures, "mql").drop_off == 1 and figures.undated == 3
    assert not figures.months and not figures.is_all_young and not figures.captured


def test_a_known_later_stage_tells_that_those_before_were_reached_in_time(mia):
    tell(f"lead {OLD}01", f"qualified ~{OLD}01", f"mql {OLD}09", f"sal ~{OLD}09")
    tell(f"lead {OLD}01", f"qualified {OLD}02")
    figures = report(mia)
    told = [(stage.reached, stage.reached_of) for stage in figures.stages]
    # Nobody knows when the first came to SAL, so it is out of that rate.
    assert told == [(2, 2), (2, 2), (1, 2), (0, 1), (0, 2), (0, 2)]


def test_leads_that_were_merged_away_count_nowhere(mia):
    lead = tell(f"lead {OLD}01", f"qualified {OLD}02", f"merged {OLD}03")
    figures = report(mia, period="all")
    survivor = {"entered": 1, "now": 1}
    told = [{name: getattr(row(figures, stage), name) for name in survivor}
            for stage in ("lead", "qualified")]  # fmt: skip
    assert told == [survivor, {"entered": 0, "now": 0}]
    assert Lead.objects.filter(pk=lead.pk).exists()


def test_a_merge_that_was_taken_apart_is_as_if_it_had_never_been(mia):
    tell(f"lead {OLD}01", f"qualified {OLD}02", f"mql {OLD}20")
    plain = report(mia, period="all")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL funnel.erasing = 'on'")
    Lead.objects.all().delete()
    tell(f"lead {OLD}01", f"qualified {OLD}02", f"merged {OLD}03", f"qualified {OLD}04",
         f"merged {OLD}05", f"qualified {OLD}08", f"mql {OLD}20")  # fmt: skip
    assert report(mia, period="all") == plain


def test_an_evening_in_utc_belongs_to_the_next_day_in_berlin(mia):
    tell("lead 2026-04-01 00:30")  # 22:30 UTC on 31 March
    tell("lead 2026-11-01 00:30")  # 23:30 UTC on 31 October
    assert row(report(mia, from_="2026-03-01", to="2026-03-31"), "lead").entered == 0
    assert row(report(mia, from_="2026-04-01", to="2026-04-01"), "lead").entered == 1
    assert row(report(mia, from_="2026-10-01", to="2026-10-31"), "lead").entered == 0
    assert [month.isoformat() for month in report(mia).months] == [
        f"2026-{number:02}-01" for number in range(4, 12)
    ]


def test_another_time_zone_moves_the_days(mia, settings):
    tell("lead 2026-04-01 00:30")
    report(mia)
    settings.REPORTING_TIME_ZONE = "America/New_York"
    assert row(report(mia, from_="2026-03-31", to="2026-03-31"), "lead").entered == 1


def test_open_stays_lengthen_the_time_in_stage(mia):
    for day in ("01", "02", "03"):
        tell(f"lead {OLD}01", f"qualified {OLD}{day} 12:00")
    assert code_hours(row(report(mia), "lead").time.median) == 36
    for _ in range(3):
        tell("lead 2026-05-01")
    assert code_hours(row(report(mia), "lead").time.median) == 48 + 12


@pytest.mark.parametrize(
    ("segment", "count"),
    [
        ({}, 4),
        ({"channel": "email"}, 2),
        ({"source": "(not set)"}, 2),
        ({"country": "DE", "channel": "email"}, 1),
        ({"owner": "(not set)"}, 3),
        ({"source": "nowhere"}, 0),
    ],
)
def test_segments_narrow_every_figure(mia, sam, segment, count):
    tell(f"lead {OLD}01", channel="email", country="DE")
    tell(f"lead {OLD}01", channel="email", country="FR", source="letter")
    tell(f"lead {OLD}01", country="DE", source="fair")
    tell(f"lead {OLD}01", owner=sam)
    figures = report(mia, **segment)
    assert row(figures, "lead").entered == row(figures, "lead").now == figures.captured == count


def test_an_owner_is_a_segment(mia, sam):
    tell(f"lead {OLD}01", owner=sam)
    tell(f"lead {OLD}01")
    assert row(report(mia, owner=str(sam.pk)), "lead").entered == 1


def test_everybody_counts_only_the_leads_they_may_see(mia, sam, sue, mona, ana, viv, north):
    tell(f"lead {OLD}01")
    tell(f"lead {OLD}01", owner=sam, team=north)
    tell(f"lead {OLD}01", owner=sue, team=sue.team)
    counts = [row(report(user), "lead").now for user in (mia, ana, sam, sue, mona, viv)]
    assert counts == [3, 3, 1, 1, 1, 0]


def test_the_leak_is_where_most_dropped_out(mia):
    tell(f"lead {OLD}01", f"disqualified {OLD}02")
    for _ in range(2):
        tell(f"lead {OLD}01", f"qualified {OLD}02", f"disqualified {OLD}05")
    assert report(mia).leak.stage == "qualified"


def test_months_are_cohorts_and_young_ones_say_so(mia):
    tell(f"lead {OLD}01", f"qualified {OLD}05")
    tell("lead 2026-11-01", "qualified 2026-11-02")
    months = report(mia).months
    may, november = min(months), max(months)
    assert months[may]["lead"] == StepOutcome(mature=1, converted=1)
    assert months[november]["lead"] == StepOutcome(immature=1, immature_converted=1)
