"""Build images with docker, or with buildah if no docker engine runs."""

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
# As in Debian's own slim images: a container needs no manuals and no translations.
SLIM = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "info", "locale", "man")]
SLIM += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
# The image's package sources. The machine's own sources may name a mirror or a password, so only the build uses them.
SOURCES = f"deb http://deb.debian.org/debian {RELEASE} main\\n"
SOURCES += f"deb http://deb.debian.org/debian-security {RELEASE}-security main\\n"
PULL_SECONDS = 60
APT = Path("/etc/apt")


class Builder(ABC):
    """The interface of a program that builds images, for hack/images."""

    name: str
    base = PULLED_BASE
    """Base image of the builds; set by `prepare`."""

    def prepare(self) -> None:
        """Find a base: the one that BASE names, a local one, one to pull, or one made of Debian's packages."""
        if given := os.environ.get("BASE"):
            self.base = given
        elif self.has(MADE_BASE) or not (self.has(PULLED_BASE) or self._pulled()):
            self.base = MADE_BASE
            if not self.has(MADE_BASE):
                self._make_base()

    def has(self, tag: str) -> bool:
        """Return whether an image exists."""
        return self.inspect(tag, "") is not None

    def label(self, tag: str, key: str) -> str | None:
        """Return a label of an image; None without the image, empty without the label."""
        return self.inspect(tag, f'{{{{index {self.labels} "{key}"}}}}')

    def size(self, tag: str) -> str:
        """Return the uncompressed size of an image's files, as text for people."""
        return output([self.name, "images", "--format", "{{.Size}}", tag])

    def identity(self, tag: str) -> str:
        """Return the digest of an image's configuration, which Kubernetes shows as the imageID of a loaded image."""
        return (self.inspect(tag, self.digest) or "").removeprefix("sha256:")

    digest: str
    """Go template of the inspected image's identity."""
    labels: str
    """Go template of the inspected image's labels."""

    @abstractmethod
    def inspect(self, tag: str, template: str) -> str | None:
        """Return the template rendered for an image; None if the image does not exist."""

    @abstractmethod
    def import_base(self, archive: Path) -> None:
        """Create MADE_BASE from an archive of its files."""

    @abstractmethod
    def build(self, tag: str, dockerfile: str, arguments: dict[str, str], labels: dict[str, str]) -> None:
        """Build the checkout with one of its Dockerfiles."""

    def _pulled(self) -> bool:
        say(f"==> pulling {PULLED_BASE}")
        command = [self.name, "pull", "--quiet", PULLED_BASE]
        try:
            subprocess.run(command, timeout=PULL_SECONDS, check=True, env=environment(), capture_output=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            say("    no registry answered: making the base from Debian's packages instead")
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
    """Return the machine's own package sources if they are of the images' release; else none."""
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
        """Return whether a docker engine runs."""
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
        # Engines before 23 use BuildKit only with this variable.
        run(["env", "DOCKER_BUILDKIT=1", "docker", "build", "--file", dockerfile, "--tag", tag, *options, "."])


class Buildah(Builder):
    """buildah, which needs no engine. Builds use the machine's network, certificates and packages, and uv's cache."""

    name = "buildah"
    digest = "{{.FromImageID}}"
    labels = ".OCIv1.Config.Labels"

    def prepare(self) -> None:
        """Install buildah if it is missing, then find a base."""
        if missing := [package for package in ("buildah", "runc") if shutil.which(package) is None]:
            apt_install(*missing)
        super().prepare()

    def inspect(self, tag: str, template: str) -> str | None:
        """Ask buildah's storage."""
        return _attempt(["buildah", "inspect", "--type", "image", "--format", template, tag])

    def import_base(self, archive: Path) -> None:
        """Create an image with one layer from the archive."""
        container = output(["buildah", "from", "scratch"])
        try:
            run(["buildah", "add", "--quiet", container, archive, "/"], quiet=True)
            run(["buildah", "config", "--cmd", "bash", container], quiet=True)
            run(["buildah", "commit", "--quiet", container, MADE_BASE], quiet=True)
        finally:
            run(["buildah", "rm", container], quiet=True)

    def build(self, tag: str, dockerfile: str, arguments: dict[str, str], labels: dict[str, str]) -> None:
        """Build and keep all layers, also those of the stages before the last."""
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
        # The stage before the last gets a name, which keeps its layers until the next build.
        for name, options in {f"{tag}-package": ["--target", "package"], tag: _options("--label", labels)}.items():
            former = self.inspect(name, self.digest)
            run([*command, *options, "--tag", name, "."])
            if former and former != self.inspect(name, self.digest):
                _attempt(["buildah", "rmi", former])  # fails while a container uses it: the next build removes it

    def _isolation(self) -> str:
        """Return the isolation: a container if this machine can start one, else a chroot."""
        container = output(["buildah", "from", "--pull-never", self.base])
        try:
            trial = ["buildah", "run", "--isolation", "oci", "--network", "host", container, "true"]
            return "chroot" if _attempt(trial) is None else "oci"
        finally:
            run(["buildah", "rm", container], quiet=True)

    def _machine(self) -> list[str]:
        """Return the options with which builds use this machine's network, certificates and caches."""
        cache = Path(os.environ.get("UV_CACHE_DIR") or _user_cache() / "uv")
        cache.mkdir(parents=True, exist_ok=True)
        # Every Debian has /mnt and /media. A new folder for a mount would stay in the image.
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
    """Return a command's output; None if it fails, which is no error here."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return None if done.returncode else done.stdout.strip()
