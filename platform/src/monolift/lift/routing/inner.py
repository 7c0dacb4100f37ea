"""How a module that is on trial elsewhere is called in this process."""

from monolift.registry.places import Trial
from monolift.registry.proxies import Binding, Methods
from monolift.registry.settings import transport
from monolift.registry.topology import topology
from monolift.transport import local, loopback


def build(binding: Binding) -> Methods:
    """The methods as they are without a trial."""
    return local.build(binding) if transport() == "local" else loopback.build(binding)


def trial_of(binding: Binding) -> Trial | None:
    """The trial of the binding's module; None when a test's double answers for it here."""
    return None if binding.replacement is not None else topology().place(binding.module).trial
