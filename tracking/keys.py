"""Giving out and revoking write keys."""

from __future__ import annotations

import secrets

from django.db import transaction
from django.utils.timezone import now

from tracking.collector.keys import fingerprint
from tracking.models import Source, WriteKey

_BYTES = 24  # 192 random bits


def issue_key(source: Source, *, is_secret: bool) -> tuple[WriteKey, str]:
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
    return row, text


@transaction.atomic
def revoke_key(key_id: int) -> None:
    """End a key. Web processes notice within seconds; revoking twice changes nothing."""
    key = WriteKey.objects.select_for_update(no_key=True).get(pk=key_id)
    if key.revoked_at is None:
        key.revoked_at = now()
        key.save(update_fields=["revoked_at"])
