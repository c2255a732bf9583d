"""A first mapping for a file: from a preset, or from what its headers are called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from leads.imports import words
from leads.imports.fields import CUSTOM, EXTERNAL_ID, Field, Kind
from leads.imports.mapping import Mapping, Use
from leads.imports.presets import Preset
from leads.imports.profile import Column
from leads.imports.values import folded, read_channel

# Columns our own error file adds; uploading it again must not map them.
OWN_COLUMNS = frozenset(("importrow", "importline", "importresult", "importproblems"))


def from_preset(preset: Preset, columns: Sequence[Column]) -> Mapping:
    return preset.mapping_for(columns)


def from_header(
    target: str, fields: dict[str, Field], vocabulary: dict[str, str], columns: Sequence[Column]
) -> Mapping:
    """Map each header that is a known word, each field once; the rest is left out."""
    system = words.system_of(column.name for column in columns)
    taken: set[str] = set()
    uses = []
    for column in columns:
        if folded(column.name) in words.NOT_MEANT.get(system, ()):
            continue
        key = _field_for(column, fields, vocabulary)
        if key and key not in taken:
            taken.add(key)
            uses.append(Use(column.index, key, system=system if key == EXTERNAL_ID else ""))
    return Mapping(target=target, uses=tuple(uses), unset=unset_in(columns))


def _field_for(column: Column, fields: dict[str, Field], vocabulary: dict[str, str]) -> str:
    word = folded(column.name)
    if word in OWN_COLUMNS:
        return ""
    key = vocabulary.get(word, "")
    if not key:
        key = next((f.key for f in fields.values() if folded(f.key) == word), "")
    if key not in fields:
        return ""
    # An account id or the like often shares its header with a name.
    return "" if fields[key].kind == Kind.MOMENT and column.date_orders is None else key


def unset_in(columns: Sequence[Column]) -> tuple[str, ...]:
    """The values in this file that exports write where nothing is known."""
    found = {
        value for column in columns for value in column.values if value.lower() in words.UNSET_WORDS
    }
    return tuple(sorted(found))


def value_for(kind: str, text: str) -> str:
    """What a value of a stage or channel column probably is; empty when nobody can tell."""
    if kind == Kind.CHANNEL:
        return read_channel(text) or ""
    return words.stage_of(text)


def custom_key(label: str, taken: set[str]) -> str:
    """A key for a new custom field, made of its label and not yet taken."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")[:44] or "field"
    key, number = stem, 1
    while key in taken:
        number += 1
        key = f"{stem}_{number}"
    return key


def is_custom(to: str) -> bool:
    return to.startswith(CUSTOM)


def system_for(column: Column, columns: Sequence[Column], mapping: Mapping) -> str:
    """A name for the system whose ids a column holds, not yet given to another column."""
    system = words.system_of(each.name for each in columns)
    if any(use.system == system for use in mapping.uses):
        return column.name[:50].lower()
    return system
