"""The probe as a module."""

from benchmarks.probe.interface import Probe
from monolift import Module


class ProbeModule(Module):
    """A module that does next to nothing."""

    name = "benchmarks.probe"
    owner = "team-platform"
    provides = {Probe: "benchmarks.probe.services.ProbeService"}
