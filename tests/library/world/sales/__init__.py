"""Sales: sagas of several shapes over stock and cards."""
