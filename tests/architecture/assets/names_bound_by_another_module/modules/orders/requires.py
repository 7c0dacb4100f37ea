from modules.inventory.requires import pricing

inventory = HoldId = pricing
