"""What sales announces."""

from monolift.kernel import Event


class Sold(Event, version=1, key="sale"):
    sale: str


class Dropped(Event, version=1, key="sale"):
    sale: str


class Shipped(Event, version=1, key="sale"):
    sale: str
    parcel: str
