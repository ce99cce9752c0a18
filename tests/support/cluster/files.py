"""A pod of the cluster that serves the embedded voice's model over HTTP, in good and in bad ways."""

from dataclasses import dataclass

from tests.support.cluster.kubectl import ROOT, Kubectl, Object
from tests.support.cluster.manifests import python_pod, service_of

PORT = 8000
PROGRAM = ROOT / "tests/support/fileserver.py"
# Where the worker image keeps its embedded voice is known to its own Python only.
SERVE_VOICE = """
import os, sys, hibari
os.execv(sys.executable, ["python", "/files/fileserver.py", "--root", os.path.dirname(hibari.__file__), *sys.argv[1:]])
"""
VOICE = "assets/hibari.onnx"
DIGEST_OF_VOICE = f"""
import hashlib, os, hibari
with open(os.path.join(os.path.dirname(hibari.__file__), "{VOICE}"), "rb") as voice:
    print(hashlib.file_digest(voice, "sha256").hexdigest())
"""


@dataclass(frozen=True)
class FileServer:
    """One server; its Service has the pod's name."""

    kubectl: Kubectl
    name: str
    sha256: str
    """Of the model."""

    @property
    def url(self) -> str:
        """Address of the model, from any pod."""
        return self.at(VOICE)

    def at(self, path: str) -> str:
        """Address of a file, from any pod."""
        return f"http://{self.name}.{self.kubectl.namespace}.svc:{PORT}/{path}"

    @property
    def model(self) -> Object:
        """spec.model for the embedded voice's model, by download."""
        return {"source": self.url, "sha256": self.sha256}

    def log(self) -> str:
        """What was asked of it, a line a request."""
        return self.kubectl("logs", self.name)


def serve_files(kubectl: Kubectl, name: str, image: str, *options: str) -> FileServer:
    """Start a server and wait until it is ready."""
    program = {"fileserver.py": PROGRAM.read_text()}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "files"}, "data": program}
    command = ["python", "-c", SERVE_VOICE, f"--port={PORT}", *options]
    kubectl.apply(config, python_pod(name, image, *command, files="files"), service_of(name, PORT))
    kubectl.wait("pod", name, "--for=condition=Ready")
    return FileServer(kubectl, name, kubectl("exec", name, "--", "python", "-c", DIGEST_OF_VOICE).strip())
