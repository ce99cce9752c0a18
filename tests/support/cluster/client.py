"""A pod of the cluster that asks services for speech by their DNS name."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.support.cluster.kubectl import Kubectl
from tests.support.cluster.manifests import python_pod

ASKER = Path(__file__).with_name("asker.py").read_text()
POD = "client"


@dataclass
class Load:
    """Requests that a pod sends for as long as a `with` block lasts; none is ever sent a second time."""

    process: "subprocess.Popen[str]"
    answers: dict[str, int] = field(default_factory=dict)
    """How many requests ended with each status, or with each failure; complete after the block."""

    def stop(self) -> None:
        """Send nothing more; what was sent may still be unanswered when this returns."""
        assert self.process.stdin
        if not self.process.stdin.closed:
            self.process.stdin.close()
            self.expect("stopped")

    def expect(self, line: str) -> None:
        """Wait for a line of the pod's."""
        assert self.process.stdout
        assert self.process.stdout.readline() == f"{line}\n", f"wanted to hear: {line}"

    @property
    def lost(self) -> dict[str, int]:
        """Whatever was neither audio nor a clean refusal for the moment."""
        return {status: count for status, count in self.answers.items() if status not in {"200", "429"}}


@dataclass(frozen=True)
class Client:
    """The asking pod."""

    kubectl: Kubectl

    @classmethod
    def start(cls, kubectl: Kubectl, image: str) -> Self:
        """Start the pod and wait for it."""
        kubectl.apply(python_pod(POD, image, "sleep", "infinity"))
        kubectl.wait("pod", POD, "--for=condition=Ready")
        return cls(kubectl)

    def speak(self, url: str, text: str) -> bytes:
        """The WAV file that this text is spoken as."""
        answer = json.loads(self.kubectl("exec", POD, "--", "python", "-c", ASKER, "speak", url, text, timeout=120))
        body = base64.b64decode(answer["body"])
        assert answer["status"] == "200", f"{answer['status']}: {body[:300]!r}"
        return body

    @contextmanager
    def steadily(self, url: str, text: str, clients: int = 2) -> Iterator[Load]:
        """Clients that ask one request after another."""
        with self._load("steadily", url, text, str(clients)) as load:
            yield load

    @contextmanager
    def burst(self, url: str, text: str, per_second: float) -> Iterator[Load]:
        """Requests in an open loop: they come at their rate, however slowly they are answered."""
        with self._load("burst", url, text, str(per_second)) as load:
            yield load

    @contextmanager
    def _load(self, *arguments: str) -> Iterator[Load]:
        command = self.kubectl.command("exec", "-i", POD, "--", "python", "-c", ASKER, *arguments)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            load = Load(process)
            try:
                load.expect("answered")
                yield load
                load.stop()
                assert process.stdout
                load.answers.update(json.loads(process.stdout.read()))
            finally:
                process.kill()
