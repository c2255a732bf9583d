"""Sources and the write keys they sign with: made, given out, revoked."""

from __future__ import annotations

import secrets

from django.db import IntegrityError, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.refusals import Refused
from tracking.collector.keys import fingerprint
from tracking.models import Source, WriteKey

_BYTES = 24  # 192 random bits
_SETUP = Actor.system("Set-up")


@transaction.atomic
def add_source(name: str, kind: str, *, by: Actor) -> Source:
    """A new place that events come from. Raises Refused when the name is taken."""
    try:
        with transaction.atomic():
            source = Source.objects.create(name=name.strip(), kind=kind)
    except IntegrityError:
        raise Refused(_("There is a source called “%(name)s” already.") % {"name": name}) from None
    audit.record(by, "added", object_kind="source", object_id=source.pk, changes={"name": name})
    return source


@transaction.atomic
def issue_key(source: Source, *, is_secret: bool, by: Actor = _SETUP) -> tuple[WriteKey, str]:
    """Make a key of the source. Returns the row and the key itself.

    A secret key can be read now and never again: only its fingerprint is kept.
    """
    text = f"{'sk' if is_secret else 'pk'}_{secrets.token_urlsafe(_BYTES)}"
    row = WriteKey.objects.create(
        source=source,
        is_secret=is_secret,
        key="" if is_secret else text,
        key_hash=fingerprint(text) if is_secret else "",
        prefix=text[:8],
    )
    changes = {"source": source.name, "prefix": row.prefix}
    audit.record(by, "issued", object_kind="write_key", object_id=row.pk, changes=changes)
    return row, text


@transaction.atomic
def revoke_key(key_id: int, *, by: Actor) -> WriteKey:
    """End a key. Web processes notice within seconds; revoking twice changes nothing.

    Raises WriteKey.DoesNotExist.
    """
    key = WriteKey.objects.select_for_update(no_key=True).get(pk=key_id)
    if key.revoked_at is None:
        key.revoked_at = now()
        key.save(update_fields=["revoked_at"])
        changes = {"prefix": key.prefix}
        audit.record(by, "revoked", object_kind="write_key", object_id=key.pk, changes=changes)
    return key
