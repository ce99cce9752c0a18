"""Asks a speech service for audio from inside a pod, without ever trying again. Run as `python -c <this> COMMAND …`.

Standard library only: it runs in whatever pod has a Python. Results are JSON on standard output.
"""

import base64
import http.client
import itertools
import json
import sys
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit


def ask(url: str, text: str, seconds: float = 300) -> tuple[str, bytes]:
    """One request on a connection of its own: its status (or what went wrong) and the body."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=seconds)
    question = json.dumps({"model": "tts-1", "input": text, "response_format": "wav"})
    headers = {"Content-Type": "application/json", "Connection": "close"}
    try:
        connection.request("POST", "/v1/audio/speech", question, headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 429 and not answer.headers.get("Retry-After"):
            return "429 without Retry-After", body
        if answer.status == 200 and not (answer.headers.get("Content-Type") == "audio/wav" and body[:4] == b"RIFF"):
            return "200 without audio", body
        return str(answer.status), body
    except (OSError, http.client.HTTPException) as error:  # a lost request is a result here, not an accident
        return f"{type(error).__name__}: {error}", b""
    finally:
        connection.close()


def speak(url: str, text: str) -> None:
    """Print one answer with its body in base64."""
    status, body = ask(url, text)
    print(json.dumps({"status": status, "body": base64.b64encode(body).decode()}))


class Tally:
    """Counts answers by their status, and says so once something was answered."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.lock = threading.Lock()

    def one(self, url: str, text: str) -> None:
        status, body = ask(url, text)
        if status not in ("200", "429"):
            status = f"{status} ({body[:200].decode(errors='replace')})"
        with self.lock:
            if not self.counts:
                print("answered", flush=True)
            self.counts[status] = self.counts.get(status, 0) + 1


NUMBERS = itertools.count(1)


def _unheard(text: str) -> str:
    """The text with a number in each sentence, so that none of them is known from an earlier request."""
    number = next(NUMBERS)
    return " ".join(f"{sentence} {number}." for sentence in text.rstrip(".").split(". "))


def steadily(url: str, text: str, clients: str) -> None:
    """Some clients ask one after the other until standard input closes; then come the counts."""
    tally, stop = Tally(), threading.Event()

    def client() -> None:
        while not stop.is_set():
            tally.one(url, _unheard(text))
            time.sleep(0.05)

    threads = [threading.Thread(target=client) for _ in range(int(clients))]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stop.set()
    print("stopped", flush=True)
    for thread in threads:
        thread.join()
    print(json.dumps(tally.counts))


def burst(url: str, text: str, per_second: str) -> None:
    """Open loop: a request every so often, whatever became of the earlier ones, until standard input closes."""
    tally, stop = Tally(), threading.Event()
    threads = []

    def send() -> None:
        while not stop.wait(1 / float(per_second)):
            threads.append(threading.Thread(target=tally.one, args=(url, _unheard(text))))
            threads[-1].start()

    sender = threading.Thread(target=send)
    sender.start()
    sys.stdin.read()
    stop.set()
    sender.join()
    print("stopped", flush=True)
    for thread in threads:
        thread.join()
    print(json.dumps(tally.counts))


if __name__ == "__main__":
    COMMANDS: dict[str, Callable[..., None]] = {"speak": speak, "steadily": steadily, "burst": burst}
    COMMANDS[sys.argv[1]](*sys.argv[2:])
