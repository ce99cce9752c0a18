"""Who a client is, whatever it writes into its headers."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsworker.http.access.clients import MAX_PROXIES, UNKNOWN, client_of
from ttsworker.settings import parse_networks

PROXIES = parse_networks(["10.0.0.0/8", "fd00::/8"])
CLIENT, PROXY = "203.0.113.9", "10.1.2.3"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (CLIENT, [], CLIENT),
        (PROXY, [], PROXY),
        (PROXY, [CLIENT], CLIENT),
        (PROXY, [f"{CLIENT}, 10.9.9.9"], CLIENT),  # through two proxies
        (PROXY, [CLIENT, "10.9.9.9"], CLIENT),  # each with a header of its own
        (PROXY, [f" {CLIENT} ,10.9.9.9 "], CLIENT),
        (PROXY, [f"{CLIENT}:4711"], CLIENT),
        (PROXY, ["[2001:db8:1:2::9]:443"], "2001:db8:1:2::/64"),
        (PROXY, ["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        ("fd00::1", [CLIENT], CLIENT),
        ("::ffff:10.1.2.3", [f"::ffff:{CLIENT}"], CLIENT),  # as a socket for both kinds shows IPv4
        ("fe80::1%eth0", [], "fe80::/64"),
        (PROXY, ["10.7.7.7"], "10.7.7.7"),  # a client among the proxies
        (None, [CLIENT], UNKNOWN),
        ("", [], UNKNOWN),
        ("testclient", [], UNKNOWN),
    ],
)
def test_the_client_behind_proxies(peer: str | None, forwarded: list[str], client: str) -> None:
    assert client_of(peer, forwarded, PROXIES) == client


@pytest.mark.parametrize(
    "forged",
    [
        "1.2.3.4",
        "10.0.0.1",
        "1.2.3.4, 5.6.7.8",
        "unknown",
        "",
        ",,,",
        "1.2.3.4, ",
        "for=1.2.3.4",
        "\xff\x00",
        "127.0.0.1",
    ],
)
def test_what_a_client_writes_itself_has_no_effect(forged: str) -> None:
    assert client_of(CLIENT, [forged], PROXIES) == CLIENT  # asking directly
    assert client_of(PROXY, [f"{forged}, {CLIENT}"], PROXIES) == CLIENT  # the proxy appends
    assert client_of(PROXY, [forged, CLIENT], PROXIES) == CLIENT  # the proxy adds a header


@pytest.mark.parametrize("garbage", ["unknown", "", "1.2.3", "_hidden", "1.2.3.4.5", "[::1", "999.1.1.1"])
def test_what_is_no_address_leaves_the_proxy_that_passed_it_on(garbage: str) -> None:
    assert client_of(PROXY, [f"1.2.3.4, {garbage}"], PROXIES) == PROXY


def test_nobody_is_trusted_by_default() -> None:
    assert client_of(PROXY, [CLIENT], ()) == PROXY
    assert client_of("127.0.0.1", [CLIENT], ()) == "127.0.0.1"


def test_no_more_proxies_are_followed_than_anybody_chains() -> None:
    chain = ", ".join([CLIENT] + ["10.5.5.5"] * (MAX_PROXIES - 1))
    assert client_of(PROXY, [chain], PROXIES) == CLIENT
    assert client_of(PROXY, [f"{chain}, 10.5.5.5"], PROXIES) == "10.5.5.5"
    assert client_of(PROXY, [CLIENT] + ["10.5.5.5"] * MAX_PROXIES, PROXIES) == "10.5.5.5"
    assert client_of(PROXY, ["10.5.5.5," * 100_000], PROXIES) == PROXY


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_host_with_a_whole_ipv6_network_is_one_client(one: int, other: int) -> None:
    network = 0x20010DB8_00010002 << 64
    assert client_of(str(IPv6Address(network | one)), [], ()) == client_of(str(IPv6Address(network | other)), [], ())
    assert client_of(str(IPv6Address(network + (1 << 64) | one)), [], ()) == "2001:db8:1:3::/64"


addresses = st.ip_addresses().map(str)


@given(peer=addresses | st.text(max_size=20) | st.none(), forwarded=st.lists(st.text(max_size=60), max_size=4))
def test_no_header_is_too_strange(peer: str | None, forwarded: list[str]) -> None:
    assert client_of(peer, forwarded, PROXIES)


@given(
    forged=st.lists(addresses | st.text(max_size=30), max_size=5),
    client=st.ip_addresses(v=4).filter(lambda address: address not in PROXIES[0]),
    proxies=st.lists(st.integers(0, 2**24 - 1).map(lambda host: str(IPv4Address((10 << 24) + host))), max_size=5),
)
def test_the_rightmost_address_that_is_no_proxy_wins(
    forged: list[str], client: IPv4Address, proxies: list[str]
) -> None:
    header = ", ".join([*forged, str(client), *proxies])
    assert client_of(PROXY, [header], PROXIES) == str(client)


@pytest.mark.parametrize("wrong", ["10.0.0.0/33", "10.0.0.1/8", "proxy.example.org", "", "10.0.0.0/8/8", "fd00::/200"])
def test_a_wrong_network_is_named(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"is not a network .*: write it like 10\.0\.0\.0/8") as error:
        parse_networks(["10.0.0.0/8", wrong])
    assert repr(wrong) in str(error.value)
