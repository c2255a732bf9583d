"""Writes planned leads, a batch at a time, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from leads import lifecycle
from leads.actors import Actor
from leads.imports.lead_book import LeadState
from leads.lifecycle_batch import told
from leads.models import Consent, Lead
from leads.ownership import assign_owner
from leads.signals import lead_captured, profile_changed
from leads.standing import ensure_standings

COPY_IDS = "COPY leads_externalid (lead_id, system, value) FROM STDIN"


def write(states: Sequence[LeadState], *, by: Actor) -> None:
    """Create and update leads with their ids, consents and histories, then tell the house."""
    for state in states:
        if state.account is not None:
            state.lead.account = state.account
            state.changed.add("account")
    histories = [told(state.lead, state.steps) for state in states if state.steps]
    new = [state for state in states if state.is_new]
    known = [state for state in states if not state.is_new]
    _create(new)
    _update([state for state in known if state.changed])
    _assign([state for state in known if state.owner], by)
    _write_evidence(states)
    lifecycle.record_imported_histories(histories, by=by)
    for state in new:
        lead_captured.send(sender=Lead, lead=state.lead)
    if states:
        profile_changed.send(sender=Lead, lead_ids=[state.lead.pk for state in states])
    for state in states:
        state.forget_written()


def _create(states: Sequence[LeadState]) -> None:
    for state in states:
        if state.owner is not None:
            state.lead.owner, state.lead.team = state.owner, state.owner.team
    Lead.objects.bulk_create([state.lead for state in states])
    ensure_standings([state.lead.pk for state in states])


def _update(states: Sequence[LeadState]) -> None:
    fields = set().union(*(state.changed for state in states))
    if fields:
        Lead.objects.bulk_update([state.lead for state in states], sorted(fields))


def _assign(states: Sequence[LeadState], by: Actor) -> None:
    for state in states:
        assert state.owner is not None
        assign_owner(state.lead, owner=state.owner, team=state.owner.team, by=by)


def _write_evidence(states: Sequence[LeadState]) -> None:
    ids = [(state.lead.pk, *key) for state in states for key in state.new_ids]
    if ids:
        with connection.cursor() as cursor, cursor.copy(COPY_IDS) as copy:
            for row in ids:
                copy.write_row(row)
    consents = [consent for state in states for consent in state.consents]
    for state in states:
        for consent in state.consents:
            consent.lead = state.lead
    Consent.objects.bulk_create(consents, ignore_conflicts=True)
