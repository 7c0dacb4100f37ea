import modules.inventory.events

happened = modules.inventory.events.Happened
