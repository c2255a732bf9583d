"""What the quadrant page is asked: which leads, which cuts, which part of the picture."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from leads.filter_forms import LeadFilterForm
from scoring.models import ModelVersion
from scoring.quadrants import Cuts, Window

FILTERS = ("stage", "owner", "channel", "country")
CUTS = ("fit_cut", "interest_cut", "threshold")


def _points(label) -> forms.DecimalField:
    return forms.DecimalField(label=label, required=False, max_digits=7, decimal_places=2)


class QuadrantForm(LeadFilterForm):
    """Filters of the lead list, and cuts to try out; nothing of it is saved."""

    fit_cut = _points(_("Fit is high from"))
    interest_cut = _points(_("Interest is high from"))
    threshold = _points(_("Threshold"))

    def __init__(self, *args, version: ModelVersion, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.version = version
        self.fields = {name: self.fields[name] for name in (*FILTERS, *CUTS)}
        own = Cuts.of(version)
        for name, value in zip(CUTS, (own.fit, own.interest, own.threshold), strict=True):
            self.fields[name].widget.attrs.update(step="any", placeholder=f"{value.normalize():f}")

    @property
    def filters(self) -> list[forms.BoundField]:
        return [self[name] for name in FILTERS]

    @property
    def cut_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in CUTS]

    @property
    def cuts(self) -> Cuts:
        """Those that were given; the version's where nothing, or nonsense, was."""
        self.is_valid()
        own = Cuts.of(self.version)
        given = [self.cleaned_data.get(name) for name in CUTS]
        chosen = [
            value if value is not None else usual
            for value, usual in zip(given, (own.fit, own.interest, own.threshold), strict=True)
        ]
        return Cuts(*chosen)

    @property
    def is_what_if(self) -> bool:
        return self.cuts != Cuts.of(self.version)


class WindowForm(forms.Form):
    """The part of the plane that is in sight."""

    fit_from = _points("")
    fit_to = _points("")
    interest_from = _points("")
    interest_to = _points("")

    def window(self) -> Window | None:
        """None unless four edges make a window of at least a hundredth."""
        if not self.is_valid() or None in self.cleaned_data.values():
            return None
        window = Window(**self.cleaned_data)
        x0, x1, y0, y1 = window.edges
        return window if x0 < x1 and y0 < y1 else None
