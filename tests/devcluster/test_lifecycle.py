"""Start, break, restart and stop a cluster of the test's own."""

import hashlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.devcluster import Devcluster, Namespace, eventually, pod

pytestmark = [pytest.mark.devcluster, pytest.mark.timeout(1800)]


def namespaces_of(pid: int | str) -> set[str]:
    """The network, mount and pid namespace of a process."""
    return {str(Path(f"/proc/{pid}/ns/{kind}").readlink()) for kind in ("net", "mnt", "pid")}


def processes() -> dict[int, tuple[set[str], str]]:
    """Every process: its namespaces and its command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = (namespaces_of(entry.name), (entry / "cmdline").read_text(errors="replace"))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it ended meanwhile, or not even root may look at it, which is so for none of ours
    return found


def state_of(devcluster: Devcluster) -> str:
    return devcluster.environment["TTS_DEVCLUSTER_STATE"]


def processes_of(devcluster: Devcluster, namespaces: set[str]) -> list[int]:
    """What lives in the cluster's namespaces, or works on its state folder from outside."""
    state = state_of(devcluster)
    return [pid for pid, (own, command) in processes().items() if own & namespaces or state in command]


def cluster_namespaces(devcluster: Devcluster) -> set[str]:
    """Namespaces of the cluster and of its pods, which have their own: those of its supervisor's whole family."""
    found = processes()
    parents = {}
    for pid in found:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        parents[pid] = int(fields[1])
    family = {pid for pid, (_, command) in found.items() if state_of(devcluster) in command}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return set().union(*(found[pid][0] for pid in family if pid in found)) - namespaces_of("self")


def machine(devcluster: Devcluster) -> dict[str, list[str]]:
    """What a cluster could leave behind, but for what other clusters and image builds do at the same time."""

    def told(*command: str) -> list[str]:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return {
        "mounts": sorted(mount for mount in mounts if "/containers/storage/" not in mount),
        "own cgroups": [str(path) for path in Path("/sys/fs/cgroup").rglob(f"*{cgroup(devcluster)}*")],
        "links": [line.split(":")[1] for line in told("ip", "-o", "link")],
        "routes": told("ip", "route", "show", "table", "all"),
        "named network namespaces": told("ip", "netns", "list"),
        "nftables": [line for line in told("nft", "list", "ruleset") if "counter" not in line],
        "forwarding": [Path("/proc/sys/net/ipv4/ip_forward").read_text()],
    }


def cgroups_of(pids: list[int]) -> set[Path]:
    """The cgroups these processes are in, in every hierarchy."""
    hierarchies = [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()]
    paths = {line.split(":", 2)[2] for pid in pids for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()}
    groups = (Path(f"{hierarchy}/{path}") for hierarchy in hierarchies for path in paths if path.strip("/"))
    return {group for group in groups if group.exists()}


def cgroup(devcluster: Devcluster) -> str:
    return "tts-devcluster-" + hashlib.sha256(state_of(devcluster).encode()).hexdigest()[:8]


def test_down_leaves_the_machine_as_it_was(own_cluster: Devcluster) -> None:
    before = machine(own_cluster)
    own_cluster.run("up")
    assert machine(own_cluster)["own cgroups"], "the comparison would see a cgroup that stays"
    default = Namespace(own_cluster, "default")
    default.apply(pod("busy", "/serve"))
    default.wait("pod/busy", "condition=Ready")
    namespaces = cluster_namespaces(own_cluster)
    pids = processes_of(own_cluster, namespaces)
    assert len(pids) > 10
    groups = cgroups_of(pids) - cgroups_of([os.getpid()])
    assert any("kubepods" in str(group) for group in groups)

    own_cluster.run("down")

    assert processes_of(own_cluster, namespaces) == []
    assert [group for group in groups if group.exists()] == []
    assert machine(own_cluster) == before
    assert own_cluster.status()["phase"] == "down"
    assert own_cluster.run("down").stderr == "devcluster: was not up\n"


def test_up_twice_changes_nothing(own_cluster: Devcluster) -> None:
    own_cluster.run("up")
    default = Namespace(own_cluster, "default")
    default.apply(pod("mine", "/serve"))
    before = own_cluster.status()

    assert "already up" in own_cluster.run("up").stderr

    after = own_cluster.status()
    assert {name: part["pid"] for name, part in after["parts"].items()} == {
        name: part["pid"] for name, part in before["parts"].items()
    }
    assert default.get("pod/mine")


def test_up_works_after_everything_was_killed(own_cluster: Devcluster) -> None:
    own_cluster.run("up")
    default = Namespace(own_cluster, "default")
    default.apply(pod("lost", "/serve"))
    default.wait("pod/lost", "condition=Ready")
    uid = default.get("pod/lost")["metadata"]["uid"]
    namespaces = cluster_namespaces(own_cluster)
    for pid in processes_of(own_cluster, namespaces):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it ended with the first of them
            continue
    eventually("all are gone", lambda: processes_of(own_cluster, namespaces) == [])
    assert list(Path("/sys/fs/cgroup").rglob(f"pod{uid}")), "the dead cluster left cgroups behind"
    assert own_cluster.run("status", check=False).returncode == 1

    own_cluster.run("up")

    assert own_cluster.status()["ready"]
    assert not list(Path("/sys/fs/cgroup").rglob(f"pod{uid}"))
    assert default.kubectl("get", "pods", "-A", "-o", "name").stdout == ""
    default.apply(pod("next", "/serve"))
    default.wait("pod/next", "condition=Ready")


def test_a_part_that_dies_is_reported_and_up_starts_again(own_cluster: Devcluster) -> None:
    own_cluster.run("up")
    os.kill(own_cluster.status()["parts"]["scheduler"]["pid"], signal.SIGKILL)
    eventually("it is noticed", lambda: own_cluster.status()["parts"]["scheduler"]["state"] == "ended")
    assert not own_cluster.status()["ready"]
    assert "scheduler           ended     exit code -9" in own_cluster.run("status", check=False).stdout

    assert "scheduler had ended: starting again" in own_cluster.run("up").stderr
    assert own_cluster.status()["ready"]


def test_up_works_after_a_build_was_cut_short(own_cluster: Devcluster, tmp_path: Path) -> None:
    go_cache = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    fresh = Devcluster({**own_cluster.environment, "XDG_CACHE_HOME": str(tmp_path / "cache"), "GOCACHE": go_cache})
    programs = tmp_path / "cache" / "tts-operator" / "programs"
    with fresh.start("up") as building:
        assert building.stderr is not None
        next(line for line in building.stderr if "[2/4] building kubernetes" in line)
        building.kill()
    assert list(programs.glob(".building-*")), "it was killed in the middle"
    assert not list(programs.glob("[0-9a-f]*"))

    assert "[2/4] building kubernetes" in fresh.run("up").stderr

    assert fresh.status()["ready"]
    assert not list(programs.glob(".building-*"))
