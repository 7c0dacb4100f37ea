"""Search as a module."""

from modules.search.interface import Search
from monolift import Module


class SearchModule(Module):
    """Finding products."""

    name = "modules.search"
    owner = "team-discovery"
    provides = {Search: "modules.search.services.SearchService"}
