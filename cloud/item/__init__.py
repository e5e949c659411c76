"""The catalogue: what the chain sells."""
