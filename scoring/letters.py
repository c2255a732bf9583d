"""Letters as dictionaries read them: one table of capitals for Python and SQL; what ends a word.

A table of our own, because neither `lower()` of a server's locale nor Python's newest
Unicode says the same everywhere. Each capital becomes exactly one letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from re import escape

# Basic Latin, Latin-1, Latin Extended-A, Greek, Cyrillic, and the capital ß.
_BLOCKS = ((0x41, 0x5A), (0xC0, 0x17F), (0x370, 0x3FF), (0x400, 0x4FF), (0x1E9E, 0x1E9E))


def _capitals() -> Iterator[tuple[str, str]]:
    for first, last in _BLOCKS:
        for letter in map(chr, range(first, last + 1)):
            small = letter.lower()
            if small != letter and len(small) == 1:
                yield letter, small


_PAIRS = dict(_capitals())
CAPITALS, SMALL = "".join(_PAIRS), "".join(_PAIRS.values())
_TABLE = str.maketrans(_PAIRS)
# What is part of a Latin word: “negócio” has no “cio”.
LATIN = "a-z0-9_ß-öø-ɏ"
HANGUL = "가-힣"


def lowered(text: str) -> str:
    """Capital letters of the table as small ones; all else as it is."""
    return text.translate(_TABLE)


def is_plain_sql(text_sql: str) -> str:
    """Whether a text is plain ASCII: then cheaper ways give the same."""
    return f"octet_length({text_sql}) = char_length({text_sql})"


def lowered_sql(text_sql: str) -> str:
    """The same as `lowered` in SQL. translate() is slow, so texts of plain ASCII go without it."""
    return f"""CASE WHEN {is_plain_sql(text_sql)}
              THEN lower(({text_sql}) COLLATE "C")
              ELSE translate({text_sql}, '{CAPITALS}', '{SMALL}') END"""


def whole_words(words: Iterable[str]) -> str:
    """A regular expression for any of the words, the longest first, so that it is found.

    It means the same to PostgreSQL and to Python. Latin letters beside a Korean word, and
    Korean ones beside a Latin word, do no harm: “IT팀” has the word “it”, “영업부” has “영업”.
    """
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return f"(?<![{LATIN}])({'|'.join(map(escape, longest_first))})(?![{LATIN}])"


def words_at_the_end(words: Iterable[str]) -> str:
    """The same for titles of people, whose Korean words must end: “주차장관리” has no “주차장”.

    A Korean title stands at the end of a word, with 님 or without: “영업팀장님”, “IT팀장”.
    """
    ordered = sorted(words, key=lambda word: (_is_hangul(word[0]), -len(word), word))
    runs = groupby(ordered, key=lambda word: (_is_hangul(word[0]), _is_hangul(word[-1])))
    return f"({'|'.join(_run(some, *edges) for edges, some in runs)})"


def _run(words: Iterable[str], starts_korean: bool, ends_korean: bool) -> str:
    start = "" if starts_korean else f"(?<![{LATIN}])"
    end = f"(?=님?(?:[^{LATIN}{HANGUL}]|$))" if ends_korean else f"(?![{LATIN}])"
    return f"{start}(?:{'|'.join(map(escape, words))}){end}"


def _is_hangul(letter: str) -> bool:
    return "가" <= letter <= "힣"
