"""`use()`: a typed proxy to an interface, bound to wherever its module is."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from monolift.kernel import DeclarationError, Operation, operations_of
from monolift.registry.modules import implementation, provider
from monolift.registry.topology import on_change, topology

if TYPE_CHECKING:
    from typing_extensions import TypeForm

type Methods = Mapping[str, Callable[..., Any]]

_BEHIND = "_monolift_operation"
_lock = threading.RLock()
_bindings: dict[Any, "Binding"] = {}
_adapters: dict[str, Callable[["Binding"], Methods]] = {}


def _nobody(_: Any) -> Any:
    return None


_stand_in: Callable[[Any], Any] = _nobody


class Binding:
    """An interface, the proxy handed out for it, and what its calls reach at the moment."""

    def __init__(self, interface: Any) -> None:
        self.interface = interface
        self.operations = operations_of(interface)
        self.proxy: Any = _proxy_class(interface)()
        self._implementation: Any = None
        self.overridden: list[Any] = []
        self.unbind()

    @property
    def module(self) -> str:
        """The label of the module that provides the interface."""
        if self.replacement is not None:
            return str(self.interface.interface_owner)
        return provider(self.interface)[0]

    @property
    def implementation(self) -> Any:
        """What answers in this process: the override in force, or the module's own class."""
        if self.replacement is not None:
            return self.replacement
        if self._implementation is None:
            self._implementation = implementation(self.interface)
        return self._implementation

    @property
    def replacement(self) -> Any:
        """What answers in the place of the module's own class; None in production."""
        return self.overridden[-1] if self.overridden else _stand_in(self.interface)

    def unbind(self) -> None:
        """Make every method look up its place again at its next call."""
        self.proxy.__dict__.update({name: self._late(name) for name in self.operations})

    def bind(self) -> None:
        """Build the methods for the place the module is in now."""
        with _lock:
            methods = self._built()
            for name, method in methods.items():
                setattr(method, _BEHIND, (self, self.operations[name]))
            self.proxy.__dict__.update(methods)

    def _built(self) -> Methods:
        while True:
            known = topology()
            try:
                return _adapters[known.route(self.module)](self)
            except Exception:
                # An adapter looks at the topology too: the trial or the rehearsal that the route
                # was of may have ended in between.
                if topology() is known:
                    raise

    def _late(self, name: str) -> Callable[..., Any]:
        def resolve(**arguments: Any) -> Any:
            self.bind()
            return getattr(self.proxy, name)(**arguments)

        setattr(resolve, _BEHIND, (self, self.operations[name]))
        return resolve


def use[T](interface: "TypeForm[T]", /) -> T:
    """A proxy with the methods of `interface`. Where they run is looked up at the first call.

    Bind foreign interfaces in the module's `requires.py`: that file is its list of dependencies.
    """
    if not getattr(interface, "interface_name", ""):
        raise DeclarationError(
            f"use({interface!r}): not an interface. Give the class declared in interface.py."
        )
    proxy: T = binding_of(interface).proxy
    return proxy


def binding_of(interface: Any) -> Binding:
    """The one binding of an interface in this process."""
    with _lock:
        if interface not in _bindings:
            _bindings[interface] = Binding(interface)
        return _bindings[interface]


def behind(method: Any) -> tuple[Binding, Operation] | None:
    """The binding and the operation of a proxy's method; None for anything else."""
    found: tuple[Binding, Operation] | None = getattr(method, _BEHIND, None)
    return found


@contextmanager
def override[T](interface: "TypeForm[T]", replacement: T, /) -> Iterator[T]:
    """Answer an interface with another object for a while, in the whole process. For tests.

    Calls still pass the seam, so the replacement meets the codec and the rules as the real one.
    """
    binding = binding_of(interface)
    binding.overridden.append(replacement)
    binding.unbind()
    try:
        yield replacement
    finally:
        binding.overridden.remove(replacement)
        binding.unbind()


@contextmanager
def standing_in(find: Callable[[Any], Any]) -> Iterator[None]:
    """Answer every interface for which `find` has an object with that for a while. For tests.

    Unlike `override` it need not know beforehand which interfaces will be called.
    """
    global _stand_in
    previous, _stand_in = _stand_in, find
    _rebind()
    try:
        yield
    finally:
        _stand_in = previous
        _rebind()


def register_adapter(route: str, build: Callable[[Binding], Methods]) -> None:
    """Say how calls are made on a route. Given by `monolift.transport`."""
    _adapters[route] = build


def _rebind() -> None:
    with _lock:
        for binding in _bindings.values():
            binding.unbind()


def _proxy_class(interface: Any) -> type[Any]:
    def describe(self: Any) -> str:
        return f"<proxy of {interface.interface_name}>"

    members = {"__repr__": describe, "__doc__": interface.__doc__}
    return type(f"{interface.__name__}Proxy", (), members)


on_change(_rebind)
