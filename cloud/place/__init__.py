"""Price zones, store groups, categories, and the dated settings of the chain and its parts."""
