"""Is every score still true after a bad day? Run: python -m bench.score_truth [--leads 100000]

In a scratch database with many leads, all at once for some minutes: events arrive, late ones
among them; pairs of leads are merged and taken apart; versions with other weights, windows
and silences are signed and published, and whoever publishes or folds is killed (-9) again and
again. Then everything is let finish, and the books are checked (`manage.py verify_ledger`).
Ends with 1 when they do not balance.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta

from bench.servers import scratch_database

LATE = timedelta(days=200)
GROUP = 100  # events in one commit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--role", choices=sorted(ROLES), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.role:
        return work(chosen)
    with scratch_database(None) as database:
        environment = os.environ | {"DATABASE_URL": database, "STATEMENT_TIMEOUT_MS": "600000"}
        run = [sys.executable, "-m", "bench.score_truth", "--role"]
        sizes = ["--leads", chosen.leads, "--events", chosen.events, "--seconds", chosen.seconds]

        def start(role: str) -> subprocess.Popen:
            return subprocess.Popen([*run, role, *map(str, sizes)], env=environment)

        print(f"building {chosen.leads:,} leads, {chosen.events:,} events …", flush=True)
        finish(start("build"))
        kills = storm(start, chosen.seconds)
        finish(start("settle"))
        print(f"{kills} processes killed; checking the books …", flush=True)
        books = [sys.executable, "-W", "ignore", "manage.py", "verify_ledger"]
        is_true = not subprocess.run(books, env=environment, check=False).returncode
    print("every score is true" if is_true else "the books do NOT balance")
    return int(not is_true)


def finish(process: subprocess.Popen) -> None:
    if process.wait():
        raise SystemExit(f"{process.args} failed with {process.returncode}")


def storm(start: Callable[[str], subprocess.Popen], seconds: int) -> int:
    """Everything at once; of those who fold and publish one is killed every few seconds."""
    chance = random.Random(7)
    steady = [start("arrive"), start("merge"), start("propose")]
    mortal = {role: start(role) for role in ("fold", "refresh", "publish")}
    ends_at, kills = time.monotonic() + seconds, 0
    while time.monotonic() < ends_at:
        time.sleep(chance.uniform(1.5, 5))
        role = chance.choice(sorted(mortal))
        mortal[role].send_signal(signal.SIGKILL)
        mortal[role].wait()
        mortal[role] = start(role)
        kills += 1
    for process in mortal.values():
        process.kill()
        process.wait()
    for process in steady:
        finish(process)
    return kills


def work(chosen: argparse.Namespace) -> int:
    """One of the processes of the storm."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")
    import django

    django.setup()
    ROLES[chosen.role](chosen)
    return 0


def build(chosen: argparse.Namespace) -> None:
    from bench import recompute
    from leads.models import Lead
    from leads.standing import ensure_standings
    from scoring import rescore
    from users.models import User
    from users.roles import Role

    recompute.build(chosen.leads, chosen.events)
    ensure_standings(Lead.objects.values_list("pk", flat=True))
    for role in (Role.MARKETER, Role.MANAGER):
        User.objects.create(email=f"{role}@bench.example", role=role)
    rescore.rebuild()


def until(seconds: int, turn: Callable[[random.Random], None]) -> None:
    chance, ends_at = random.Random(os.getpid()), time.monotonic() + seconds
    while time.monotonic() < ends_at:
        turn(chance)


def some_ids(chance: random.Random, most: int) -> list[int]:
    from leads.models import Lead

    last = Lead.objects.order_by("-pk").values_list("pk", flat=True)[0]
    wanted = [chance.randint(1, last) for _n in range(most)]
    return list(Lead.objects.filter(pk__in=wanted, stage="lead").values_list("pk", flat=True))


def arrive(chosen: argparse.Namespace) -> None:
    from django.db import transaction
    from django.utils.timezone import now

    from bench.recompute import KINDS
    from leads.models import Lead
    from tracking.models import Event, Source
    from tracking.signals import event_recorded

    source = Source.objects.get()

    def turn(chance: random.Random) -> None:
        at = now()
        with transaction.atomic():
            # As the product does it: whoever is merged away meanwhile gets nothing.
            asked = Lead.objects.filter(pk__in=some_ids(chance, GROUP)).order_by("pk")
            locked = asked.select_for_update(no_key=True).values_list("pk", "stage")
            ids = [pk for pk, stage in locked if stage == "lead"]
            events = Event.objects.bulk_create(
                Event(source=source, message_id=f"{os.getpid()}-{chance.getrandbits(64)}",
                      kind=chance.choice(KINDS), path=f"/p/{chance.randrange(9)}", lead_id=lead_id,
                      occurred_at=at - LATE * chance.random() ** 4, received_at=at)
                for lead_id in ids
            )  # fmt: skip
            event_recorded.send(sender=None, lead_ids=ids, event_ids=[e.pk for e in events])
        time.sleep(0.2)

    until(chosen.seconds, turn)


