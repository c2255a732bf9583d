"""After an edit of a dictionary: once all leads are matched again, score them by it."""

from __future__ import annotations

import structlog

from scoring import rescore
from scoring.dictionary_models import Rewording
from scoring.models import Signal

log = structlog.get_logger(__name__)


def is_settled() -> bool:
    """Whether all standings say what the words mean."""
    return not Rewording.objects.exists()


def drain(limit: int = 1) -> int:
    """Score all leads by what words mean now, once all are matched; returns how many edits.

    Twice at once does no harm; killed, it is done again.
    """
    done = [
        row.pk
        for row in Rewording.objects.all()
        if not Signal.objects.filter(pk__in=row.signal_ids, counted_at=None).exists()
    ]
    if done:
        rescore.refresh()
        Rewording.objects.filter(pk__in=done).delete()
        log.info("words_mean_something_else", edits=len(done))
    return len(done)
