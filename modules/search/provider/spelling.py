"""How far words are apart, and the shortenings by which near ones find each other.

The symmetric delete algorithm: two words within a distance share a text that is each of them
without that many letters at most. Only the first letters take part, which bounds the number.
"""

from itertools import combinations

SHORTEST, LONGEST = 3, 30
_BEGINNING = 8


def correctable(word: str) -> bool:
    """Whether a word may be a slip, or meant by one. Numbers and model names are as they are."""
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def tolerance(word: str) -> int:
    """How many slips a word may have."""
    return 0 if len(word) < 4 else 1 if len(word) < _BEGINNING else 2


def shortenings(word: str) -> set[str]:
    """The beginning of the word, and all that is left of it without as many letters as may slip."""
    beginning = word[:_BEGINNING]
    most = max(tolerance(word), 1)
    return {
        "".join(kept)
        for gone in range(most + 1)
        for kept in combinations(beginning, len(beginning) - gone)
    }


def distance(one: str, other: str) -> int:
    """How many letters were added, left out, replaced or swapped with a neighbour.

    The restricted Damerau-Levenshtein distance ("optimal string alignment").
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, wanted in enumerate(other, 1):
            cost = min(
                last[column] + 1, current[column - 1] + 1, last[column - 1] + (letter != wanted)
            )
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == wanted:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, last = last, current
    return last[-1]