def merge(chosen: argparse.Namespace) -> None:
    from leads import merging
    from leads.actors import Actor
    from leads.refusals import Refused

    by = Actor.system("bench")

    def turn(chance: random.Random) -> None:
        pair = some_ids(chance, 4)[:2]
        with contextlib.suppress(Refused, ValueError):
            survivor, loser = pair
            row = merging.merge(survivor, loser, by=by, reason="bench")
            if chance.random() < 0.5:
                merging.unmerge(row.pk, by=by, reason="bench")
        time.sleep(0.3)

    until(chosen.seconds, turn)


def propose(chosen: argparse.Namespace) -> None:
    """Versions with other weights and one signal more, signed and asked to be published."""
    from leads.actors import Actor
    from leads.refusals import Refused
    from scoring import drafting, publishing, signing
    from scoring.models import ModelVersion, Rule, Signal
    from users.models import User

    by = Actor.system("bench")
    signers = [Actor.of(user) for user in User.objects.order_by("pk")]

    def turn(chance: random.Random) -> None:
        draft = drafting.clone_to_draft(ModelVersion.objects.active().pk, by=by)
        for rule in draft.rules.all():
            if chance.random() < 0.3:
                rule.points += chance.randint(-2, 2)
                rule.save(update_fields=["points"])
        signal_of_time = Signal(axis="interest", key=f"new-{draft.number}", label="New")
        if chance.random() < 0.5:
            signal_of_time.inactive_days = chance.randint(10, 200)
        else:
            signal_of_time.event_kind, signal_of_time.frequency = "page_viewed", "once"
            signal_of_time.window_days = chance.randint(10, 200)
        drafting.prepare_signal(signal_of_time)
        Signal.objects.bulk_create([signal_of_time])
        Rule.objects.create(version=draft, signal=signal_of_time, points=chance.randint(-9, 9))
        signing.submit(draft.pk, by=by)
        for signer in signers:
            signing.sign(draft.pk, by=signer)
        scope = chance.choice(["all", "all", "new"])
        with contextlib.suppress(Refused):  # another one is on its way
            publishing.publish(draft.pk, by=by, plan=publishing.Plan(scope))
        time.sleep(5)

    until(chosen.seconds, turn)


def fold(chosen: argparse.Namespace) -> None:
    from scoring import rescore

    while True:
        if not rescore.drain():
            time.sleep(0.1)


def refresh(chosen: argparse.Namespace) -> None:
    from scoring import rescore

    while True:
        rescore.refresh()


def publish(chosen: argparse.Namespace) -> None:
    from scoring import publishing

    while True:
        if not publishing.drain():
            time.sleep(0.2)


def settle(chosen: argparse.Namespace) -> None:
    """What the killed ones left behind is finished, as the relay would.

    The events did not come through the collector: its books are written here.
    """
    from django.utils.timezone import localdate

    from scoring import account_scores, publishing, rescore
    from scoring.models import Publication, Signal
    from tracking.models import Event, IngestCount, Source

    for outcome in ("received", "accepted"):
        IngestCount.objects.create(
            source=Source.objects.get(),
            day=localdate(),
            outcome=outcome,
            count=Event.objects.count(),
        )

    for stopped in Publication.objects.filter(finished_at=None, attempts__gte=5):
        from leads.actors import Actor

        publishing.resume(stopped.version_id, by=Actor.system("bench"))
    while rescore.drain() or publishing.drain():
        pass
    rescore.refresh()
    account_scores.refresh()
    assert not Publication.objects.filter(finished_at=None).exists()
    assert not Signal.objects.filter(counted_at=None).exists()


ROLES: dict[str, Callable[[argparse.Namespace], None]] = {
    role.__name__: role for role in (build, arrive, merge, propose, fold, refresh, publish, settle)
}

if __name__ == "__main__":
    raise SystemExit(main())
