"""Members of the chain as far as both sides must agree on them."""
