import json, modules.inventory.models
from modules import inventory
