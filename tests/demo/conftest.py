"""A small demo company, loaded once for all tests that only look at it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from funnel_app.demo.seeding import Size, seed


def small(leads: int = 200, events: int = 5_000, number: int = 7) -> Size:
    """A company whose story ends now, on the hour."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return Size(leads=leads, events=events, months=18, seed=number, end=end)


def silent(step: str, done: int, total: int) -> None:
    """Nobody watches the progress of tests."""


@pytest.fixture(scope="module")
def company(module_transaction):
    """200 leads and 5,000 events. Tests may read; what they write is rolled back for them."""
    return seed(small(), silent)
