"""The exit criteria of a Qualified lead that only the score can answer."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads import criteria
from leads.criteria import Verdict
from leads.models import Lead, Standing
from scoring.governing import version_for
from scoring.models import LeadFeature


def _standing_of(lead: Lead) -> Standing | None:
    """The lead's standing, if it was ever scored."""
    return Standing.objects.filter(lead=lead).exclude(scored_at=None).first()


def _score_reaches_threshold(lead: Lead, params: dict) -> Verdict:
    standing, version = _standing_of(lead), version_for(lead)
    if standing is None or version is None:
        return None, _("Not scored yet.")
    numbers = {"score": standing.score, "threshold": version.threshold}
    if standing.score >= version.threshold:
        return True, _("Score %(score)s of %(threshold)s reached.") % numbers
    return False, _("Score %(score)s of %(threshold)s needed.") % numbers


def _fit_and_interest(lead: Lead, params: dict) -> Verdict:
    standing, version = _standing_of(lead), version_for(lead)
    if standing is None or version is None:
        return None, _("Not scored yet.")
    missing = []
    if standing.fit < version.fit_cut:
        missing.append(
            _("Fit %(fit)s of %(cut)s needed.") % {"fit": standing.fit, "cut": version.fit_cut}
        )
    if standing.interest < version.interest_cut:
        missing.append(
            _("Interest %(interest)s of %(cut)s needed.")
            % {"interest": standing.interest, "cut": version.interest_cut}
        )
    if missing:
        return False, " ".join(missing)
    return True, _("Both fit and interest are high.")


def _nothing_blocks(lead: Lead, params: dict) -> Verdict:
    version = version_for(lead)
    sums = LeadFeature.objects.filter(lead=lead).values_list("sums", flat=True).first()
    if version is None or sums is None:
        return None, _("Not scored yet.")
    blocking = [
        rule.signal.words
        for rule in version.rules.filter(is_blocking=True).select_related("signal")
        if rule.signal.ordinal <= len(sums) and sums[rule.signal.ordinal - 1] > 0
    ]
    if blocking:
        return False, _("This blocks: %(what)s.") % {"what": ", ".join(blocking)}
    return True, _("Nothing blocks this lead.")


def register_own_kinds() -> None:
    criteria.register(
        "score_reaches_threshold",
        gettext_lazy("Score reaches the threshold"),
        _score_reaches_threshold,
    )
    criteria.register(
        "fit_and_interest", gettext_lazy("Both fit and interest are high"), _fit_and_interest
    )
    criteria.register("nothing_blocks", gettext_lazy("Nothing blocks"), _nothing_blocks)
