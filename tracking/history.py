"""A lead's events as lines of its timeline."""

from __future__ import annotations

from datetime import datetime

from leads.models import Lead
from leads.timeline import Entry


def read_entries(lead: Lead, before: datetime | None, limit: int) -> list[Entry]:
    return []
