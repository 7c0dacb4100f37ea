from monolift.registry import use

Provided = Id = use
