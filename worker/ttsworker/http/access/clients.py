"""Find a client's address behind proxies: pure, from the connection's peer and the headers.

Only the header `X-Forwarded-For` counts, and only the entries that trusted proxies wrote. Each proxy appends the
address of its own client on the right; entries that the first client sent stay to the left of them.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from ttsworker.settings import Network

Address = IPv4Address | IPv6Address

UNKNOWN = "unknown"
"""Name of the one client for all requests without an address, for instance over a Unix socket."""

IPV6_PREFIX = 64
"""Bits that identify an IPv6 client: a single host gets a whole /64 and may use any address in it."""

MAX_PROXIES = 16
"""Limit of the entries to read: real chains are shorter, and a header of a megabyte stays cheap."""


def client_of(peer: str | None, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the client's name: an IPv4 address, or the /64 network of an IPv6 address.

    The client is the peer. If the peer is a trusted proxy, the client is the rightmost address in the `X-Forwarded-For`
    headers that is not a trusted proxy. An invalid entry ends the search: the proxy that passed it on is the client.
    """
    client = _address(peer or "")
    if client is None:
        return UNKNOWN
    for hop in _hops(forwarded_for):
        if not _is_trusted(client, trusted):
            break
        further = _address(hop)
        if further is None:
            break
        client = further
    return _name(client)


def _hops(forwarded_for: Sequence[str]) -> Iterator[str]:
    """Yield the entries from the right, the nearest first."""
    left = MAX_PROXIES
    for header in reversed(forwarded_for):
        for entry in reversed(header.rsplit(",", left)[-left:]):
            if left == 0:
                return
            left -= 1
            yield entry.strip()


def _address(text: str) -> Address | None:
    """Parse an address, also with the port that some proxies add: `1.2.3.4:5678`, `[2001:db8::1]:443`."""
    if text.startswith("["):
        text, closed, _ = text[1:].partition("]")
        if not closed:
            return None
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 clients as ::ffff:1.2.3.4.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _name(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, IPV6_PREFIX), strict=False))
