"""Pure."""

Interface = Dto = Event = object
