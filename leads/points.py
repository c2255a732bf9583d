"""Points of a score: decimals with two places, stored as whole hundredths."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models

PLACES = 2


class PointsField(models.DecimalField):
    """A Decimal with two places in Python and in forms, an `integer` of hundredths in PostgreSQL.

    Whole numbers are compared, sorted and written several times as fast as `numeric`, which
    tells where all scores change at once. Raw SQL divides by 100.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"max_digits": 9} | kwargs | {"decimal_places": PLACES}))

    def db_type(self, connection) -> str:
        return "integer"

    def cast_db_type(self, connection) -> str:
        return "integer"

    def get_db_prep_value(self, value, connection, prepared: bool = False):
        if value is None or hasattr(value, "as_sql"):
            return value
        hundredths = Decimal(self.to_python(value)).scaleb(PLACES)
        return int(hundredths.to_integral_value(ROUND_HALF_UP))

    def get_db_prep_save(self, value, connection):
        return self.get_db_prep_value(value, connection)

    def from_db_value(self, value, expression, connection) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-PLACES)
