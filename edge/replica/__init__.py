"""The box's copy of what HQ published: it may be deleted and fetched again."""
