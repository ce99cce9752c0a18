"""`Range` on complete answers, as Safari's `<audio>` asks; the rules of RFC 9110."""

import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.serving import serving
from ttsworker.http.errors import ApiError
from ttsworker.http.ranges import wanted_bytes

LENGTH = 1000


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-1", range(2)), ("bytes=0-", range(1000)), ("bytes=0-999", range(1000)), ("bytes=0-5000", range(1000)),
        ("bytes=999-", range(999, 1000)), ("bytes=500-500", range(500, 501)), ("bytes=-1", range(999, 1000)),
        ("bytes=-1000", range(1000)), ("bytes=-99999", range(1000)), ("BYTES=2-3", range(2, 4)),
        ("bytes= 2-3 ", range(2, 4)), ("bytes=007-008", range(7, 9)), (f"bytes=0-{'9' * 900}", range(1000)),
    ],
)  # fmt: skip
def test_one_valid_range_gives_its_bytes(header: str, wanted: range) -> None:
    assert wanted_bytes(header, LENGTH) == wanted


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=5-4", "bytes=1-2,5-6", "bytes=0-0,-1",
     "seconds=0-1", "bytes=--1", "bytes=+1-2", "bytes=1.0-2", "bytes=1-2;", "0-1", "bytes:0-1", "bytes=\u0661-\u0662",
     "bytes=0x1-2", f"bytes={'9' * 5000}-", "bytes=1-2,", "bytes=1000-2,", "bytes=5000-6"],
)  # fmt: skip
def test_several_and_invalid_ranges_give_everything(header: str) -> None:
    assert wanted_bytes(header, LENGTH) is None


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", f"bytes={'9' * 900}-"])
def test_a_range_after_the_end(header: str) -> None:
    with pytest.raises(ApiError) as refused:
        wanted_bytes(header, LENGTH)
    assert (refused.value.status, refused.value.code) == (416, "range_not_satisfiable")
    assert refused.value.headers == {"Content-Range": "bytes */1000"}


@pytest.mark.parametrize(("path", "name"), [("/api/tts", "text"), ("/process", "INPUT_TEXT")])
async def test_safari_hears_it(path: str, name: str) -> None:
    """It asks for two bytes, then for all of them or for pieces."""
    query = {name: "The first one. " * 20}  # longer than one chunk
    async with serving(ArtificialEngine()) as served:
        whole = await served.client.get(path, params=query)
        total = len(whole.content)
        assert total > 2 * 65_536
        assert whole.headers["accept-ranges"] == "bytes"
        assert "content-range" not in whole.headers
        for first, last in (
            (0, 1),
            (0, total - 1),
            (1, 65_535),
            (65_530, 65_540),
            (65_536, 140_000),
            (total - 1, total - 1),
        ):
            part = await served.client.get(path, params=query, headers={"Range": f"bytes={first}-{last}"})
            assert part.status_code == 206
            assert part.headers["content-range"] == f"bytes {first}-{last}/{total}"
            assert part.headers["content-length"] == str(last + 1 - first)
            assert part.headers["content-type"] == "audio/wav"
            assert part.content == whole.content[first : last + 1]
        refused = await served.client.get(path, params=query, headers={"Range": f"bytes={total}-"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (416, "range_not_satisfiable")
        assert refused.headers["content-range"] == f"bytes */{total}"


async def test_a_range_counts_only_for_a_get_without_if_range() -> None:
    ask = {"Range": "bytes=0-1"}
    text = {"text": "Hello."}
    async with serving(ArtificialEngine()) as served:
        client = served.client
        whole = (await client.get("/api/tts", params=text)).content
        changed = await client.get("/api/tts", params=text, headers={**ask, "If-Range": '"an-old-one"'})
        assert (changed.status_code, changed.content) == (200, whole)
        several = await client.get("/api/tts", params=text, headers=[("Range", "bytes=0-1"), ("Range", "bytes=5-6")])
        assert (several.status_code, several.content) == (200, whole)
        for answer in (
            await client.post("/api/tts", data=text, headers=ask),
            await client.post("/v1/audio/speech", json={"input": "Hello.", "stream": False}, headers=ask),
            await client.post("/v1/audio/speech", json={"input": "Hello. And more."}, headers=ask),
            await client.get("/v1/models", headers=ask),
        ):
            assert answer.status_code == 200
            assert "accept-ranges" not in answer.headers
        head = await client.head("/api/tts", params=text, headers=ask)
        assert (head.status_code, head.headers["accept-ranges"]) == (200, "bytes"), "as a GET would take them"
