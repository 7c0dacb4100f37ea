"""Recommendations as a module."""

from modules.recommendations.interface import Recommendations
from monolift import Module


class RecommendationsModule(Module):
    """What was bought together."""

    name = "modules.recommendations"
    owner = "team-discovery"
    provides = {Recommendations: "modules.recommendations.services.RecommendationsService"}
