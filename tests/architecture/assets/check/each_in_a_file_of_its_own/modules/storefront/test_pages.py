import modules.inventory.models
