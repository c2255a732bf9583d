"""What a file says becomes episodes; what it does not say is never invented."""

from __future__ import annotations

from datetime import UTC, date, datetime

from leads.imports.dates import Moment
from leads.imports.history import Place, Told, plan

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def day(number: int, *, has_time: bool = False, hour: int = 0) -> Moment:
    at = datetime(2018, 1, number, hour, tzinfo=UTC)
    return Moment(at, date(2018, 1, number), has_time)


def told(final: str = "", undated=(), **dated: Moment) -> Told:
    return Told(dated=dated, undated=undated, final=final)


def story(place: Place, what: Told) -> tuple[list[tuple], list[str]]:
    """([(stage, day of January 2018 or None for now, marks)], codes of the notes)."""
    steps, notes = plan(place, what, now=NOW)
    lines = [
        (
            step.move.to_stage,
            None if step.at == NOW else step.at.day,
            "?" * step.is_date_unknown + "→" * step.is_pass_through,
        )
        for step in steps
    ]
    return lines, [note.code for note in notes]


NEW = Place()


def test_a_row_without_any_stage_begins_a_lead_whose_date_is_unknown():
    assert story(NEW, told()) == ([("lead", None, "?")], [])


def test_a_first_contact_makes_an_mql_and_the_stages_before_are_passed_through():
    assert story(NEW, told(mql=day(5))) == (
        [("lead", 5, "?→"), ("qualified", 5, "?→"), ("mql", 5, "")],
        [],
    )


def test_a_customer_without_dates_is_a_customer_since_nobody_knows_when():
    lines, notes = story(NEW, told("customer"))
    assert [line[0] for line in lines] == ["lead", "qualified", "mql", "sal", "sql", "customer"]
    assert [line[2] for line in lines] == ["?→"] * 5 + ["?"]
    assert notes == []


def test_known_dates_become_episodes_between_unknown_ones():
    assert story(NEW, told("customer", lead=day(1), sql=day(4), customer=day(9)))[0] == [
        ("lead", 1, ""),
        ("qualified", 4, "?→"),
        ("mql", 4, "?→"),
        ("sal", 4, "?→"),
        ("sql", 4, ""),
        ("customer", 9, ""),
    ]


def test_a_later_file_carries_an_mql_on_to_customer():
    mql = Place("mql", day(5).at, reached=frozenset({"lead", "qualified", "mql"}))
    assert story(mql, told(customer=day(9))) == (
        [("sal", 9, "?→"), ("sql", 9, "?→"), ("customer", 9, "")],
        [],
    )


def test_won_before_first_contact_is_reported_and_its_date_not_used():
    lines, notes = story(NEW, told(mql=day(9), customer=day(5)))
    assert lines[-4:] == [("mql", 9, ""), ("sal", 9, "?→"), ("sql", 9, "?→"), ("customer", 9, "?")]
    assert notes == ["date_before_stage"]


def test_won_on_the_day_of_a_first_contact_with_a_time_is_no_contradiction():
    lines, notes = story(NEW, told(mql=day(5, has_time=True, hour=15), customer=day(5)))
    assert (lines[-1], notes) == (("customer", 5, ""), [])


def test_a_date_in_the_future_is_reported_and_not_used():
    future = Moment(datetime(2031, 1, 1, tzinfo=UTC), date(2031, 1, 1), False)
    lines, notes = story(NEW, told(mql=day(5), customer=future))
    assert (lines[-1], notes) == (("customer", 5, "?"), ["date_in_future"])


def test_an_unreadable_date_still_says_that_the_stage_was_reached():
    assert story(NEW, told(undated={"customer"}, mql=day(5)))[0][-1] == ("customer", 5, "?")


def test_a_lost_deal_was_with_sales_before():
    lines, _notes = story(NEW, told("lost", lost=day(9)))
    assert [line[0] for line in lines] == ["lead", "qualified", "mql", "sal", "lost"]
    assert lines[-1] == ("lost", 9, "")


def test_a_churned_customer_was_a_customer_before():
    lines, _notes = story(NEW, told("churned", mql=day(2), churned=day(9)))
    assert [line[0] for line in lines][-2:] == ["customer", "churned"]


def test_what_a_lead_has_reached_already_changes_nothing():
    customer = Place("customer", day(20).at, reached=frozenset({"lead", "mql", "customer"}))
    assert story(customer, told("mql", mql=day(5))) == ([], [])


def test_a_recycled_lead_is_not_pushed_again_by_the_same_file():
    recycled = Place("qualified", day(20).at, reached=frozenset({"lead", "qualified", "mql"}))
    assert story(recycled, told(mql=day(5))) == ([], [])


def test_a_lead_that_has_left_is_not_brought_back():
    lost = Place("lost", day(20).at, reached=frozenset({"lead", "mql", "sal", "lost"}))
    assert story(lost, told(customer=day(25))) == ([], ["stage_not_applied"])


def test_a_customer_is_not_disqualified():
    place = Place("customer", day(20).at, reached=frozenset({"lead", "customer"}))
    assert story(place, told("disqualified")) == ([], ["stage_not_applied"])


def test_an_older_date_than_a_bound_is_not_called_impossible():
    place = Place("lead", day(20).at, is_since_unknown=True, reached=frozenset({"lead"}))
    lines, notes = story(place, told(mql=day(5)))
    assert (lines[-1], notes) == (("mql", 20, "?"), ["date_before_bound"])
