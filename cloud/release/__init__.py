"""The way of a change from drafts to every store: looked at, approved, in waves, guarded."""
