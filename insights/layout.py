"""What the roll-ups depend on besides the episodes. When it changes, the relay rebuilds them."""

from django.conf import settings

from insights.filters import WINDOWS


def layout() -> str:
    return f"weeks, known days, teams {settings.REPORTING_TIME_ZONE} {','.join(map(str, WINDOWS))}"
