from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modules.inventory import services


def restock(service: "services") -> None: ...
