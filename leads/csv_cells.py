"""CSV that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils import timezone

# Also the full-width twins that some spreadsheets treat alike.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"  # without it, spreadsheets guess a wrong encoding
PIECE = 64_000  # characters of a piece of a streamed file


def safe_cell(value: object) -> str:
    """The text of one cell. Text that a spreadsheet would run gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if isinstance(value, str) and _looks_like_formula(text):
        return f"'{text}"
    return text


def _looks_like_formula(text: str) -> bool:
    visible = next((i for i, character in enumerate(text) if not _is_unseen(character)), 0)
    return text.startswith(FORMULA_STARTS) or text.startswith(FORMULA_STARTS, visible)


def _is_unseen(character: str) -> bool:
    """White space, control characters, and marks such as U+FEFF that spreadsheets pass over."""
    return character.isspace() or unicodedata.category(character)[0] in "CZ"


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_pieces(header: Iterable[object], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """RFC 4180 text for a streamed answer, in pieces of many lines.

    The server hands each piece from Django's thread to its event loop and waits until it is
    taken: done for every line, that took far longer than to make the line.
    """
    piece, size = [], 0
    for line in _lines(header, rows):
        piece.append(line)
        size += len(line)
        if size >= PIECE:
            yield "".join(piece)
            piece, size = [], 0
    if piece:
        yield "".join(piece)


def _lines(header: Iterable[object], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + writer.writerow([safe_cell(cell) for cell in header])
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])
