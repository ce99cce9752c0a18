"""The page's files over plain HTTP: their types, their headers, and that there are no others."""

import http.client
import re
import subprocess
import sys
from importlib.resources import files
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.worker.serving import WorkerProcess

WEB = files("ttsworker.http").joinpath("web")
NAMES = sorted(each.name for each in WEB.iterdir() if each.name != "index.html")
KINDS = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}


def policy(answer: httpx.Response) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";")]
    return {name: value for name, _, value in parts}


def test_the_page_comes_with_a_strict_policy_and_without_cookies(api: httpx.Client) -> None:
    answer = api.get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    allowed = policy(answer)
    assert allowed["default-src"] == "'self'"
    assert allowed["media-src"] == "'self' blob:"
    assert {allowed[name] for name in ("object-src", "base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", NAMES)
def test_every_file_has_its_type_and_the_same_protection(api: httpx.Client, name: str) -> None:
    answer = api.get(f"/web/{name}")
    assert answer.content == WEB.joinpath(name).read_bytes()
    assert answer.headers["content-type"] == KINDS[name.rpartition(".")[2]]
    page = api.get("/")
    for header in ("content-security-policy", "x-content-type-options", "cache-control"):
        assert answer.headers[header] == page.headers[header]


def test_nothing_is_inline_or_from_elsewhere() -> None:
    index = WEB.joinpath("index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", index) == []
    for name in ["index.html", *NAMES]:
        addresses = re.findall(r"""(?:https?:)?//[\w.-]+\.\w+""", WEB.joinpath(name).read_text())
        assert [address for address in addresses if address != "http://www.w3.org"] == [], name


@pytest.mark.parametrize("path", ["/", "/web/app.js"])
def test_a_file_is_sent_again_only_when_it_has_changed(api: httpx.Client, path: str) -> None:
    first = api.get(path)
    assert first.headers["cache-control"] == "no-cache"
    same = api.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
    assert api.get(path, headers={"If-None-Match": '"another"'}).content == first.content


def test_head_has_the_headers_alone(api: httpx.Client) -> None:
    answer = api.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(api.get("/").content))


@pytest.mark.parametrize("name", ["", "index.html", "nothing.js", "app.js/x", "APP.JS", "app.js%00.css"])
def test_a_file_that_is_not_there_is_404_in_the_usual_shape(api: httpx.Client, name: str) -> None:
    answer = api.get(f"/web/{name}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path", ["/web/../app.py", "/web/..%2fapp.py", "/web/%2e%2e/app.py", "/web//etc/passwd", "/web/..\\app.py"]
)
def test_no_path_leads_out_of_the_folder(hibari: WorkerProcess, path: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(hibari.url).netloc)  # it sends a path as it is
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"import" not in answer.read()
    connection.close()


def test_the_page_is_told_what_it_has_to_know(api: httpx.Client) -> None:
    assert api.get("/web/page.json").json() == {"model": "hibari", "languages": [], "max_text_length": 4096}


def test_a_worker_that_has_no_model_yet_shows_the_page_all_the_same() -> None:
    program = """
from ttsworker.http.app import create_app
from ttsworker.settings import Settings
from ttsworker.worker import Worker
import asyncio, httpx
async def main():
    transport = httpx.ASGITransport(create_app(Worker(Settings()).parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://worker") as client:
        print([(await client.get(path)).status_code for path in ("/", "/web/app.js", "/web/page.json")])
asyncio.run(main())
"""
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[200, 200, 503]"


def test_the_apis_description_leaves_the_page_out(api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    assert "/v1/audio/speech" in paths
    assert not [path for path in paths if path == "/" or path.startswith("/web")]
