"""Is a lead ready to leave its stage, and if not, what is missing?

Criteria are rows (leads.Criterion); what a kind of criterion means is an
evaluator, registered by the app that knows the facts. Apps above register
theirs in AppConfig.ready(), so this app need not know them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.models import BuyingRole, Consent, Criterion, LastActivity, Lead
from leads.refusals import Refused
from leads.stages import Stage

# Kinds that others ask about by name.
WAITING_TIME = "not_before_has_passed"
NEW_ACTIVITY = "active_in_this_cycle"

# met / not met / unknown, and the sentence that says so.
Verdict = tuple[bool | None, str]
Evaluator = Callable[[Lead, dict], Verdict]
# Raises Refused with what is wrong about a criterion's settings.
ParamsCheck = Callable[[dict], None]


@dataclass(frozen=True)
class Result:
    """One criterion, evaluated. `is_met` is None when unknown."""

    kind: str
    label: str
    is_met: bool | None
    sentence: str

    def as_snapshot(self) -> dict:
        return asdict(self) | {"label": str(self.label)}


_evaluators: dict[str, tuple[str | Promise, Evaluator]] = {}
_params_checks: dict[str, ParamsCheck] = {}


def register(
    kind: str, label: str | Promise, evaluator: Evaluator, check: ParamsCheck | None = None
) -> None:
    """Make a kind of criterion known. `label` names it for admins.

    `check` looks at the settings that an admin writes; None means it takes none.
    """
    _evaluators[kind] = (label, evaluator)
    _params_checks[kind] = check or _takes_nothing


def check_params(kind: str, params: object) -> None:
    """Raises Refused with a sentence when these settings make no sense for this kind."""
    if not isinstance(params, dict):
        raise Refused(_('The settings are written as {"name": value}.'))
    if kind not in _params_checks:
        raise Refused(_("Nobody knows how to check this criterion."))
    _params_checks[kind](params)


def takes_number(name: str, low: int, high: int) -> ParamsCheck:
    """A check for one whole number called `name`."""

    def check(params: dict) -> None:
        number = params.get(name)
        if set(params) != {name} or type(number) is not int or not low <= number <= high:
            raise Refused(
                _('Write {"%(name)s": number} with a whole number from %(low)s to %(high)s.')
                % {"name": name, "low": low, "high": high}
            )

    return check


def _takes_nothing(params: dict) -> None:
    if params:
        raise Refused(_("This kind has no settings: write {}."))


def _takes_roles(params: dict) -> None:
    roles = params.get("roles")
    if set(params) != {"roles"} or not isinstance(roles, list) or not roles:
        raise Refused(_('Write {"roles": ["decision_maker", …]} with at least one role.'))
    unknown = [str(role) for role in roles if role not in BuyingRole.Kind.values]
    if unknown:
        raise Refused(
            _("There is no buying role “%(role)s”. Known: %(known)s.")
            % {"role": unknown[0][:50], "known": ", ".join(BuyingRole.Kind.values)}
        )


def kinds() -> list[tuple[str, str]]:
    """Every registered kind, as choices for a form."""
    return sorted((kind, str(label)) for kind, (label, _evaluator) in _evaluators.items())


def evaluate(lead: Lead, stage: str | None = None) -> list[Result]:
    """Evaluate the exit criteria of `stage` (the lead's own when None)."""
    rows = Criterion.objects.filter(stage=stage or lead.stage, is_active=True)
    return [_evaluate_one(lead, row) for row in rows]


def asked_of(stage: str) -> dict[str, dict]:
    """The kinds of criteria that guard the way out of this stage, with their settings."""
    rows = Criterion.objects.filter(stage=stage, is_active=True)
    return dict(rows.values_list("kind", "params"))


def usual_return_on(at: datetime | None = None) -> date | None:
    """The day before which somebody recycled at `at` (now) stays away from sales, unless
    another one is named. None when no waiting time is asked for."""
    days = asked_of(Stage.QUALIFIED).get(WAITING_TIME, {}).get("days")
    return localdate(at) + timedelta(days=days) if days else None


def _evaluate_one(lead: Lead, row: Criterion) -> Result:
    label, evaluator = _evaluators.get(row.kind, (row.kind, _unknown_kind))
    is_met, sentence = evaluator(lead, row.params)
    return Result(row.kind, str(label), is_met, sentence)


def _unknown_kind(lead: Lead, params: dict) -> Verdict:
    return None, _("Nobody knows how to check this criterion.")


def _has_valid_email(lead: Lead, params: dict) -> Verdict:
    try:
        validate_email(lead.email)
    except ValidationError:
        return False, _("No valid e-mail address is known.")
    return True, _("The e-mail address is %(email)s.") % {"email": lead.email}


def _has_consent(lead: Lead, params: dict) -> Verdict:
    newest = lead.consents.filter(purpose=Consent.Purpose.MAIL).first()
    if newest is None:
        return None, _("No consent is recorded.")
    day = date_format(newest.given_at, "DATE_FORMAT")
    if newest.is_granted:
        return True, _("Consent was given on %(day)s.") % {"day": day}
    return False, _("Consent was withdrawn on %(day)s.") % {"day": day}


def _not_before_has_passed(lead: Lead, params: dict) -> Verdict:
    if lead.not_before_on is None or lead.not_before_on <= localdate():
        return True, _("No waiting time is running.")
    day = date_format(lead.not_before_on, "DATE_FORMAT")
    return False, _("Recycled: not before %(day)s.") % {"day": day}


def _active_in_this_cycle(lead: Lead, params: dict) -> Verdict:
    """A new cycle needs new evidence: points from before it brought the lead here last time."""
    if lead.cycle == 1:
        return True, _("This is the first cycle.")
    began_at = lead.episodes.filter(cycle=lead.cycle).values_list("entered_at", flat=True)[0]
    day = date_format(localtime(began_at), "DATE_FORMAT")
    newest = LastActivity.objects.filter(lead=lead).values_list("at", flat=True).first()
    if newest is None or newest <= began_at:
        return False, _("No activity since this cycle began on %(day)s.") % {"day": day}
    return True, _("Active since this cycle began on %(day)s.") % {"day": day}


def _buying_roles_known(lead: Lead, params: dict) -> Verdict:
    """The configured roles are taken by this lead or by others of its account."""
    people = (
        Lead.objects.filter(account=lead.account_id, merged_into=None)
        if lead.account_id
        else Lead.objects.none()
    )
    known = set(
        BuyingRole.objects.filter(lead__in=people | Lead.objects.filter(pk=lead.pk)).values_list(
            "kind", flat=True
        )
    )
    missing = [str(BuyingRole.Kind(k).label) for k in params.get("roles", []) if k not in known]
    if missing:
        return False, _("Not known yet: %(roles)s.") % {"roles": ", ".join(missing)}
    return True, _("The buying roles asked for are known.")


def register_own_kinds() -> None:
    register("has_valid_email", gettext_lazy("Valid e-mail"), _has_valid_email)
    register("has_consent", gettext_lazy("Recorded consent"), _has_consent)
    register(
        WAITING_TIME,
        gettext_lazy("Waiting time is over"),
        _not_before_has_passed,
        takes_number("days", 1, 730),
    )
    register(NEW_ACTIVITY, gettext_lazy("New activity in this cycle"), _active_in_this_cycle)
    register(
        "buying_roles_known", gettext_lazy("Buying roles known"), _buying_roles_known, _takes_roles
    )
