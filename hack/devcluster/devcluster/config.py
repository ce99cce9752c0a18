"""The addresses of the cluster, and the configuration files of its parts."""

import base64
import json
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from devcluster.paths import State
from devcluster.pki import Authority, make_signing_key

NODE = "devcluster"
NODE_ADDRESS = "10.99.0.1"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
PODS = "10.244.0.0/16"
NODE_PODS = "10.244.0.0/20"
DOMAIN = "cluster.local"
RUN = Path("/run/devcluster")
"""Folder of the sockets; inside, /run is the cluster's own file system, so the path is short and never shared."""
CONTAINERD_SOCKET = RUN / "containerd.sock"
PAUSE_IMAGE = "localhost/devcluster-pause:dev"

# Each part is a separate user, so that RBAC and the audit log distinguish them.
USERS = {
    "admin": ("devcluster-admin", ("system:masters",)),
    "supervisor": ("devcluster-supervisor", ("system:masters",)),
    "controller-manager": ("system:kube-controller-manager", ()),
    "scheduler": ("system:kube-scheduler", ()),
    "kubelet": (f"system:node:{NODE}", ("system:nodes",)),
    "proxy": ("system:kube-proxy", ()),
    "dns": ("devcluster-dns", ("system:masters",)),
    "provisioner": ("devcluster-provisioner", ("system:masters",)),
}


def write_all(state: State, port: int) -> None:
    """Write every certificate and configuration file of a new cluster whose API server has this port."""
    _write_certificates(state)
    state.config.mkdir(parents=True, exist_ok=True)
    for user in USERS:
        target = state.kubeconfig if user == "admin" else state.config / f"{user}.kubeconfig"
        _write_json(target, _kubeconfig(state.pki, user, port))
        target.chmod(0o600)
    _write_json(state.config / "audit.yaml", _AUDIT_POLICY)
    _write_json(state.config / "kubelet.yaml", _kubelet(state))
    cni = state.config / "cni"
    cni.mkdir(exist_ok=True)
    _write_json(cni / "10-pods.conflist", _CNI)
    (state.config / "containerd.toml").write_text(_containerd(state))
    (state.config / "Corefile").write_text(_corefile(state))
    (state.config / "resolv.conf").write_text(
        f"nameserver {NODE_ADDRESS}\nsearch default.svc.{DOMAIN} svc.{DOMAIN} {DOMAIN}\noptions ndots:5\n"
    )
    _write_json(state.config / "provisioner.json", {
        "nodePathMap": [{"node": NODE, "paths": [str(state.volumes)]}],
        "setupCommand": "/volume",
        "teardownCommand": "/volume",
    })  # fmt: skip
    _write_json(state.config / "helper-pod.yaml", _HELPER_POD)


def _write_json(path: Path, document: dict[str, Any]) -> None:
    """Write JSON, which is valid YAML and needs no library."""
    path.write_text(json.dumps(document, indent=1))


def _write_certificates(state: State) -> None:
    shutil.rmtree(state.pki, ignore_errors=True)
    authority = Authority(state.pki, "ca")
    for name, (user, groups) in USERS.items():
        hosts = (f"IP:{NODE_ADDRESS}", f"DNS:{NODE}") if name == "kubelet" else ()
        authority.issue(name, user, groups=groups, hosts=hosts)
    names = [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{DOMAIN}",
    ]
    addresses = ["127.0.0.1", NODE_ADDRESS, API_SERVICE]
    authority.issue("apiserver", "kube-apiserver",
                    hosts=[f"DNS:{name}" for name in names] + [f"IP:{address}" for address in addresses])  # fmt: skip
    authority.issue("apiserver-kubelet", "kube-apiserver-kubelet-client", groups=["system:masters"])
    # A separate authority: holders of its certificates may act as any user towards an extension API server.
    Authority(state.pki, "front-proxy-ca").issue("front-proxy", "front-proxy-client")
    make_signing_key(state.pki, "service-accounts")


