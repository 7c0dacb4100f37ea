"""The plan of a lift: stages with a gate, an effect, a check and a way back."""
