"""Asking for a training: checked, refused with a sentence, written down as a work row.

The long work is found by its state in the database: scoring/prediction/training.py.
"""

from __future__ import annotations

from functools import partial

from django.db import connection, transaction
from django.utils.translation import gettext as _

from leads.actors import Actor
from leads.hints import hint
from leads.import_models import Import, ImportContent
from leads.refusals import Conflict, Refused
from scoring.models import Training
from scoring.prediction.choices import FileChoices
from scoring.prediction_models import LONGEST_HORIZON, OUTCOMES
from users.roles import Role

TASK = "scoring.tasks.train"


@transaction.atomic
def train_on_leads(outcome: str, horizon_days: int, *, by: Actor) -> Training:
    """Learn anew from the product's own leads. Only admins and the schedule may ask.

    Raises Conflict while such a training is waiting or running.
    """
    if by.user is not None and by.role != Role.ADMIN:
        raise Refused(_("Only admins train the prediction."))
    if outcome not in OUTCOMES:
        raise Refused(_("Choose one of the outcomes that are offered."))
    if not 1 <= horizon_days <= LONGEST_HORIZON:
        raise Refused(
            _("The horizon must lie between 1 and %(most)s days.") % {"most": LONGEST_HORIZON}
        )
    # Two who ask at once wait for each other; the constraint is the last word.
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE scoring_training IN SHARE ROW EXCLUSIVE MODE")
    if Training.objects.of_leads().waiting().exists():
        raise Conflict(_("A training is under way. Wait until it is done."))
    training = Training.objects.create(
        source=Training.Source.LEADS,
        outcome=outcome,
        horizon_days=horizon_days,
        requested_by=by.user,
    )
    transaction.on_commit(partial(hint, TASK), robust=True)
    return training


@transaction.atomic
def train_on_file(import_id: int, choices: FileChoices, *, by: Actor) -> Training:
    """Learn from an uploaded file and judge on its newest rows. Nothing is predicted with it.

    Raises Refused when the file is no longer kept or the choices make no sense.
    """
    if by.user is None or by.role not in (Role.MARKETER, Role.ADMIN):
        raise Refused(_("Only marketers and admins use the workbench."))
    job = Import.objects.select_for_update(no_key=True).get(pk=import_id)
    if not ImportContent.objects.filter(owner=job).exists():
        raise Refused(_("The file itself is no longer kept. Upload it again."))
    choices.check(job)
    training = Training.objects.create(
        source=Training.Source.IMPORT,
        file=job,
        file_name=job.file_name,
        params=choices.as_json(),
        requested_by=by.user,
    )
    transaction.on_commit(partial(hint, TASK), robust=True)
    return training


@transaction.atomic
def try_again(training_id: int, *, by: Actor) -> Training:
    """Let a training that stopped by an error begin anew, with the same data window."""
    rows = Training.objects.select_for_update(no_key=True, of=("self",)).defer("model")
    training = rows.get(pk=training_id)
    is_own = training.source == Training.Source.LEADS
    allowed = (Role.ADMIN,) if is_own else (Role.MARKETER, Role.ADMIN)
    if by.user is not None and by.role not in allowed:
        raise Refused(_("Only admins train the prediction."))
    if training.state != Training.State.STOPPED:
        raise Conflict(_("This training has not stopped: somebody was faster."))
    if is_own and Training.objects.of_leads().waiting().exists():
        raise Conflict(_("A training is under way. Wait until it is done."))
    training.state, training.attempts, training.leased_until = Training.State.WAITING, 0, None
    training.save(update_fields=["state", "attempts", "leased_until"])
    transaction.on_commit(partial(hint, TASK), robust=True)
    return training
