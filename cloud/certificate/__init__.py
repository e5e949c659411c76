"""Days that stores have certified: checked against the entries that arrived, and countersigned."""
