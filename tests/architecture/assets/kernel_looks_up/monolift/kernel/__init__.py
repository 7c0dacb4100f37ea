from monolift.registry import use

Interface = Dto = Event = use
