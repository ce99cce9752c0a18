"""The programs of the cluster, their flags and their health checks."""

from dataclasses import dataclass
from pathlib import Path

from devcluster.config import DOMAIN, NODE, NODE_ADDRESS, PODS, SERVICES
from devcluster.paths import State


@dataclass(frozen=True)
class Part:
    """One supervised process; `health` is a URL that answers 200 when it works, if it has one."""

    name: str
    command: list[str]
    health: str = ""


def etcd(state: State, programs: Path) -> Part:
    """The store. It never syncs to disk, because a cluster does not outlive its machine."""
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    flags = {
        "data-dir": state.etcd,
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "log-level": "warn",
    }
    return Part("etcd", [*_program(programs, "etcd", flags), "--unsafe-no-fsync"], f"{client}/readyz")


def apiserver(state: State, programs: Path, port: int) -> Part:
    """The API, with aggregation, RBAC, PodSecurity and an audit log of writes."""
    pki = state.pki
    flags = {
        "etcd-servers": "http://127.0.0.1:2379",
        "bind-address": "0.0.0.0",
        "advertise-address": NODE_ADDRESS,
        "secure-port": port,
        "service-cluster-ip-range": SERVICES,
        "tls-cert-file": pki / "apiserver.crt",
        "tls-private-key-file": pki / "apiserver.key",
        "client-ca-file": pki / "ca.crt",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
        "service-account-issuer": f"https://kubernetes.default.svc.{DOMAIN}",
        "service-account-key-file": pki / "service-accounts.pub",
        "service-account-signing-key-file": pki / "service-accounts.key",
        "requestheader-client-ca-file": pki / "front-proxy-ca.crt",
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": pki / "front-proxy.crt",
        "proxy-client-key-file": pki / "front-proxy.key",
        "kubelet-certificate-authority": pki / "ca.crt",
        "kubelet-client-certificate": pki / "apiserver-kubelet.crt",
        "kubelet-client-key": pki / "apiserver-kubelet.key",
        "kubelet-preferred-address-types": "InternalIP",
        "audit-policy-file": state.config / "audit.yaml",
        "audit-log-path": state.audit_log,
        "audit-log-maxsize": 1000,  # MB; smaller files are not rotated, so a reader sees all entries
    }
    return Part("apiserver", _program(programs, "apiserver", flags))


def controller_manager(state: State, programs: Path) -> Part:
    """The built-in controllers; the autoscaler syncs every 5 s, so that tests need not wait long."""
    flags = {
        **_clients(state, "controller-manager"),
        "kube-api-qps": 200,  # with the default 20, creating its own service accounts takes 5 s
        "kube-api-burst": 400,
        "use-service-account-credentials": "true",
        "service-account-private-key-file": state.pki / "service-accounts.key",
        "root-ca-file": state.pki / "ca.crt",
        "cluster-signing-cert-file": state.pki / "ca.crt",
        "cluster-signing-key-file": state.pki / "ca.key",
        "allocate-node-cidrs": "true",
        "cluster-cidr": PODS,
        "node-cidr-mask-size": 20,
        "horizontal-pod-autoscaler-sync-period": "5s",
    }
    return Part("controller-manager", _program(programs, "controller-manager", flags))


def scheduler(state: State, programs: Path) -> Part:
    """The scheduler, with its default settings."""
    return Part("scheduler", _program(programs, "scheduler", _clients(state, "scheduler")))


def _clients(state: State, user: str) -> dict[str, object]:
    kubeconfig = state.config / f"{user}.kubeconfig"
    return {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
    }


def containerd(state: State, programs: Path) -> Part:
    """The container runtime; finds its shim and runc on PATH."""
    return Part("containerd", [str(programs / "containerd"), "--config", f"{state.config}/containerd.toml"])


def kubelet(state: State, programs: Path) -> Part:
    """The node's agent."""
    flags = {
        "config": state.config / "kubelet.yaml",
        "kubeconfig": state.config / "kubelet.kubeconfig",
        "hostname-override": NODE,
        "node-ip": NODE_ADDRESS,
    }
    return Part("kubelet", _program(programs, "kubelet", flags), "http://127.0.0.1:10248/healthz")


def proxy(state: State, programs: Path) -> Part:
    """Services, by nftables. It leaves the machine's conntrack limits unchanged."""
    flags = {
        "proxy-mode": "nftables",
        "kubeconfig": state.config / "proxy.kubeconfig",
        "hostname-override": NODE,
        "cluster-cidr": PODS,
        "bind-address": NODE_ADDRESS,
        "metrics-bind-address": "127.0.0.1:10249",
        "conntrack-max-per-core": 0,
        "conntrack-tcp-timeout-established": 0,
        "conntrack-tcp-timeout-close-wait": 0,
    }
    return Part("proxy", _program(programs, "proxy", flags), f"http://{NODE_ADDRESS}:10256/healthz")


def dns(state: State, programs: Path) -> Part:
    """CoreDNS, on the node's address."""
    return Part("dns", _program(programs, "dns", {"conf": state.config / "Corefile"}), "http://127.0.0.1:8181/ready")


def provisioner(state: State, programs: Path) -> Part:
    """Creates a folder for every claim of the default StorageClass."""
    flags = {
        "kubeconfig": state.config / "provisioner.kubeconfig",
        "config": state.config / "provisioner.json",
        "helper-pod-file": state.config / "helper-pod.yaml",
        "namespace": "local-path-storage",
        "service-account-name": "default",
    }
    return Part("provisioner", [str(programs / "local-path-provisioner"), "start", *_flags(flags)])


def _program(programs: Path, name: str, flags: dict[str, object]) -> list[str]:
    return [str(programs / "kubernetes"), name, *_flags(flags)]


def _flags(flags: dict[str, object]) -> list[str]:
    return [f"--{key}={value}" for key, value in flags.items()]


NAMES = ("etcd", "containerd", "forwarder", "apiserver", "controller-manager", "scheduler", "kubelet", "proxy", "dns",
         "provisioner")  # fmt: skip
