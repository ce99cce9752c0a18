"""Two ways to build an image: docker, and buildah where no docker engine runs."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

from common import SYSTEM_CERTIFICATES, apt_install, environment, output, run, say, step

RELEASE = "bookworm"
PULLED_BASE = f"debian:{RELEASE}-slim"
MADE_BASE = f"localhost/tts-base:{RELEASE}-slim"
# As in Debian's own slim images: nobody reads manuals in a container, and everything speaks English.
SLIM = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "info", "locale", "man")]
SLIM += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
# What the image gets: the machine's own sources, a mirror or a password in them, are for building only.
SOURCES = f"deb http://deb.debian.org/debian {RELEASE} main\\n"
SOURCES += f"deb http://deb.debian.org/debian-security {RELEASE}-security main\\n"
PULL_SECONDS = 60
APT = Path("/etc/apt")


class Builder(ABC):
    """What hack/images needs of a program that builds images."""

    name: str
    base = PULLED_BASE
    """What images are built on; known after `prepare`."""

    def prepare(self) -> None:
        """Find a base: the one BASE names, one that is here, one to pull, or one made of Debian's packages."""
        if given := os.environ.get("BASE"):
            self.base = given
        elif self.has(MADE_BASE) or not (self.has(PULLED_BASE) or self._pulled()):
            self.base = MADE_BASE
            if not self.has(MADE_BASE):
                self._make_base()

    def has(self, tag: str) -> bool:
        """Whether an image is there."""
        return self.inspect(tag, "") is not None

    def label(self, tag: str, key: str) -> str | None:
        """A label of an image; None without the image, empty without the label."""
        return self.inspect(tag, f'{{{{index {self.labels} "{key}"}}}}')

    def size(self, tag: str) -> str:
        """Size of an image's files, uncompressed, to be read by people."""
        return output([self.name, "images", "--format", "{{.Size}}", tag])

    def identity(self, tag: str) -> str:
        """Digest of an image's configuration, which is what Kubernetes calls the imageID of a loaded one."""
        return (self.inspect(tag, self.digest) or "").removeprefix("sha256:")

    digest: str
    """Where the inspected image has its identity, in Go's template language."""
    labels: str
    """Where the inspected image has its labels, in Go's template language."""

    @abstractmethod
    def inspect(self, tag: str, template: str) -> str | None:
        """What the template makes of an image; None when there is no such image."""

    @abstractmethod
    def import_base(self, archive: Path) -> None:
        """Make MADE_BASE of an archive of its files."""

    @abstractmethod
    def build(self, tag: str, dockerfile: str, arguments: dict[str, str], labels: dict[str, str]) -> None:
        """Build the checkout with one of its Dockerfiles."""

    def _pulled(self) -> bool:
        say(f"==> pulling {PULLED_BASE}")
        command = [self.name, "pull", "--quiet", PULLED_BASE]
        try:
            subprocess.run(command, timeout=PULL_SECONDS, check=True, env=environment(), capture_output=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            say("    no registry has answered: making the base of Debian's packages instead")
            return False
        return True

    def _make_base(self) -> None:
        if shutil.which("mmdebstrap") is None:
            apt_install("mmdebstrap")
        with step(f"making {MADE_BASE} (mmdebstrap)"), tempfile.TemporaryDirectory() as folder:
            archive = Path(folder, "base.tar")
            sources = f'rm -f "$1"/etc/apt/sources.list.d/*; printf "{SOURCES}" > "$1"/etc/apt/sources.list'
            debootstrap = ["mmdebstrap", "--quiet", "--variant=minbase", *SLIM, f"--customize-hook={sources}", RELEASE]
            run([*debootstrap, archive, *machine_apt_sources()], quiet=True)
            self.import_base(archive)


def machine_apt_sources() -> list[str]:
    """The machine's own lists of packages, where they are of the release the images are built on; else none."""
    if platform.freedesktop_os_release().get("VERSION_CODENAME") != RELEASE:
        return []
    lists = [APT / "sources.list", APT / "sources.list.d/debian.sources"]
    return [str(path) for path in lists if path.exists() and path.stat().st_size]


class Docker(Builder):
    """Docker with BuildKit."""

    name = "docker"
    digest = "{{.Id}}"
    labels = ".Config.Labels"

    @staticmethod
    def runs() -> bool:
        """Whether there is an engine behind the program."""
        return shutil.which("docker") is not None and _attempt(["docker", "info"]) is not None

    def inspect(self, tag: str, template: str) -> str | None:
        """Ask the engine."""
        return _attempt(["docker", "image", "inspect", "--format", template, tag])

    def import_base(self, archive: Path) -> None:
        """Import the archive as one layer."""
        run(["docker", "import", archive, MADE_BASE], quiet=True)

    def build(self, tag: str, dockerfile: str, arguments: dict[str, str], labels: dict[str, str]) -> None:
        """Build with BuildKit, which keeps its own caches."""
        options = _options("--build-arg", {"BASE": self.base, **arguments}) + _options("--label", labels)
        # Engines before 23 must be asked for BuildKit.
        run(["env", "DOCKER_BUILDKIT=1", "docker", "build", "--file", dockerfile, "--tag", tag, *options, "."])


class Buildah(Builder):
    """buildah, which needs no engine. Builds use the machine's network, certificates and packages, and uv's cache."""

    name = "buildah"
    digest = "{{.FromImageID}}"
    labels = ".OCIv1.Config.Labels"

    def prepare(self) -> None:
        """Install buildah where it is missing, then find a base."""
        if missing := [package for package in ("buildah", "runc") if shutil.which(package) is None]:
            apt_install(*missing)
        super().prepare()

    def inspect(self, tag: str, template: str) -> str | None:
        """Ask buildah's storage."""
        return _attempt(["buildah", "inspect", "--type", "image", "--format", template, tag])

    def import_base(self, archive: Path) -> None:
        """Make an image of one layer of the archive."""
        container = output(["buildah", "from", "scratch"])
        try:
            run(["buildah", "add", "--quiet", container, archive, "/"], quiet=True)
            run(["buildah", "config", "--cmd", "bash", container], quiet=True)
            run(["buildah", "commit", "--quiet", container, MADE_BASE], quiet=True)
        finally:
            run(["buildah", "rm", container], quiet=True)

    def build(self, tag: str, dockerfile: str, arguments: dict[str, str], labels: dict[str, str]) -> None:
        """Build with layers that are kept, also those of the stages before the last."""
        command = [
            "buildah",
            "bud",
            "--layers",
            "--force-rm",
            "--pull-never",
            "--network",
            "host",
            "--isolation",
            self._isolation(),
        ]
        command += ["--file", dockerfile, *_options("--build-arg", {"BASE": self.base, **arguments}), *self._machine()]
        # The stage before the last gets a name, so that its layers are kept for the next time and not longer.
        for name, options in {f"{tag}-package": ["--target", "package"], tag: _options("--label", labels)}.items():
            former = self.inspect(name, self.digest)
            run([*command, *options, "--tag", name, "."])
            if former and former != self.inspect(name, self.digest):
                _attempt(["buildah", "rmi", former])  # refused while a container is made of it: the next one will do

    def _isolation(self) -> str:
        """A container where one can be started, else a chroot."""
        container = output(["buildah", "from", "--pull-never", self.base])
        try:
            trial = ["buildah", "run", "--isolation", "oci", "--network", "host", container, "true"]
            return "chroot" if _attempt(trial) is None else "oci"
        finally:
            run(["buildah", "rm", container], quiet=True)

    def _machine(self) -> list[str]:
        """What builds use of this machine."""
        cache = Path(os.environ.get("UV_CACHE_DIR") or _user_cache() / "uv")
        cache.mkdir(parents=True, exist_ok=True)
        # /mnt and /media are in every Debian. A folder made to mount on would stay in the image.
        options = ["--volume", f"{cache}:/mnt", "--build-arg", "UV_CACHE_DIR=/mnt"]
        certificates = Path(os.environ.get("SSL_CERT_FILE") or SYSTEM_CERTIFICATES).resolve()
        if certificates.exists():
            inside = f"/media/{certificates.name}"
            options += ["--volume", f"{certificates.parent}:/media:ro"]
            options += _options("--build-arg", {"SSL_CERT_FILE": inside, "PIP_CERT": inside})
        if self.base == MADE_BASE and machine_apt_sources():
            options += ["--volume", f"{APT}:{APT}:ro"]
        return options


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _options(name: str, values: dict[str, str]) -> list[str]:
    return [word for key, value in values.items() for word in (name, f"{key}={value}")]


def _attempt(command: list[str]) -> str | None:
    """What a command prints; None when it fails, which is an answer here."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return None if done.returncode else done.stdout.strip()