def _kubeconfig(pki: Path, user: str, port: int) -> dict[str, Any]:
    def encoded(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "devcluster",
        "contexts": [{"name": "devcluster", "context": {"cluster": "devcluster", "user": user}}],
        "clusters": [{"name": "devcluster", "cluster": {
            "server": f"https://127.0.0.1:{port}", "certificate-authority-data": encoded("ca.crt"),
        }}],
        "users": [{"name": user, "user": {
            "client-certificate-data": encoded(f"{user}.crt"), "client-key-data": encoded(f"{user}.key"),
        }}],
    }  # fmt: skip


# Writes only: who changed what in the cluster. Includes the frequent renewals of Leases, so that tests can check
# "writes nothing at rest" without exceptions.
_AUDIT_POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "Metadata"},
    ],
}

# ptp instead of bridge: it routes every packet between pods, so that replies through a Service are translated back
# without the br_netfilter module.
_CNI: dict[str, Any] = {
    "cniVersion": "1.0.0",
    "name": "pods",
    "plugins": [
        {
            "type": "ptp",
            "ipMasq": False,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": NODE_PODS}]],
                "routes": [{"dst": "0.0.0.0/0"}],
                "dataDir": str(RUN / "addresses"),
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}


def _kubelet(state: State) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(state.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(state.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(state.pki / "kubelet.key"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": "/" + state.cgroup,
        "enforceNodeAllocatable": [],  # the node is the machine; reserves nothing for the system
        "failCgroupV1": False,
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "clusterDNS": [NODE_ADDRESS],
        "clusterDomain": DOMAIN,
        "resolvConf": "",  # pods resolve only the cluster's names
        "maxPods": 250,
        "serializeImagePulls": False,
        "evictionHard": {"memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,  # 100 disables it, because nothing would reload the images
        "makeIPTablesUtilChains": False,
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
    }


def snapshotter(folder: Path) -> str:
    """Return overlayfs if the image store's file system supports it (an overlay does not), else plain copies."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="trial-") as trial:
        layers = {name: Path(trial, name) for name in ("lower", "upper", "work", "merged")}
        for layer in layers.values():
            layer.mkdir()
        options = f"lowerdir={layers['lower']},upperdir={layers['upper']},workdir={layers['work']}"
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(layers["merged"])]
        # In a mount namespace that ends with the command, so there is nothing to unmount.
        mounted = subprocess.run(["unshare", "--mount", *mount], capture_output=True, check=False).returncode == 0
    return "overlayfs" if mounted else "native"


def architecture() -> str:
    """Return the machine's architecture, by its name in Go and in images."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _containerd(state: State) -> str:
    kept = snapshotter(state.images)
    return f"""version = 3
root = "{state.images}"
state = "{RUN}/containerd"
[grpc]
address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.internal.v1.opt"]
path = "{state.images}/opt"
[plugins."io.containerd.nri.v1.nri"]
disable = true
[plugins."io.containerd.cri.v1.images"]
snapshotter = "{kept}"
[[plugins."io.containerd.transfer.v1.local".unpack_config]]  # `ctr images import`
platform = "linux/{architecture()}"
snapshotter = "{kept}"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{PAUSE_IMAGE}"
[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true  # otherwise no sandbox starts where root may not lower it
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = false
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["/usr/lib/cni", "/opt/cni/bin"]
conf_dir = "{state.config}/cni"
"""


def _corefile(state: State) -> str:
    return f""".:53 {{
  bind {NODE_ADDRESS}
  errors
  health 127.0.0.1:8080
  ready 127.0.0.1:8181
  cache 5
  kubernetes {DOMAIN} in-addr.arpa {{
    kubeconfig {state.config}/dns.kubeconfig
    ttl 2
  }}
}}
"""


# The pod with which the provisioner creates or deletes a volume's folder; it adds the command and the mount.
_HELPER_POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "volume"},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "helper-pod", "image": PAUSE_IMAGE, "imagePullPolicy": "Never"}],
    },
}
