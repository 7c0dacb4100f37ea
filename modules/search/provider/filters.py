"""Categories and option values as words of the full-text index.

So narrowing is answered like a search for a word, by the same index, in the same statement. The
words are digests: a value may be any text, and no value looks like another one's word.
"""

from hashlib import blake2b


def category(slug: str) -> str:
    """The word of a category."""
    return f"c{_digest(slug)}"


def option(name: str, value: str) -> str:
    """The word of an option's value."""
    return f"o{_digest(name, value)}"


def _digest(*texts: str) -> str:
    # Each with its length, so that two texts are never another two put together.
    told = "".join(f"{len(text)}:{text}" for text in texts)
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
