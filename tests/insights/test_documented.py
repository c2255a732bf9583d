"""Every figure that can be opened is defined in docs/metrics.md."""

from pathlib import Path

import pytest

from insights.figures import FIGURES
from insights.filters import WINDOWS

METRICS = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_defined(name):
    assert f"`{name}`" in METRICS


@pytest.mark.parametrize("name", ["step_conversion_rate", "drop_off_rate", "conversion_rate"])
def test_a_rate_is_defined(name):
    assert f"`{name}` = " in METRICS


def test_the_windows_on_offer_are_named():
    assert ", ".join(map(str, WINDOWS)) in METRICS.replace("\n", " ")
