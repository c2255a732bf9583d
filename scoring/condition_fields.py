"""A form for conditions without JSON and without scripts: rows of field, operator, value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scoring.conditions import MOST_CONDITIONS
from scoring.vocabulary import EVENT_FIELDS, LEAD_FIELDS, OPERATORS, Axis
from users.json_text import JSONText

PARTS = ("field", "name", "operator", "value")
BLANK_ROWS = 2
# Fields with a name that people choose; it stands in the second column.
NAMED = {
    Axis.FIT: {"custom.": _("own field of leads"), "account.custom.": _("own field of accounts")},
    Axis.INTEREST: {"properties.": _("property of events")},
}


class TypedRows(list[dict[str, str]]):
    """What was typed into the rows, as it was typed."""


class ConditionRows(forms.Widget):
    """Rows of drop-downs. `axis` says whose fields the stored conditions name."""

    axis: str = Axis.FIT

    class Media:
        css = {"all": ("css/conditions.css",)}

    def render(
        self, name: str, value: Any, attrs: dict | None = None, renderer: Any = None
    ) -> SafeString:
        rows = value if isinstance(value, TypedRows) else self._stored(value)
        shown = [*rows, *({} for _n in range(BLANK_ROWS))][:MOST_CONDITIONS]
        return format_html_join(
            "",
            '<div class="condition" role="group" aria-label="{}">{}</div>',
            (
                (_("Condition %(number)s") % {"number": n + 1}, self._line(name, n, row))
                for n, row in enumerate(shown)
            ),
        )

    def _stored(self, conditions: Any) -> Iterable[dict[str, str]]:
        for condition in conditions if isinstance(conditions, list) else []:
            prefix, name = _split(str(condition.get("field")))
            value = condition.get("value")
            values = value if isinstance(value, list) else [] if value is None else [value]
            yield {
                "field": f"{self.axis}:{prefix}",
                "name": name,
                "operator": condition.get("operator", ""),
                "value": "\n".join(map(str, values)),
            }

    def _line(self, name: str, number: int, row: dict[str, str]) -> SafeString:
        widgets: dict[str, forms.Widget] = {
            "field": forms.Select(choices=_fields()),
            "name": forms.TextInput(attrs={"size": 14, "maxlength": 50}),
            "operator": forms.Select(choices=_operators()),
            "value": forms.Textarea(attrs={"rows": 2, "cols": 34}),
        }
        labels = (_("Field"), _("its name"), _("asks whether it"), _("values, one a line"))
        parts = []
        for label, (part, widget) in zip(labels, widgets.items(), strict=True):
            field_id = f"id_{name}-{number}-{part}"
            field = widget.render(f"{name}-{number}-{part}", row.get(part, ""), {"id": field_id})
            parts.append((part, field_id, label, field))
        return format_html_join(
            "", '<div class="condition-{}"><label for="{}">{}</label>{}</div>', parts
        )

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        if name in data:
            return data.get(name)
        rows = (
            {part: data.get(f"{name}-{number}-{part}", "").strip() for part in PARTS}
            for number in range(MOST_CONDITIONS)
        )
        return TypedRows(row for row in rows if any(row.values()))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return f"{id_}-0-field"


def _fields() -> list:
    groups: list = [("", "–")]
    for axis, fields in ((Axis.FIT, LEAD_FIELDS), (Axis.INTEREST, EVENT_FIELDS)):
        known = [(f"{axis}:{name}", str(field.label)) for name, field in fields.items()]
        named = [(f"{axis}:{prefix}", f"{label} …") for prefix, label in NAMED[axis].items()]
        groups.append((str(axis.label), [*known, *named]))
    return groups


def _operators() -> list[tuple[str, str]]:
    return [("", "–"), *((o, str(op.phrase) % {"value": "…"}) for o, op in OPERATORS.items())]


def _split(field: str) -> tuple[str, str]:
    """custom.tier → ("custom.", "tier"); title → ("title", "")"""
    for prefix in (prefix for named in NAMED.values() for prefix in named):
        if field.startswith(prefix):
            return prefix, field.removeprefix(prefix)
    return field, ""


class ConditionsField(forms.Field):
    """Conditions of a signal, as JSON values. Also takes the JSON itself, as text.

    Refuses in whole sentences that name the row; conditions.py judges what they mean.
    """

    widget = ConditionRows

    def __init__(self, **options: Any) -> None:
        options.setdefault(
            "help_text",
            gettext_lazy(
                "All must hold. Several values: one a line, any of which will do. A range: two "
                "lines, from and to. In a pattern * stands for anything. Save to get more rows."
            ),
        )
        super().__init__(**options)
        self.axis: str = Axis.FIT

    def to_python(self, value: Any) -> list[dict]:
        if not isinstance(value, TypedRows):
            return JSONText(required=False).clean(value) or []
        problems, conditions = [], []
        for number, row in enumerate(value, start=1):
            try:
                conditions.append(self._condition(row))
            except ValidationError as error:
                sentence = _("Condition %(number)s: %(problem)s")
                problems.append(sentence % {"number": number, "problem": error.message})
        if problems:
            raise ValidationError(problems)
        return conditions

    def _condition(self, row: dict[str, str]) -> dict:
        axis, _colon, field = row["field"].partition(":")
        if not field:
            raise ValidationError(_("choose a field."))
        if axis != self.axis:
            raise ValidationError(
                _("this field belongs to the axis “%(axis)s”.")
                % {"axis": dict(Axis.choices).get(axis, axis)}
            )
        if row["operator"] not in OPERATORS:
            raise ValidationError(_("choose what to ask of the field."))
        if field in NAMED[Axis(axis)] and not row["name"]:
            raise ValidationError(_("say which one, in the column “its name”."))
        condition = {"field": f"{field}{row['name']}", "operator": row["operator"]}
        value = _value(row["value"], OPERATORS[row["operator"]].takes)
        return condition if value is None else condition | {"value": value}

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != (initial or [])
        except ValidationError:
            return True


def _value(text: str, takes: str) -> Any:
    """What was typed, in the shape that the operator takes. Raises ValidationError."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if takes == "nothing":
        if lines:
            raise ValidationError(_("this question takes no value."))
        return None
    if takes == "texts" and lines:
        return lines
    if takes == "range":
        if len(lines) != 2:
            raise ValidationError(_("write the range in two lines, from and to."))
        return [_number(line) for line in lines]
    if len(lines) != 1:
        raise ValidationError(_("write one value.") if takes != "texts" else _("write a value."))
    return _number(lines[0]) if takes == "number" else lines[0]


def _number(text: str) -> int | float | str:
    """A number as JSON keeps it; other text as it is, for conditions.py to refuse."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
