"""Reads of search."""

from modules.search.queries.searching import search
from modules.search.queries.suggesting import suggest

__all__ = ["search", "suggest"]
