"""IP addresses, shortened before anything is stored: they identify no one afterwards."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

NAMES = ("ip", "ip_address")  # what properties and traits with an address are called


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


def shorten_addresses(said: dict[str, Any]) -> None:
    """Shorten the addresses among clean properties or traits; what is none goes, too."""
    for name in NAMES:
        if name in said:
            network = shorten_ip(str(said.pop(name))[:64])
            if network:
                said[name] = network
