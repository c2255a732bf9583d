"""One spelling of an e-mail address, wherever it comes from."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

LONGEST_EMAIL = 254  # characters


@lru_cache(maxsize=4096)
def normalised(text: str) -> str:
    """The address trimmed and in lower case, its domain as the name service knows it; "" when it
    is none.

    Full-width and other look-alikes of a letter are that letter (NFKC), and what is not ASCII
    afterwards is spelled in it (IDNA). So two spellings of one domain are one address.
    """
    mailbox, at, domain = text.strip().lower().rpartition("@")
    try:
        email = f"{mailbox}{at}{_ascii(domain)}"
        validate_email(email)
    except (ValidationError, UnicodeError):
        return ""
    return email if len(email) <= LONGEST_EMAIL else ""


def _ascii(domain: str) -> str:
    if domain.isascii():
        return domain
    return unicodedata.normalize("NFKC", domain).encode("idna").decode().lower()
