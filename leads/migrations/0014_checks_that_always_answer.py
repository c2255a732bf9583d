"""Two CHECKs let a row pass when a column was NULL, because their answer was unknown.

So a row could name a way out without an instant, and a later episode could leave out
its predecessor, which also switched off the foreign key to it.
"""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("leads", "0013_stage_follows_history")]

    operations = [
        migrations.RemoveConstraint("stageepisode", "leads_episode_chain"),
        migrations.RemoveConstraint("stageepisode", "leads_episode_not_negative"),
        migrations.AddConstraint(
            "stageepisode",
            models.CheckConstraint(
                condition=Q(seq=1, previous_seq=None, from_stage="", cycle=1)
                | (
                    Q(seq__gt=1, previous_seq__isnull=False, previous_seq=F("seq") - 1)
                    & ~Q(from_stage="")
                ),
                name="leads_episode_chain",
            ),
        ),
        migrations.AddConstraint(
            "stageepisode",
            models.CheckConstraint(
                condition=Q(left_at=None, exit_kind="")
                | (Q(left_at__isnull=False, left_at__gte=F("entered_at")) & ~Q(exit_kind="")),
                name="leads_episode_not_negative",
            ),
        ),
    ]
