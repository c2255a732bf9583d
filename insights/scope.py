"""Whose leads a figure counts, and the rows it counts them from.

When a reader sees all leads and narrows at most one dimension, or sees a team's and narrows none,
whole weeks and months come from cells and only the left-over days from stays. Everything else is
counted from stays. Both give the same figures (tests/insights/test_two_opinions.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.core.exceptions import EmptyResultSet
from django.db.models import Q, QuerySet

from insights.models import Cell, Stay
from insights.periods import EVER, FOREVER, MONTHS, WEEKS, Period, Span, split
from leads.models import Lead
from users.models import User
from users.roles import Role

Measure = Cell.Measure
# In cells and facts: nobody knows the day. No period includes it, for all end before it.
UNKNOWN_DAY_SQL = f"DATE '{FOREVER.isoformat()}'"
_CELLS = """SELECT stage, began_on, exit_kind, elapsed, stay_count
FROM insights_cell WHERE slice = ANY(%(slices)s) AND measure = '{measure}' AND ({spans})"""
# The same rows, by measure, out of stays.
_STAYS = {
    Measure.STEP: """SELECT stage, coalesce(entered_on, {unknown_day}) AS began_on,
    exit_kind, elapsed, 1 AS stay_count
FROM {stays} WHERE ({spans}) AND {segment}""",
    Measure.TIME: """SELECT stage, entered_on AS began_on, '' AS exit_kind, elapsed, 1 AS stay_count
FROM {stays} WHERE is_timed AND ({spans}) AND {segment}""",
    Measure.REACH: """SELECT stage, captured_on AS began_on,
    CASE WHEN reached_after IS NULL THEN '' ELSE 'until' END AS exit_kind,
    reached_elapsed AS elapsed, 1 AS stay_count
