"""Every text for people in our own code, so that no language falls behind.

Django's makemessages needs the gettext programs; this does with Babel what it does,
on a machine that has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "gettext_noop": None,
    "_": None,
}
# As Django's templatize writes them: _("…"), gettext('…'), npgettext('…', '…', '…',count).
TEXT = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"\b(?:_|n?p?gettext)\({TEXT}(?:,\s*{TEXT})*(?:,\s*count)?\)")
OWN_FOLDERS = (
    "funnel_app",
    "insights",
    "sales",
    "scoring",
    "tracking",
    "leads",
    "users",
    "templates",
)


def _sources() -> Iterator[Path]:
    for folder in OWN_FOLDERS:
        root = settings.ROOT / folder
        yield from sorted([*root.rglob("*.py"), *root.rglob("*.html"), *root.rglob("*.txt")])


def _calls_in_template(source: str) -> str:
    """The template's texts as a Python source of gettext calls, one a line."""
    return "\n".join(call.group() for call in CALL.finditer(templatize(source)))


def collect() -> Catalog:
    """All texts of the code and the templates, with the places they stand at."""
    catalog = Catalog(project="funnel", charset="utf-8")
    for path in _sources():
        source = path.read_text()
        if path.suffix != ".py":
            source = _calls_in_template(source)
        found = extract("python", BytesIO(source.encode()), KEYWORDS, comment_tags=("Translators",))
        place = str(path.relative_to(settings.ROOT))
        for _line, message, comments, context in found:
            catalog.add(message, locations=[(place, 0)], auto_comments=comments, context=context)
    return catalog


def catalog_path(language: str) -> Path:
    return settings.ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read_catalog(language: str) -> Catalog:
    path = catalog_path(language)
    if not path.exists():
        return Catalog(locale=language, project="funnel", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> Catalog:
    """Bring the language's file up to date: new texts empty, texts no longer used left out."""
    catalog = read_catalog(language)
    catalog.update(collect(), no_fuzzy_matching=True)
    catalog.fuzzy = False
    catalog.header_comment = "# All texts; `manage.py update_translations` keeps the list."
    path = catalog_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=100, ignore_obsolete=True, include_lineno=False)
    return catalog


def missing(language: str) -> list[str]:
    """The texts that have no translation into `language` yet."""
    known = read_catalog(language)
    return [
        str(message.id)
        for message in collect()
        if message.id and not _is_translated(known.get(_first(message.id), message.context))
    ]


def _first(message_id: str | list[str] | tuple[str, ...]) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


def _is_translated(message) -> bool:
    if message is None or message.fuzzy:
        return False
    parts = [message.string] if isinstance(message.string, str) else message.string
    return bool(parts) and all(parts)
