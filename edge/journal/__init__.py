"""The box's journal: the one truth about what happened in this store."""
