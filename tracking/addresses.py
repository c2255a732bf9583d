"""IP addresses, shortened before anything is stored: they identify no one afterwards."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=8192)
def shorten_ip(text: str) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6; "" when it is no address."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    bits = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, bits), strict=False).network_address)
