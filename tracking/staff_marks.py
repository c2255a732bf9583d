"""The secret by which colleagues leave themselves out: an address to open once in each browser.

The mark of a source is 20 hexadecimal digits made from the installation's secret key, so nobody
who reads a page of the website or its public key can guess it. Whoever guesses wrong, or says
`true`, says nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.utils.crypto import constant_time_compare, salted_hmac


@lru_cache(maxsize=1024)
def staff_mark(source_id: int) -> str:
    """What a colleague's browser says to a source. Secret: for colleagues only."""
    return salted_hmac("tracking.staff_marks", str(source_id), algorithm="sha256").hexdigest()[:20]


def is_staff_mark(source_id: int, said: Any) -> bool:
    """Whether what a browser said is the mark of that source."""
    return isinstance(said, str) and constant_time_compare(said, staff_mark(source_id))
