"""Steps that tests of imports share: a file goes through the real verbs and the real work."""

from __future__ import annotations

from leads import importing
from leads.actors import Actor
from leads.import_models import Import
from leads.imports import working
from users.models import User


def upload(content: bytes | str, by: User, name: str = "people.csv") -> Import:
    data = content if isinstance(content, bytes) else content.encode()
    return importing.upload(data, name, by=Actor.of(by))


def work() -> None:
    """Do all waiting work, as a worker does."""
    while working.drain(is_hinted=True):
        pass


def check(job: Import) -> dict:
    """The dry run; returns what it counted."""
    importing.start_check(job.pk)
    work()
    job.refresh_from_db()
    assert job.state == Import.State.CHECKED, job.state
    return job.check_tally


def run(job: Import) -> dict:
    """Check and import; returns what was counted, after comparing it with the check's forecast."""
    forecast = check(job)
    importing.start_run(job.pk)
    work()
    job.refresh_from_db()
    assert job.state == Import.State.FINISHED, job.state
    assert job.run_tally == forecast
    return job.run_tally


def bring(content: bytes | str, by: User, name: str = "people.csv") -> dict:
    """Upload a file and import it with the mapping that is suggested for it."""
    return run(upload(content, by, name))
