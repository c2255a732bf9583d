"""SQL that reads texts by the dictionaries: once for each distinct text, not for each lead.

meanings.py says the same in Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scoring.conditions import Parameters
from scoring.letters import is_plain_sql, lowered_sql
from scoring.meanings import Words, form_patterns, pattern_of, title_pattern_of
from scoring.vocabulary import LEAD_FIELDS, Seniority

PEOPLE = "FROM leads_lead l LEFT JOIN leads_account a ON a.id = l.account_id"


def tidied(text_sql: str) -> str:
    """meanings.tidy"""
    lowered = lowered_sql(f"({text_sql})::text")
    return f"""btrim(regexp_replace({lowered} COLLATE "C", ' +', ' ', 'g'), ' ')"""


def joins(names: Iterable[str], which_sql: str, words: Words, parameters: Parameters) -> str:
    """LEFT JOINs that give the fields of these names their columns, for the chosen leads.

    `which_sql` stands after `l.id`. Fields that no dictionary explains need none.
    """
    return "".join(
        _join(name, which_sql, words, parameters)
        for name in sorted(set(names))
        if name in LEAD_FIELDS and LEAD_FIELDS[name].source
    )


def _join(name: str, which_sql: str, words: Words, parameters: Parameters) -> str:
    source = f'({LEAD_FIELDS[name].source}) COLLATE "C"'
    # Texts are tidied once each; the leads find theirs as it was written. OFFSET 0 keeps
    # PostgreSQL from reading a text once for each lead that has it.
    return f"""
          LEFT JOIN (SELECT written, {_meaning(name, words, parameters)} AS meaning
                       FROM (SELECT written, {tidied("written")} AS text
                               FROM (SELECT DISTINCT {source} AS written {PEOPLE}
                                      WHERE l.id {which_sql} OFFSET 0) known
                              WHERE written IS NOT NULL OFFSET 0) texts OFFSET 0) w_{name}
                 ON w_{name}.written = {source}"""


def _meaning(name: str, words: Words, parameters: Parameters) -> str:
    if name == "seniority":
        return _highest(words.seniorities, parameters)
    if name == "department":
        return _first(words.departments, parameters)
    if name == "canonical_industry":
        first = _first(words.industries, parameters)
        return f"coalesce({first}, nullif(text, ''))"
    return _bare(words, parameters)


def _highest(words: Mapping[str, str], parameters: Parameters) -> str:
    pattern = title_pattern_of(words)
    branches = []
    for level in Seniority:
        its_words = sorted(word for word, meant in words.items() if meant == level)
        if its_words:
            bound = parameters.bind(its_words)
            branches.append(f"WHEN found && {bound}::text[] THEN '{level.value}'")
    if pattern is None or not branches:
        return "NULL::text"
    # No other word is in a text of plain ASCII, and to look for fewer takes half the time.
    plain = title_pattern_of({word: words[word] for word in words if word.isascii()}) or pattern
    fitting = f"""CASE WHEN {is_plain_sql("text")} THEN {parameters.bind(plain)}
                       ELSE {parameters.bind(pattern)} END"""
    matches = f"regexp_matches(text, {fitting}, 'g')"
    return f"""(SELECT CASE {" ".join(branches)} END
                  FROM (SELECT ARRAY(SELECT g[1] FROM {matches} g) AS found OFFSET 0) f)"""


def _first(words: Mapping[str, str], parameters: Parameters) -> str:
    pattern = pattern_of(words)
    if pattern is None:
        return "NULL::text"
    known, meant = parameters.bind(list(words)), parameters.bind(list(words.values()))
    return f"""(SELECT ({meant}::text[])[array_position({known}::text[], g[1] COLLATE "C")]
                  FROM regexp_matches(text, {parameters.bind(pattern)}) g)"""


def _bare(words: Words, parameters: Parameters) -> str:
    in_front, behind = map(parameters.bind, form_patterns(words))
    name = "btrim(regexp_replace(text, '[ .,\t\r\n]+', ' ', 'g'), ' ')"
    without = f"regexp_replace(regexp_replace({name}, {in_front}, ''), {behind}, '')"
    return f"nullif(btrim({without}, ' '), '')"