FROM {stays} WHERE reached_elapsed IS NOT NULL AND ({spans}) AND {segment}
UNION ALL
SELECT stage, captured_on, 'after', reached_after, 1
FROM {stays} WHERE reached_after IS NOT NULL AND ({spans}) AND {segment}""",
}
_OPEN_CELLS = """SELECT stage, stay_count
FROM insights_cell WHERE slice = ANY(%(slices)s) AND measure = 'step' AND elapsed = -1"""
_UNDATED_CELLS = """SELECT stage, stay_count
FROM insights_cell
WHERE slice = ANY(%(slices)s) AND measure = 'step' AND began_on = {unknown_day}"""
_UNDATED_STAYS = "SELECT stage, 1 AS stay_count FROM mine WHERE entered_on IS NULL"
_OPEN_STAYS = "SELECT stage, 1 AS stay_count FROM mine WHERE elapsed = -1"
_MINE = """WITH mine AS MATERIALIZED (
    SELECT stage, entered_on, exit_kind, elapsed, is_timed, captured_on, reached_elapsed,
        reached_after
    FROM insights_stay WHERE {segment}
)"""
_OF_TEAM = """(team_id = %(team)s
    OR owner_id = ANY(ARRAY(SELECT id FROM users_user WHERE team_id = %(team)s)))"""
_NOTHING = """SELECT stage, began_on, exit_kind, elapsed, stay_count
FROM insights_cell WHERE false"""


@dataclass(frozen=True)
class Rows:
    """A SELECT and its parameters."""

    sql: str
    params: dict[str, object]


@dataclass(frozen=True)
class Scope:
    """The stays of the leads that `user` may see, in a segment."""

    user: User
    segment: dict[str, str]

    @property
    def is_everyone(self) -> bool:
        """Whether the reader may see every lead."""
        visible = Lead.objects.visible_to(self.user)
        return not visible.query.where and not visible.query.is_empty()

    @cached_property
    def slices(self) -> list[str] | None:
        """The slices of cells that hold this scope, each stay once; None when there are none."""
        if self.is_everyone and len(self.segment) <= 1:
            return ["".join(f"{name}:{value}" for name, value in self.segment.items()) or "all"]
        if self._team_id and not self.segment:
            return _slices_of_team(self._team_id)
        return None

    @property
    def _team_id(self) -> int | None:
        """Of a manager, who sees the leads of a team."""
        is_manager = self.user.is_active and self.user.role == Role.MANAGER
        return self.user.team_id if is_manager else None

    def stays(self) -> QuerySet[Stay]:
        """The same, as rows to list."""
        stays = Stay.objects.filter(self._segment_condition())
        if not self.is_everyone:
            stays = stays.filter(lead__in=Lead.objects.visible_to(self.user).values("pk"))
        return stays

    def facts(self, measure: Measure, period: Period, cut: date = EVER) -> Rows:
        """Rows of stage, began_on, exit_kind, elapsed, stay_count for the period; after prelude().

        `cut` never lies inside a span that is counted as a whole.
        """
        whole, days = split(period, cut, MONTHS if measure == Measure.TIME else WEEKS)
        if self.slices is None:
            whole, days = [], [(period.from_on, period.until_on)]
        parts: list[str] = []
        params: dict[str, object] = {}
        if whole:
            spans = _spans("began_on", f"{measure}_whole", whole, params)
            params["slices"] = self.slices
            parts.append(_CELLS.format(measure=measure, spans=spans))
        if days:
            column = "captured_on" if measure == Measure.REACH else "entered_on"
            spans = _spans(column, f"{measure}_day", days, params)
            parts.append(self._stays_sql(measure, spans, params))
        if measure == Measure.STEP and period.is_all_time:
            parts.append(self._undated_facts(params))
        return Rows("\nUNION ALL\n".join(parts) or _NOTHING, params)

    def _undated_facts(self, params: dict[str, object]) -> str:
        if self.slices is None:
            return self._stays_sql(Measure.STEP, "entered_on IS NULL", params)
        params["slices"] = self.slices
        return _CELLS.format(measure=Measure.STEP, spans=f"began_on = {UNKNOWN_DAY_SQL}")

    def undated(self) -> Rows:
        """Rows of stage, stay_count for all stays that began nobody knows when; after prelude()."""
        if self.slices is not None:
            return Rows(_UNDATED_CELLS.format(unknown_day=UNKNOWN_DAY_SQL), {"slices": self.slices})
        return Rows(_UNDATED_STAYS, {})

    def current(self) -> Rows:
        """Rows of stage, stay_count for all open stays; after prelude()."""
        if self.slices is not None:
            return Rows(_OPEN_CELLS, {"slices": self.slices})
        return Rows(_OPEN_STAYS, {})

    def prelude(self) -> Rows:
        """Where no slice holds the scope: pick its stays out once, as "mine"."""
        if self.slices is not None:
            return Rows("", {})
        segment = self.segment_sql()
        return Rows(_MINE.format(segment=segment.sql), segment.params)

    def _stays_sql(self, measure: Measure, spans: str, params: dict[str, object]) -> str:
        if self.slices is None:
            return _STAYS[measure].format(
                stays="mine", spans=spans, segment="true", unknown_day=UNKNOWN_DAY_SQL
            )
        segment = self.segment_sql()
        params |= segment.params
        return _STAYS[measure].format(
            stays="insights_stay", spans=spans, segment=segment.sql, unknown_day=UNKNOWN_DAY_SQL
        )

    def _segment_condition(self) -> Q:
        condition = Q()
        for name, value in self.segment.items():
            column = "owner_id" if name == "owner" else name
            condition &= Q(**{column: value or (None if name == "owner" else "")})
        return condition

    def segment_sql(self) -> Rows:
        """The condition that a row of insights_stay is in scope."""
        conditions = ["true"]
        params: dict[str, object] = {}
        for name, value in self.segment.items():
            if name == "owner" and not value:
                conditions.append("owner_id IS NULL")
                continue
            conditions.append(f"{'owner_id' if name == 'owner' else name} = %({name})s")
            params[name] = int(value) if name == "owner" else value
        if self._team_id:
            # What visible_to says, of the columns that a stay has from its lead.
            conditions.append(_OF_TEAM)
            params["team"] = self._team_id
        elif not self.is_everyone:
            visible = self.visible_sql("lead_id")
            conditions.append(visible.sql)
            params |= visible.params
        return Rows(" AND ".join(conditions), params)

    def visible_sql(self, column: str) -> Rows:
        """The condition that the lead whose id is in this column may be seen by the reader."""
        visible = _visible_ids(self.user)
        return Rows(f"{column} IN ({visible.sql})", visible.params)


def _slices_of_team(team_id: int) -> list[str]:
    """What LeadQuerySet.visible_to shows a manager: leads owned by the team's people, and those
    that are the team's while somebody else owns them, or nobody."""
    members = list(User.objects.filter(team=team_id).values_list("pk", flat=True))
    others = Lead.objects.filter(team=team_id).exclude(owner__in=members).order_by()
    owners = others.values_list("owner", flat=True).distinct()
    return [
        *(f"owner:{member}" for member in members),
        *(f"team:{team_id}:{owner or ''}" for owner in owners),
    ]


def _visible_ids(user: User) -> Rows:
    leads = Lead.objects.visible_to(user).order_by().values("pk")
    try:
        sql, values = leads.query.sql_with_params()
    except EmptyResultSet:
        return Rows("SELECT 0 WHERE false", {})
    names = [f"visible_{number}" for number in range(len(values))]
    return Rows(sql % tuple(f"%({name})s" for name in names), dict(zip(names, values, strict=True)))


def _spans(column: str, prefix: str, spans: list[Span], params: dict[str, object]) -> str:
    conditions = []
    for number, (start, end) in enumerate(spans):
        params |= {f"{prefix}_{number}": start, f"{prefix}_{number}_end": end}
        conditions.append(
            f"({column} >= %({prefix}_{number})s AND {column} < %({prefix}_{number}_end)s)"
        )
    return " OR ".join(conditions)
