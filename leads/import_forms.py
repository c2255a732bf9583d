"""What we ask about a file: the file itself, and what its columns mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from leads import importing
from leads.channels import Channel
from leads.import_models import Import
from leads.imports import mapping as mappings
from leads.imports import presets, reading, suggest, targets
from leads.imports.dates import DateOrder
from leads.imports.fields import CUSTOM, EXTERNAL_ID, Kind
from leads.imports.mapping import IGNORED_VALUE, Mapping, OnExisting, OnUnknown, Use
from leads.imports.profile import Column
from leads.models import CustomField
from leads.stages import Stage

NEW_FIELD = "new"
DECIMAL_MARKS = ((".", _("1,234.56 (point)")), (",", _("1.234,56 (comma)")))


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("Up to 20 MB and 100,000 rows; comma, semicolon or tab; with a header."),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
    )

    def clean_file(self) -> UploadedFile:
        upload = self.cleaned_data["file"]
        if upload.size > reading.MAX_BYTES:
            raise forms.ValidationError(
                _("The file is larger than 20 MB. Split it into smaller files.")
            )
        return upload


class MappingForm(forms.Form):
    """Each column with what it becomes, and how values are to be read.

    A column has one field `to_<n>_<m>` per use, and with it, where needed, `system_`,
    `label_`, `kind_` and one `value_<n>_<m>_<k>` per different value of the column.
    """

    on_existing = forms.ChoiceField(label=_("When it is known already"), choices=OnExisting.choices)
    on_unknown = forms.ChoiceField(label=_("When it is not known yet"), choices=OnUnknown.choices)
    date_order = forms.ChoiceField(
        label=_("Order of dates"),
        choices=[("", _("Choose …")), *DateOrder.choices],
        required=False,
    )
    decimal_mark = forms.ChoiceField(
        label=_("Numbers"), choices=[("", _("Choose …")), *DECIMAL_MARKS], required=False
    )
    unset = forms.CharField(
        label=_("Values that mean “not known”"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line, for example Select or N/A."),
    )

    def __init__(self, job: Import, *args, again: int | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.job = job
        self.mapping = importing.mapping_of(job)
        self.columns = importing.columns_of(job)
        self.known = importing.fields_of(self.mapping.target)
        self._choices = self._destinations()
        for name in ("on_existing", "on_unknown", "date_order", "decimal_mark"):
            self.initial[name] = getattr(self.mapping, name)
        self.initial["unset"] = "\n".join(self.mapping.unset)
        for column in self.columns:
            uses: list[Use | None] = [*self.mapping.uses_of(column.index)]
            is_asked = f"to_{column.index}_{len(uses)}" in self.data
            if not uses or column.index == again or is_asked:
                uses.append(None)
            for place, use in enumerate(uses):
                self._add_use(column, place, use)
        self._add_constants()

    def _destinations(self) -> list:
        groups: dict[str, list] = {}
        for field in self.known.values():
            groups.setdefault(str(field.group), []).append((field.key, field.label))
        choices: list = [("", _("Leave out")), *groups.items()]
        if targets.get(self.mapping.target).custom_target:
            choices.append((NEW_FIELD, _("New field of our own …")))
        missing = {use.to: use.label for use in self.mapping.uses if use.to not in self.known}
        if missing:
            choices.append((_("New fields"), list(missing.items())))
        return choices

    def _add_use(self, column: Column, place: int, use: Use | None) -> None:
        suffix = f"{column.index}_{place}"
        label = _("What “%(column)s” becomes") % {"column": column.name}
        self._add(f"to_{suffix}", label, use.to if use else "", self._choices)
        if use is None:
            return
        if use.to == EXTERNAL_ID:
            self._add(f"system_{suffix}", _("Which system"), use.system)
        elif use.custom_key and use.to not in self.known:
            self._add(f"label_{suffix}", _("Name"), use.label)
            kinds = [c for c in CustomField.Kind.choices if c[0] != CustomField.Kind.CHOICE]
            self._add(f"kind_{suffix}", _("Type"), use.kind, kinds)
        elif self.known[use.to].kind in (Kind.STAGE, Kind.CHANNEL):
            self._add_values(column, suffix, use, self.known[use.to].kind)

    def _add_values(self, column: Column, suffix: str, use: Use, kind: str) -> None:
        if kind == Kind.STAGE:
            own = [(s.value, s.label) for s in Stage if s != Stage.MERGED]
            choices = [("", _("Report it")), (IGNORED_VALUE, _("Says nothing")), *own]
        else:
            choices = [("", _("Unknown")), *Channel.choices]
        for index, value in enumerate(column.values):
            chosen = use.values.get(value) or suggest.value_for(kind, value)
            self._add(f"value_{suffix}_{index}", value, chosen, choices)

    def _add_constants(self) -> None:
        for field in self.known.values():
            if not field.is_constant or self.mapping.uses_to(field.key):
                continue
            choices: list | None = None
            if field.kind == Kind.CHANNEL:
                choices = [("", "–"), *Channel.choices]
            elif field.kind == Kind.STAGE:
                choices = [("", "–"), *((s.value, s.label) for s in Stage if s != Stage.MERGED)]
            chosen = self.mapping.constants.get(field.key, "")
            self._add(f"constant_{field.key}", field.label, chosen, choices)

    def _add(self, name: str, label, initial: str, choices: list | None = None) -> None:
        if choices is None:
            field: forms.Field = forms.CharField(label=label, required=False, max_length=50)
        else:
            field = forms.ChoiceField(label=label, required=False, choices=choices)
        self.fields[name] = field
        self.initial[name] = initial

    # --- what the page draws ---------------------------------------------------

    def rows(self) -> Iterator[MappingRow]:
        for column in self.columns:
            uses = [n for n in self.fields if n.startswith(f"to_{column.index}_")]
            yield MappingRow(column, [self._use_row(name) for name in uses])

    def _use_row(self, name: str) -> UseRow:
        suffix = name.removeprefix("to_")
        details = [
            self[f"{kind}_{suffix}"]
            for kind in ("system", "label", "kind")
            if f"{kind}_{suffix}" in self.fields
        ]
        values = [self[n] for n in self.fields if n.startswith(f"value_{suffix}_")]
        return UseRow(self[name], details, values)

    def constants(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("constant_")]

    @property
    def asks_for_order(self) -> bool:
        """Whether the whole file leaves more than one order of dates, or none."""
        orders = mappings.possible_orders(self.mapping, self.columns, self.known)
        return self._has_orders and len(orders) != 1

    @property
    def settled_order(self) -> str:
        """The one order that fits all dates, in words; empty when there is no such thing."""
        is_settled = self._has_orders and not self.asks_for_order
        return str(DateOrder(self.mapping.date_order).label) if is_settled else ""

    @property
    def asks_for_mark(self) -> bool:
        marks = mappings.possible_marks(self.mapping, self.columns, self.known)
        is_needed = mappings.is_mark_needed(self.mapping, self.columns, self.known)
        return is_needed and len(marks) != 1

    @property
    def _has_orders(self) -> bool:
        return mappings.is_order_needed(self.mapping, self.columns, self.known)

    # --- what was answered -----------------------------------------------------

    def to_mapping(self) -> Mapping:
        data = self.cleaned_data
        return Mapping(
            target=self.mapping.target,
            uses=tuple(self._uses()),
            constants={
                name.removeprefix("constant_"): data[name]
                for name in self.fields
                if name.startswith("constant_") and data[name]
            },
            unset=tuple(w.strip() for w in data["unset"].splitlines() if w.strip()),
            date_order=data["date_order"],
            decimal_mark=data["decimal_mark"],
            on_existing=data["on_existing"],
            on_unknown=data["on_unknown"],
        )

    def _uses(self) -> Iterator[Use]:
        taken = {key.removeprefix(CUSTOM) for key in self.known if key.startswith(CUSTOM)}
        taken |= {use.custom_key for use in self.mapping.uses}
        for row in self.rows():
            for place, use_row in enumerate(row.uses):
                to = self.cleaned_data[use_row.to.name]
                if to == NEW_FIELD:
                    key = suggest.custom_key(row.column.name, taken)
                    taken.add(key)
                    label = row.column.name[:100]
                    kind = row.column.kind
                    yield Use(row.column.index, f"{CUSTOM}{key}", label=label, kind=kind)
                elif to:
                    yield self._answered(row.column, f"{row.column.index}_{place}", to)

    def _answered(self, column: Column, suffix: str, to: str) -> Use:
        data = self.cleaned_data
        before = next((u for u in self.mapping.uses_of(column.index) if u.to == to), None)
        values = {
            value: data[name]
            for index, value in enumerate(column.values)
            if data.get(name := f"value_{suffix}_{index}")
        }
        system = data.get(f"system_{suffix}", "").strip() or (before.system if before else "")
        if to == EXTERNAL_ID and not system:
            system = suggest.system_for(column, self.columns, self.mapping)
        return Use(
            column.index,
            to,
            system=system if to == EXTERNAL_ID else "",
            values=values or (before.values if before else {}),
            label=data.get(f"label_{suffix}", "").strip() or (before.label if before else ""),
            kind=data.get(f"kind_{suffix}", "") or (before.kind if before else ""),
        )


@dataclass(frozen=True)
class UseRow:
    """One use of a column on the page."""

    to: forms.BoundField
    details: list[forms.BoundField]
    values: list[forms.BoundField]


@dataclass(frozen=True)
class MappingRow:
    column: Column
    uses: list[UseRow]


class StartOverForm(forms.Form):
    """Another beginning for the mapping: a shipped one, or the headers read for a target."""

    begin_with = forms.ChoiceField(label=_("Begin with"), choices=lambda: beginnings())

    def __init__(self, job: Import, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.initial["begin_with"] = (
            f"preset:{job.preset}" if job.preset else f"target:{job.target}"
        )

    def keywords(self) -> dict[str, str]:
        kind, _colon, key = self.cleaned_data["begin_with"].partition(":")
        return {f"{kind}_key": key}


def beginnings() -> list:
    return [
        (_("What the file holds"), [(f"target:{t.key}", t.label) for t in targets.known()]),
        (_("A shipped mapping"), [(f"preset:{p.key}", p.label) for p in presets.known()]),
    ]
