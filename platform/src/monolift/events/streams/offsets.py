"""What a reader of Kafka tells its senders, in the metadata of the offsets that it commits."""

import re
from typing import NamedTuple, Self

type Place = tuple[str, int]
"""A topic and a partition."""

_MOST = 200
"""Offsets that are listed: a broker takes 4096 bytes of metadata."""
_WRITTEN = re.compile(r"monolift/1 (\d+)((?: \d+)*)")


class Told(NamedTuple):
    """What was read of a partition, as it is told with the offset `next`."""

    next: int = -1
    """The first offset that was not read."""
    since: int = -1
    """From here to `next` all was read, and kept, but for"""
    elsewhere: tuple[int, ...] = ()
    """these, which are for modules that are elsewhere."""

    def and_then(self, offset: int, *, kept: bool) -> "Told":
        """What is told when one more was read; anew after a gap, of which nothing is known."""
        begun = self if offset == self.next else Told(offset, offset)
        elsewhere = begun.elsewhere if kept else (*begun.elsewhere, offset)
        since = begun.since
        if len(elsewhere) > _MOST:
            since, elsewhere = elsewhere[0] + 1, elsewhere[1:]
        return Told(offset + 1, since, elsewhere)

    def kept(self, offset: int) -> bool | None:
        """Whether the event at an offset is kept; None while it was not read.

        False also when it is not known any more: then it is sent again, and kept once.
        """
        if offset >= self.next:
            return None
        return offset >= self.since >= 0 and offset not in self.elsewhere

    def written(self) -> str:
        """As text."""
        return " ".join(map(str, ("monolift/1", self.since, *self.elsewhere)))

    @classmethod
    def read(cls, offset: int, metadata: str) -> Self:
        """What is told with a committed offset; nothing is known from what others have written."""
        found = _WRITTEN.fullmatch(metadata)
        if found is None:
            return cls(offset, -1)
        return cls(offset, int(found[1]), tuple(map(int, found[2].split())))
