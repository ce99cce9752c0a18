"""The paths: the state folder of one cluster, and the shared cache of built programs."""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1]
"""hack/devcluster itself."""


def cache_folder() -> Path:
    """Return the user's cache folder for this project (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tts-operator"


@dataclass(frozen=True)
class State:
    """The files of one cluster. `up` creates all of them again, except the image store."""

    root: Path

    @classmethod
    def of_environment(cls) -> "State":
        """Return the state folder that TTS_DEVCLUSTER_STATE names, else the user's default one."""
        chosen = os.environ.get("TTS_DEVCLUSTER_STATE")
        return cls(Path(chosen).expanduser().absolute() if chosen else cache_folder() / "devcluster")

    @cached_property
    def cgroup(self) -> str:
        """Name of the cluster's cgroup in every hierarchy; differs between state folders."""
        return "tts-devcluster-" + hashlib.sha256(str(self.root).encode()).hexdigest()[:8]

    @property
    def lock(self) -> Path:
        """Held while `up` or `down` works."""
        return self.root.with_name(self.root.name + ".lock")

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, which works inside the namespaces and outside."""
        return self.root / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """Every write request to the API server, one JSON document a line."""
        return self.root / "audit.log"

    @property
    def report(self) -> Path:
        """The supervisor's report about itself and its parts."""
        return self.root / "supervisor.json"

    @property
    def images(self) -> Path:
        """Store of containerd; `down` keeps it, so that images need not be loaded again."""
        return self.root / "containerd"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.root / "pki"

    @property
    def config(self) -> Path:
        """Configuration files of the parts."""
        return self.root / "config"

    @property
    def logs(self) -> Path:
        """One log a part."""
        return self.root / "logs"

    @property
    def etcd(self) -> Path:
        """Data of etcd."""
        return self.root / "etcd"

    @property
    def volumes(self) -> Path:
        """The folders behind PersistentVolumes."""
        return self.root / "volumes"

    @property
    def kubelet(self) -> Path:
        """Mounted on /var/lib/kubelet inside."""
        return self.root / "kubelet"

    @property
    def host_logs(self) -> Path:
        """Mounted on /var/log inside: the logs of pods are in here."""
        return self.root / "var-log"

    @property
    def cni(self) -> Path:
        """Mounted on /var/lib/cni inside."""
        return self.root / "cni"

    @property
    def port_file(self) -> Path:
        """The last start's port of the API server, which the next start tries first."""
        return self.root / "port"

    def log(self, part: str) -> Path:
        """The log of one part."""
        return self.logs / f"{part}.log"
