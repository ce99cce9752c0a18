"""The operator as a process beside the cluster, with the rights of the installed one, that can be killed at a write."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.cluster.installed import NAMESPACE, RELEASE
from tests.support.cluster.kubectl import PATIENCE, Object
from tests.support.cluster.proxy import Writes, counting
from tests.support.cluster.tenant import Tenant
from tests.support.program import free_port


class OperatorProcess:
    """Serves one namespace, whose Lease it holds. `program` is the module to run, `starts` how often it was started."""

    def __init__(self, tenant: Tenant, folder: Path, worker_image: str, program: str = "ttsoperator") -> None:
        self.log = folder / "operator.log"
        self._tenant = tenant
        self._folder = folder
        self._image = worker_image
        self._program = program
        self.starts = 0
        self._token = tenant.within(NAMESPACE)("create", "token", RELEASE, "--duration=1h").strip()
        view: Object = json.loads(tenant("config", "view", "--raw", "--minify", "-o", "json"))
        self._cluster: Object = view["clusters"][0]["cluster"]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    @contextmanager
    def running(self, kill_after: int | None) -> Iterator[Writes]:
        """Run it; once killed it is started again, as a Deployment does, and then left alone."""
        self._let_it_lead()
        writes = Writes(kill_after, self._kill)
        with counting(self._cluster, self._token, writes) as proxy:
            supervisor = threading.Thread(target=self._supervise, args=(proxy,))
            supervisor.start()
            try:
                yield writes
            finally:
                with self._lock:
                    self._ended = True
                self._kill()
                supervisor.join()

    def stop(self) -> int:
        """Send SIGTERM, as a kubelet does, and return the exit code; it is not started again."""
        with self._lock:
            self._ended = True
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(PATIENCE)

    def _supervise(self, proxy: str) -> None:
        self._run({"server": proxy})
        # The Lease would run out in 15 s; that it does is another story's.
        self._tenant("delete", "lease", RELEASE, "--ignore-not-found")
        self._run(self._cluster)

    def _run(self, cluster: Object) -> None:
        with self._lock:
            if self._ended:
                return
            self._process = self._start(cluster)
            self.starts += 1
        self._process.wait()

    def _kill(self) -> None:
        if self._process:
            self._process.kill()

    def _start(self, cluster: Object) -> "subprocess.Popen[bytes]":
        kubeconfig = self._folder / "kubeconfig"
        kubeconfig.write_text(json.dumps({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster", "cluster": cluster}],
            "users": [{"name": "operator", "user": {"token": self._token}}],
            "contexts": [{"name": "context", "context": {"cluster": "cluster", "user": "operator"}}],
            "current-context": "context",
        }))  # fmt: skip
        environment = os.environ | {
            "KUBECONFIG": str(kubeconfig),
            "TTS_OPERATOR_NAMESPACES": self._tenant.namespace,
            "TTS_OPERATOR_POD_NAMESPACE": self._tenant.namespace,
            "TTS_OPERATOR_POD_NAME": "process",
            "TTS_OPERATOR_LEASE_NAME": RELEASE,
            "TTS_OPERATOR_WORKER_IMAGE": self._image,
            "TTS_OPERATOR_METRICS_PORT": str(free_port()),
        }
        with self.log.open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", self._program], env=environment, stdout=log, stderr=log)

    def _let_it_lead(self) -> None:
        """The chart's rights to a Lease are for tts-system; these are for the namespace."""
        rule = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]}
        group, name = "rbac.authorization.k8s.io", "leases"
        common = {"apiVersion": f"{group}/v1", "metadata": {"name": name}}
        self._tenant.apply(
            {**common, "kind": "Role", "rules": [rule]},
            {
                **common,
                "kind": "RoleBinding",
                "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": RELEASE, "namespace": NAMESPACE}],
            },
        )
