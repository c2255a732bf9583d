"""The import of a file: upload, map, check, import, cancel, try again.

Each verb locks the import's row, refuses with a sentence and saves. The long work
is found by its state in the database: leads/imports/working.py.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import PurePosixPath

from django.db import transaction
from django.db.models.functions import Now
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _

from leads.actors import Actor, ActorKind
from leads.hints import hint
from leads.import_models import Import, ImportContent, ImportRow
from leads.imports import presets, reading, suggest, targets
from leads.imports.fields import CUSTOM, Field
from leads.imports.mapping import Mapping, Use, kind_of, problems, settled
from leads.imports.profile import Column, survey
from leads.models import CustomField
from leads.refusals import Refused

SAMPLE_SIZE = 20  # rows
# How long the relay leaves new work to a worker that got a hint.
HEAD_START = timedelta(seconds=2)
EDITABLE = (Import.State.MAPPING, Import.State.CHECKED, Import.State.CANCELLED)


@transaction.atomic
def upload(content: bytes, file_name: str, *, by: Actor) -> Import:
    """Take in a file, find out how to read it, and suggest a mapping.

    Raises Refused with one sentence when it is not a CSV file we can import.
    """
    if by.user is None:
        raise Refused(_("Only a person can upload a file."))
    dialect = reading.inspect(content)
    columns = survey(dialect.header, reading.read_rows(content, dialect))
    sample = islice(reading.read_rows(content, dialect), SAMPLE_SIZE)
    preset = presets.recognise(dialect.header)
    header_digest = _digest(json.dumps(dialect.header).encode())
    mapping = _first_mapping(columns, preset, header_digest)
    job = Import.objects.create(
        file_name=_bare_name(file_name),
        size=len(content),
        digest=_digest(content),
        created_by=by.user,
        encoding=dialect.encoding,
        delimiter=dialect.delimiter,
        columns=[column.as_json() for column in columns],
        sample=[[row.number, row.line, row.cells] for row in sample],
        row_count=dialect.row_count,
        footer_count=dialect.footer_count,
        header_digest=header_digest,
        target=mapping.target,
        preset=preset.key if preset else "",
        mapping=mapping.as_json(),
    )
    ImportContent.objects.create(owner=job, data=content)
    return job


@transaction.atomic
def save_mapping(import_id: int, mapping: Mapping, *, preset: str = "") -> Import:
    """Keep how the columns are to be read; what the whole file settles is filled in."""
    job = _locked(import_id)
    _require_editable(job)
    fields = fields_of(mapping.target)
    mapping = settled(_adopted(mapping, fields), columns_of(job), fields)
    job.target, job.preset, job.mapping = mapping.target, preset, mapping.as_json()
    job.state, job.check_tally, job.done_count = Import.State.MAPPING, {}, 0
    job.save()
    return job


def start_over(import_id: int, *, preset_key: str = "", target_key: str = "") -> Import:
    """Take the mapping of a preset, or the one the headers suggest for another target."""
    columns = columns_of(Import.objects.get(pk=import_id))
    preset = presets.by_key(preset_key)
    if preset is not None:
        mapping = suggest.from_preset(preset, columns)
    else:
        mapping = _by_header(target_key, columns)
    return save_mapping(import_id, mapping, preset=preset_key)


@transaction.atomic
def start_check(import_id: int) -> Import:
    """Begin the dry run: count exactly what the import would do, writing nothing."""
    job = _locked(import_id)
    _require_editable(job)
    for sentence in what_is_missing(job):
        raise Refused(sentence)
    job.rows.filter(is_check=True).delete()
    job.check_tally, job.done_count = {}, 0
    return _set_working(job, Import.State.CHECKING)


@transaction.atomic
def start_run(import_id: int) -> Import:
    """Begin the import. Custom fields the mapping speaks of are created now."""
    job = _locked(import_id)
    if job.state != Import.State.CHECKED:
        raise Refused(_("Check the file first; then it can be imported."))
    _create_custom_fields(mapping_of(job))
    job.run_tally, job.done_count, job.began_at = {}, 0, Now()
    return _set_working(job, Import.State.RUNNING)


@transaction.atomic
def cancel(import_id: int) -> Import:
    """Stop. Rows that are imported stay; the others are left alone."""
    job = _locked(import_id)
    if job.state in (Import.State.FINISHED, Import.State.CANCELLED):
        raise Refused(_("There is nothing left to cancel."))
    if job.has_begun:
        job.ended_at = Now()
    job.state, job.worker, job.leased_until = Import.State.CANCELLED, "", None
    job.save()
    return job


@transaction.atomic
def try_again(import_id: int) -> Import:
    """Go on with an import that stopped by an error, from the row it had come to."""
    job = _locked(import_id)
    if job.state != Import.State.STUCK:
        raise Refused(_("This import has not stopped."))
    return _set_working(job, job.stuck_in)


@transaction.atomic
def drop_old_contents(*, older_than: timedelta) -> int:
    """Forget the contents of files imported long ago: they hold personal data.

    Counts, mapping and which row became what stay. Returns how many files.
    """
    old = Import.objects.filter(created_at__lt=Now() - older_than, content__isnull=False)
    jobs = list(old.exclude(state__in=Import.WORKING).select_for_update(of=("self",)))
    for job in jobs:
        job.sample = []
        job.columns = [{**column, "samples": [], "values": {}} for column in job.columns]
    Import.objects.bulk_update(jobs, ["sample", "columns"])
    ImportRow.objects.filter(owner__in=jobs, is_check=True).delete()
    ImportRow.objects.filter(owner__in=jobs).exclude(notes=[]).update(notes=[])
    ImportContent.objects.filter(owner__in=jobs).delete()
    return len(jobs)


def what_is_missing(job: Import) -> list[str]:
    """Sentences that say what must be settled before the file can be checked."""
    mapping = mapping_of(job)
    target = targets.get(mapping.target)
    if not ImportContent.objects.filter(owner=job).exists():
        return [_("The file itself is no longer kept. Upload it again.")]
    found = [*problems(mapping, columns_of(job), fields_of(mapping.target))]
    return found + ([] if found else list(target.missing(mapping)))


def mapping_of(job: Import) -> Mapping:
    return Mapping.from_json(job.mapping)


def columns_of(job: Import) -> list[Column]:
    return [Column.from_json(column) for column in job.columns]


def fields_of(target_key: str) -> dict[str, Field]:
    """What a column can be mapped to: the target's own fields and the custom ones."""
    target = targets.get(target_key)
    customs = CustomField.objects.filter(target=target.custom_target)
    own = {field.key: field for field in target.fields}
    return own | {
        f"{CUSTOM}{custom.key}": Field(
            f"{CUSTOM}{custom.key}",
            custom.label,
            _("Custom fields"),
            custom.kind,
            choices=tuple(map(str, custom.choices)),
        )
        for custom in customs
    }


