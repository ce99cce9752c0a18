"""A mounted Secret that changes."""

import shutil
from pathlib import Path


class Mounted:
    """A Secret volume as the kubelet keeps it: `keys` leads over `..data` to a folder, which one rename swaps."""

    def __init__(self, volume: Path, content: bytes) -> None:
        self.path = volume / "keys"
        self._volume = volume
        self._version = 0
        self.swap(content)
        self.path.symlink_to(Path("..data") / "keys")

    def swap(self, content: bytes) -> None:
        self._version += 1
        folder = self._volume / f"..version{self._version}"
        folder.mkdir()
        (folder / "keys").write_bytes(content)
        new, data = self._volume / "..data_tmp", self._volume / "..data"
        old = data.resolve() if data.exists() else None
        new.symlink_to(folder.name)
        new.rename(data)
        if old:
            shutil.rmtree(old)
