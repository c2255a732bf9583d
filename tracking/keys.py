"""Sources and the write keys they sign with: made, given out, restricted, rotated, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.refusals import Refused
from tracking.collector.keys import NOTED_SECONDS, fingerprint
from tracking.models import Scope, Source, WriteKey
from tracking.origins import MOST_ORIGINS, read_pattern

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
    row, text = _make(source, is_secret=is_secret)
    changes = {"source": source.name, "prefix": row.prefix}
    audit.record(by, "issued", object_kind="write_key", object_id=row.pk, changes=changes)
    return row, text


@transaction.atomic
def rotate_key(key_id: int, *, by: Actor) -> tuple[WriteKey, str]:
    """Make the successor of a key: same source, same limits. Both hold until the old one is
    revoked, so that senders can change over one by one.

    Returns the new row and the key itself. Raises Refused when the key is revoked.
    """
    old = _lock(key_id)
    row, text = _make(
        old.source,
        is_secret=old.is_secret,
        allowed_origins=old.allowed_origins,
        scopes=old.scopes,
        per_second=old.per_second,
        burst=old.burst,
        replaces=old,
    )
    changes = {"source": old.source.name, "prefix": [old.prefix, row.prefix]}
    audit.record(by, "rotated", object_kind="write_key", object_id=row.pk, changes=changes)
    return row, text


@transaction.atomic
def restrict_key(
    key_id: int,
    *,
    allowed_origins: Sequence[str] = (),
    scopes: Sequence[str] = (),
    per_second: int | None = None,
    burst: int | None = None,
    by: Actor,
) -> WriteKey:
    """Say what a key is good for (WriteKey says what each means). In force within seconds.

    A public key has no scopes, a secret one no origins. Raises Refused.
    """
    key = _lock(key_id)
    wanted: dict[str, Any] = {
        "per_second": per_second,
        "burst": (burst or 2 * per_second) if per_second else None,
    }
    if key.is_secret:
        wanted["scopes"] = _read_scopes(scopes)
    else:
        wanted["allowed_origins"] = _read_origins(allowed_origins)
    before = {name: getattr(key, name) for name in wanted}
    changes = {name: [before[name], to] for name, to in wanted.items() if before[name] != to}
    if changes:
        for name in changes:
            setattr(key, name, wanted[name])
        key.save(update_fields=list(changes))
        audit.record(by, "restricted", object_kind="write_key", object_id=key.pk, changes=changes)
    return key


def find_key(text: str) -> WriteKey | None:
    """The row of a key in force, with its source; None when it is unknown or revoked.

    For the slow lane: the collector keeps all keys in memory.
    """
    if not text:
        return None
    keys = WriteKey.objects.filter(revoked_at=None, source__is_active=True)
    return keys.select_related("source").filter(_is_key(text)).first()


def use_key(text: str) -> WriteKey | None:
    """A key in force, its use noted; None when it is unknown or revoked.

    Noted once a minute at most, and never waiting for whoever writes the same row.
    """
    key = find_key(text)
    if key is not None:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now() - timedelta(seconds=NOTED_SECONDS))
        free = WriteKey.objects.filter(stale, pk=key.pk).select_for_update(
            skip_locked=True, no_key=True
        )
        with transaction.atomic():
            WriteKey.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(
                last_used_at=now()
            )
    return key


def _is_key(text: str) -> Q:
    return Q(is_secret=False, key=text[:64]) | Q(is_secret=True, key_hash=fingerprint(text))


def _make(source: Source, *, is_secret: bool, **limits: Any) -> tuple[WriteKey, str]:
    text = f"{'sk' if is_secret else 'pk'}_{secrets.token_urlsafe(_BYTES)}"
    row = WriteKey.objects.create(
        source=source,
        is_secret=is_secret,
        key="" if is_secret else text,
        key_hash=fingerprint(text) if is_secret else "",
        prefix=text[:8],
        **limits,
    )
    return row, text


def _lock(key_id: int) -> WriteKey:
    """The key, its row locked. Raises WriteKey.DoesNotExist, or Refused when it is revoked."""
    keys = WriteKey.objects.select_for_update(no_key=True, of=("self",)).select_related("source")
    key = keys.get(pk=key_id)
    if key.revoked_at is not None:
        raise Refused(_("The key %(key)s… is revoked.") % {"key": key.prefix})
    return key


def _read_scopes(scopes: Sequence[str]) -> list[str]:
    chosen = [scope.value for scope in Scope if scope.value in scopes]
    if not chosen:
        raise Refused(_("A key that may do nothing is of no use: choose a scope, or revoke it."))
    return chosen


def _read_origins(origins: Sequence[str]) -> list[str]:
    wanted = [origin for origin in origins if origin.strip()]
    if len(wanted) > MOST_ORIGINS:
        raise Refused(_("At most %(n)s websites.") % {"n": MOST_ORIGINS})
    try:
        return sorted({read_pattern(origin) for origin in wanted})
    except ValueError as error:
        sentence = _(
            "“%(text)s” is no website. Write https://www.example.com, www.example.com or"
            " *.example.com, one on each line."
        )
        raise Refused(sentence % {"text": str(error)[:100]}) from None


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
