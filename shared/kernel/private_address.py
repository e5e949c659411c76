"""Which addresses are those of a store's own network: the chain's CA vouches for no others."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

PRIVATE_NETWORKS: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(each)
    for each in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
    )
)
"""RFC 1918, RFC 4193, loopback and link-local; fewer than Python's own `is_private`."""


def is_private(address: str) -> bool:
    """Whether an address (IPv4 or IPv6, as text) is one of them; ValueError for none."""
    found = ip_address(address)
    return any(found in network for network in PRIVATE_NETWORKS)
