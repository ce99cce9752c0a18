"""The bytes of an answer that is sent in one go, from the first encoded part until the client has read the last one."""

from collections import deque
from collections.abc import Iterator

from ttsworker.scheduling.answer_memory import Reservation

BLOCK_BYTES = 65_536
"""Least size of a block: the next one waits until the client has read most of this one."""


class WholeAnswer:
    """Keeps each byte once, in blocks, and frees a block when it has been sent.

    `others` are bytes of the same reservation that the answer does not hold itself.
    """

    def __init__(self, reservation: Reservation, others: int = 0) -> None:
        self.length = 0
        self._reservation = reservation
        self._others = others
        self._blocks: deque[bytes] = deque()
        self._rest = bytearray()

    def add(self, part: bytes) -> None:
        """Add some bytes; raises AnswerTooLarge and NotAdmitted where the memory is full."""
        self._reservation.grow_to(self._others + self.length + len(part))
        self.length += len(part)
        self._rest += part
        if len(self._rest) >= BLOCK_BYTES:
            self._end_block()

    def blocks(self) -> Iterator[bytes]:
        """Yield the blocks; nothing can be added any more. A block is freed when the next one is asked for."""
        self._end_block()
        left = self.length
        self._reservation.shrink_to(self._others + left)
        while self._blocks:
            yield (block := self._blocks.popleft())
            left -= len(block)
            del block
            self._reservation.shrink_to(self._others + left)

    def _end_block(self) -> None:
        if self._rest:
            self._blocks.append(bytes(self._rest))
            self._rest.clear()
