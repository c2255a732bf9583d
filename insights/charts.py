"""What the charts draw, as plain data; static/js/funnel.js draws it."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from insights import rules
from insights.report import FunnelReport, StageFigures
from insights.wording import NOTHING, percent, whole
from leads.stages import EntryKind


def funnel_chart(report: FunnelReport) -> list[dict]:
    """One bar per stage: name, printed count, and beneath it what went on to the next."""
    return [
        {
            "name": str(row.stage.label),
            "count": whole(row.entered),
            "url": leads_url(report, "reached", row.stage) if row.entered else "",
            **_step(row),
        }
        for row in report.stages
    ]


def _step(row: StageFigures) -> dict[str, str]:
    """What stands between a bar and the next: who moved on, of how many, and who dropped."""
    step = row.step
    if row.is_last:
        return {"moved_on": "", "of": "", "dropped": ""}
    if step.step_conversion_rate is None:
        sentence = _("still maturing") if step.immature else NOTHING
        return {"moved_on": sentence, "of": "", "dropped": ""}
    return {
        "moved_on": _("%(rate)s move on") % {"rate": percent(step.step_conversion_rate)},
        "of": _("%(part)s of %(whole)s")
        % {"part": whole(step.converted), "whole": whole(step.mature)},
        "dropped": _("%(rate)s drop out") % {"rate": percent(step.drop_off_rate)}
        if step.dropped
        else "",
    }


def flow_chart(report: FunnelReport) -> dict[str, list[dict]]:
    """Where stays went: nodes and links from each stage to the next, out, or still there."""
    nodes = [{"key": row.stage.value, "name": str(row.stage.label)} for row in report.stages]
    nodes += [
        {"key": kind, "name": str(EntryKind(kind).label).capitalize()} for kind in rules.DROPS
    ]
    nodes.append({"key": "open", "name": _("Still there")})
    links = []
    for row, following in zip(report.stages, [*report.stages[1:], None], strict=True):
        targets = {"open": row.open} | {kind: row.exits[kind] for kind in rules.DROPS}
        if following is not None:
            targets[following.stage.value] = row.advanced
        links += [
            {
                "source": row.stage.value,
                "target": target,
                "value": count,
                "url": leads_url(
                    report, "advanced" if target in _stages(report) else target, row.stage
                ),
            }
            for target, count in targets.items()
            if count
        ]
    used = {end for link in links for end in (link["source"], link["target"])}
    return {"nodes": [node for node in nodes if node["key"] in used], "links": links}


def _stages(report: FunnelReport) -> set[str]:
    return {row.stage.value for row in report.stages}


def leads_url(report: FunnelReport, figure: str, stage: str) -> str:
    return f"{reverse('insights:leads')}?{report.filters.query(figure=figure, stage=stage)}"
