from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modules.inventory.services import count
