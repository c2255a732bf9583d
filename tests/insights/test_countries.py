"""The funnel names countries in the reader's language."""

from django.utils.translation import override

from insights.queries import segment_options
from tests.insights.histories import fold, tell


def test_the_segment_of_a_country(mia):
    tell("lead 2026-05-01", country="DE")
    fold()
    with override("ko"):
        assert [option.label for option in segment_options(mia)["country"]] == ["독일"]
