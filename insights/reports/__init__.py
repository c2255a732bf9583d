"""Named and commented SQL. `load("stays", leads="…")` fills the {places} of stays.sql."""

from functools import cache
from pathlib import Path


def load(name: str, **places: str) -> str:
    """The statement in <name>.sql. `places` must be SQL of our own, never a user's input."""
    statement = _statement(name)
    for place, sql in places.items():
        statement = statement.replace("{" + place + "}", sql)
    return statement


@cache
def _statement(name: str) -> str:
    lines = (Path(__file__).parent / f"{name}.sql").read_text().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))
