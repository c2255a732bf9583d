"""How text about leads is made searchable: in PostgreSQL's own means, without an extension."""

from __future__ import annotations

import unicodedata

from django.db.models import CharField, Func, Value

# Latin letters with a mark, beside the plain letters that a hurried hand types instead.
_MARKED = tuple(
    (letter, unicodedata.normalize("NFD", letter)[0])
    for letter in map(chr, range(0xC0, 0x250))
    if unicodedata.normalize("NFD", letter)[0].isascii()
)
_OTHERS = (("ø", "o"), ("Ø", "O"), ("ł", "l"), ("Ł", "L"), ("ß", "s"), ("ı", "i"))
_PAIRS = (*_MARKED, *_OTHERS)
MARKED_LETTERS = "".join(marked for marked, _plain in _PAIRS)
PLAIN_LETTERS = "".join(plain for _marked, plain in _PAIRS)


class Translate(Func):
    """PostgreSQL's translate(text, from, to): letter by letter."""

    function = "TRANSLATE"
    output_field = CharField()


def without_marks(column: str) -> Translate:
    """`Köhler` as `Kohler`: beside the original, so that both spellings find it."""
    return Translate(column, Value(MARKED_LETTERS), Value(PLAIN_LETTERS))


def in_words(column: str) -> Translate:
    """An e-mail address as words: a parser would take `acme-corp.example` for one."""
    return Translate(column, Value("@._+-"), Value("     "))
