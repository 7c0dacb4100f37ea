"""Taking in what is in force: in this process, on disk, and for the processes beside it."""

from contextlib import suppress
from importlib import import_module
from threading import Lock

from django.core.exceptions import ImproperlyConfigured

from monolift.kernel.clock import monotonic
from monolift.kernel.errors import Unavailable
from monolift.observe.logs import logger
from monolift.registry.places import Topology, here
from monolift.registry.topology import install, topology
from monolift.transport.datagrams import knock
from monolift.truth import copy, row
from monolift.truth.document import Document, applied

log = logger("monolift.topology")

_PAUSE = 0.01
"""Seconds between two looks of one process: as many calls may be refused at once."""
_looking = Lock()
_looked = float("-inf")


def at_start(declared: Topology) -> Topology:
    """What is in force in the place of what the file declares, as far as a new process can know."""
    document = row.apart() if declared.control == here() else None
    document = document or copy.load()
    return applied(declared, document) if document and document.epoch else declared


def look_again() -> None:
    """Learn what is in force now: from the row, or from the control deployable.

    A look that fails changes nothing. Many at once are one.
    """
    global _looked
    with _looking:
        if monotonic() - _looked < _PAUSE:
            return
        with suppress(Unavailable):
            if topology().control == here():
                document = row.apart()
                if document is not None:
                    learn(document)
            else:
                learn(import_module("monolift.truth.client").ask(), from_control=True)
        _looked = monotonic()


def learn(document: Document, *, from_control: bool = False) -> bool:
    """Put it in force here, and let the processes beside this one know; older ones are ignored.

    False, with an error in the log, when this project cannot carry it out.
    """
    known = topology()
    if document.epoch < known.epoch:
        return True
    try:
        after = applied(known, document)
    except ImproperlyConfigured as error:
        log.error("topology cannot be carried out here", epoch=document.epoch, exc_info=error)
        return False
    if after == known:
        return True
    if document.epoch == known.epoch:
        log.warning(
            "the file of this deployable differs from the control deployable's",
            modules=sorted(
                label for label in after.places if after.place(label) != known.place(label)
            ),
        )
    install(after)
    log.info("topology in force", epoch=document.epoch)
    if from_control:
        copy.store(document)
        knock(copy.folder())
    return True
