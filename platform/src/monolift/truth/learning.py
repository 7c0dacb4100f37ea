"""Taking in what is in force: in this process, on disk, and for the processes beside it."""

from django.core.exceptions import ImproperlyConfigured

from monolift.observe.logs import logger
from monolift.registry.places import Topology, here
from monolift.registry.topology import install, topology
from monolift.transport.datagrams import knock
from monolift.truth import copy, row
from monolift.truth.document import Document, applied

log = logger("monolift.topology")


def at_start(declared: Topology) -> Topology:
    """What is in force in the place of what the file declares, as far as a new process can know."""
    document = row.at_start() if declared.control == here() else None
    document = document or copy.load()
    return applied(declared, document) if document and document.epoch else declared


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
