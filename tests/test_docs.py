"""The documents tell today's truth: stages, settings, schedules and links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leads.stages import Stage

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def read(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("stage", Stage.values)
def test_every_stage_is_described(stage):
    assert str(Stage(stage).label).lower() in read("docs/lifecycle.md").lower()


def test_every_setting_is_described():
    settings = read("funnel_app/settings.py")
    names = set(re.findall(r"env(?:\.\w+)?\(\s*\"([A-Z_]+)\"", settings))
    assert len(names) > 10
    assert {name for name in names if f"`{name}`" not in read("docs/operations.md")} == set()


def test_every_scheduled_job_is_described():
    from funnel_app.celery import SCHEDULE

    assert {job for job in SCHEDULE if f"`{job}`" not in read("docs/operations.md")} == set()


def test_every_drain_of_the_relay_is_described():
    from funnel_app.relay import DRAINS

    names = {drain.name for drain in DRAINS}
    assert {name for name in names if f"`{name}`" not in read("docs/operations.md")} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text())
    assert [t for t in targets if not (document.parent / t).exists()] == []


def test_the_map_of_the_house_names_files_that_exist():
    places = re.findall(r"`([a-z_]+/[a-z_./]+?)`", read("ARCHITECTURE.md"))
    assert [p for p in places if "…" not in p and not (ROOT / p).exists()] == []