def actor_of(job: Import) -> Actor:
    return Actor(ActorKind.IMPORT, user=job.created_by, label=_import_label(job))


def _import_label(job: Import) -> str:
    return _("Import of %(file)s") % {"file": job.file_name}


def _first_mapping(
    columns: list[Column], preset: presets.Preset | None, header_digest: str
) -> Mapping:
    """Of an earlier import with this very header, else of the preset, else by the headers."""
    before = Import.objects.filter(header_digest=header_digest, began_at__isnull=False).first()
    if before is not None:
        mapping = mapping_of(before)
    elif preset is not None:
        mapping = suggest.from_preset(preset, columns)
    else:
        mapping = _by_header("leads", columns)
    fields = fields_of(mapping.target)
    return settled(_adopted(mapping, fields), columns, fields)


def _by_header(target_key: str, columns: list[Column]) -> Mapping:
    vocabulary = targets.get(target_key).vocabulary
    return suggest.from_header(target_key, fields_of(target_key), vocabulary, columns)


def _adopted(mapping: Mapping, fields: dict[str, Field]) -> Mapping:
    """Custom fields that exist keep their kind and label, whatever the mapping says."""

    def adopt(use: Use) -> Use:
        known = fields.get(use.to) if use.custom_key else None
        return replace(use, kind=known.kind, label=str(known.label)) if known else use

    return replace(mapping, uses=tuple(map(adopt, mapping.uses)))


def _create_custom_fields(mapping: Mapping) -> None:
    target = targets.get(mapping.target).custom_target
    fields = fields_of(mapping.target)
    for use in mapping.uses:
        if use.custom_key and use.to not in fields:
            CustomField.objects.get_or_create(
                target=target,
                key=use.custom_key,
                defaults={"label": use.label or use.custom_key, "kind": kind_of(use, fields)},
            )


def _locked(import_id: int) -> Import:
    return Import.objects.select_for_update(no_key=True).get(pk=import_id)


def _require_editable(job: Import) -> None:
    if job.has_begun:
        raise Refused(_("This file has been imported already. Upload it again to import it again."))
    if job.state not in EDITABLE:
        raise Refused(_("Wait until the check is finished, or cancel it."))


def _set_working(job: Import, state: str) -> Import:
    """Hand the import to the workers; the relay finds it if nobody gets the hint."""
    job.state, job.worker, job.attempts, job.stuck_in = state, "", 0, ""
    job.leased_until = Now() + HEAD_START
    job.save()
    job.refresh_from_db()
    transaction.on_commit(partial(hint, "leads.tasks.import_files"), robust=True)
    return job


def _bare_name(file_name: str) -> str:
    name = PurePosixPath(file_name.replace("\\", "/")).name
    return get_valid_filename(name or "import.csv")[-200:]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
