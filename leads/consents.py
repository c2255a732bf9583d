"""Consent that a colleague writes down: given on paper, by phone, at a fair, or withdrawn."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads.actors import Actor
from leads.capture import qualify_when_ready, record_consent
from leads.merging_rules import refuse_merged
from leads.models import Lead
from leads.refusals import Refused


@transaction.atomic
def record_by_hand(
    lead_id: int, *, purpose: str, is_granted: bool, given_at: datetime, evidence: str, by: Actor
) -> bool:
    """Append one consent or withdrawal; returns whether the lead is a Qualified lead by it.

    Raises Refused without evidence or for an instant in the future.
    """
    if not evidence.strip():
        raise Refused(_("Say how you know: a consent needs evidence, such as a form or a call."))
    if given_at > now():
        raise Refused(_("A consent cannot be given in the future."))
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    refuse_merged(lead)
    record_consent(
        lead,
        purpose=purpose,
        is_granted=is_granted,
        at=given_at,
        evidence=_("%(evidence)s (written down by %(who)s)")
        % {"evidence": evidence.strip()[:400], "who": by.label},
        cause=f"hand-{uuid.uuid4()}",
    )
    return qualify_when_ready(lead_id, by=Actor.rule(_("Criteria met")))
