"""The journal's form: events, entries, hash chain. Storage is the box's matter."""
