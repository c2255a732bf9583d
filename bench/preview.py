"""How long does a preview of a draft take? Run: python -m bench.preview [--leads N] [--events N]

Builds leads and events as bench.recompute does, and prints from one run, turn by turn: a
preview, a page of its lists, and a full recompute, which a preview should cost no more
than TARGET times. Also the memory of this process, which must not grow with the leads;
and a back-test of every tenth lead.
"""

from __future__ import annotations

import argparse
import resource
import statistics

from django.db import connection

from bench.recompute import build, say, seconds  # sets Django up
from leads.actors import Actor
from leads.models import Lead
from scoring import backtesting, drafting, rescore
from scoring.formula import Weights
from scoring.models import ModelVersion
from scoring.preview_lists import Wanted, turned_leads
from scoring.previewing import preview
from users.models import User
from users.roles import Role

TARGET = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="use the scratch database again")
    chosen = parser.parse_args()
    name = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = "bench_preview"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=chosen.keep)
    try:
        if not Lead.objects.exists():
            print(f"building {chosen.leads:,} leads, {chosen.events:,} events …", flush=True)
            build(chosen.leads, chosen.events)
            qualify()
            rescore.rebuild()
            decide()
        measure(chosen.rounds)
    finally:
        if not chosen.keep:
            connection.creation.destroy_test_db(name, verbosity=0)


def qualify() -> None:
    """All leads are Qualified, so who enters would be handed off."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH moved AS (
                INSERT INTO leads_stageepisode (lead_id, seq, previous_seq, from_stage, stage,
                    entry_kind, starts_cycle, cycle, entered_at, exit_kind, is_pass_through,
                    is_date_unknown, actor_kind, actor_label, reason, is_override, criteria)
                SELECT id, 2, 1, 'lead', 'qualified', 'advanced', false, 1, now(), '', false, false,
                       'system', 'bench', '', false, '[]' FROM leads_lead RETURNING lead_id)
            UPDATE leads_lead
               SET stage = 'qualified', episode_seq = 2, stage_entered_at = now()
             WHERE id IN (SELECT lead_id FROM moved)
            """
        )
        cursor.execute("VACUUM ANALYZE")


def decide() -> None:
    """Every tenth lead was disqualified: an outcome to test on."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH moved AS (
                INSERT INTO leads_stageepisode (lead_id, seq, previous_seq, from_stage, stage,
                    entry_kind, starts_cycle, cycle, entered_at, exit_kind, is_pass_through,
                    is_date_unknown, actor_kind, actor_label, reason, is_override, criteria)
                SELECT id, 3, 2, 'qualified', 'disqualified', 'disqualified', false, 1, now(), '',
                       false, false, 'system', 'bench', 'x', false, '[]' FROM leads_lead
                 WHERE id % 10 = 0 RETURNING lead_id)
            UPDATE leads_lead
               SET stage = 'disqualified', episode_seq = 3, stage_entered_at = now()
             WHERE id IN (SELECT lead_id FROM moved)
            """
        )
        cursor.execute("VACUUM ANALYZE")


def measure(rounds: int) -> None:
    active = ModelVersion.objects.active()
    draft = drafting.clone_to_draft(active.pk, by=Actor.system("bench"))
    draft.rules.filter(signal__key="pricing_page").update(points=20)
    reader = User.objects.filter(email="bench@example.com").first() or User.objects.create_user(
        "bench@example.com", "a bench that measures", role=Role.ADMIN
    )
    rescore.recompute_all()
    seen = preview(draft, reader)
    print(f"{seen.lead_count:,} leads; {seen.enter_count:,} enter, {seen.leave_count:,} leave")
    before = memory()
    turns = [
        (seconds(rescore.recompute_all), seconds(lambda: preview(draft, reader)))
        for _round in range(rounds)
    ]
    whole, own = (statistics.median(side) for side in zip(*turns, strict=True))
    say("full recompute, written", whole)
    verdict = "met" if own <= TARGET * whole else "MISSED"
    say("preview", own, f"{own / whole:.2f} of it; target ≤ {TARGET}: {verdict}")
    say("a page of a list", seconds(lambda: turned_leads(draft, reader, Wanted()), rounds))
    print(f"{'memory grown meanwhile':44}{memory() - before:9.1f} MB")
    said: list[dict] = []
    took = seconds(
        lambda: said.append(backtesting.back_test(Weights.of(draft), Weights.of(active)))
    )
    say("back-test", took, f"of {sum(said[0]['counts'].values()):,} leads")
    print(f"{'memory grown meanwhile':44}{memory() - before:9.1f} MB")
    draft.delete()


def memory() -> float:
    """The most that this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
