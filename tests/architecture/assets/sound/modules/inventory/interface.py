from uuid import UUID

from monolift.kernel import Dto, Event, Interface

Id = UUID
Provided = (Interface, Dto, Event)
