"""A file-like object that libsndfile writes to."""

from collections.abc import Callable


class Sink:
    """Hands out each written byte once, except the head, which it keeps because libsndfile rewrites it at the end.

    `head_length` computes the head's length in bytes from the first bytes written.
    """

    def __init__(self, head_length: Callable[[bytes], int]) -> None:
        self.head = bytearray()
        self._head_length = head_length
        self._new = bytearray()
        self._start = 0  # file offset of the bytes not yet taken
        self._position = 0

    def write(self, data: bytes) -> int:
        """Write at the position; the only bytes that may be rewritten after `take` are those of the head."""
        place, position = (self.head, self._position) if self._position < self._start else (self._new, self._offset())
        place[position : position + len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int) -> int:
        """Move the position."""
        self._position = offset + (0, self._position, self._start + len(self._new))[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def take(self) -> bytes:
        """Return the bytes after the head that were written since the last call."""
        new = bytes(self._new)
        self._new.clear()
        if self._start == 0 and new:
            length = self._head_length(new)
            self.head[:] = new[:length]
            self._start = len(new)
            return new[length:]
        self._start += len(new)
        return new

    def _offset(self) -> int:
        return self._position - self._start
