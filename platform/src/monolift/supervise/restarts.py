"""When a process that ended is started again."""

FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
HEALTHY_AFTER = 60.0
QUICK = 10.0
GIVE_UP_AFTER = 5


class Restarts:
    """Waits 1 s, doubled at each death up to 30 s, and gives up after 5 quick deaths in a row.

    A death is quick within 10 s of the start. 60 s of life make up for every death before.
    """

    def __init__(self) -> None:
        self._deaths = 0
        self._quick = 0

    def died(self, *, lived: float) -> float | None:
        """Seconds to wait before the next start, or None to give up; `lived` is in seconds."""
        if lived >= HEALTHY_AFTER:
            self._deaths = self._quick = 0
        self._deaths += 1
        self._quick = self._quick + 1 if lived < QUICK else 0
        if self._quick >= GIVE_UP_AFTER:
            return None
        return float(min(LONGEST_DELAY, FIRST_DELAY * 2 ** (self._deaths - 1)))
