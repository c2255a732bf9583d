from __future__ import annotations

from datetime import datetime

import pytest

from insights.filters import Filters, read_filters
from insights.queries import Freshness, funnel_report
from insights.report import FunnelReport
from tests.insights.histories import at, fold

NOW = at("2026-11-22 15:00")


@pytest.fixture(autouse=True)
def reporting_zone(settings) -> None:
    settings.REPORTING_TIME_ZONE = "Europe/Berlin"


def freshness(now: datetime = NOW) -> Freshness:
    return Freshness(now, now, is_ready=True)


def filters(now: datetime = NOW, **params: str) -> Filters:
    params = {name.rstrip("_"): value for name, value in params.items()}
    return read_filters(params, freshness(now).today)


def report(user, now: datetime = NOW, **params: str) -> FunnelReport:
    """The funnel as `user` sees it under address parameters, everything folded in."""
    fold()
    return funnel_report(user, filters(now, **params), freshness(now))
