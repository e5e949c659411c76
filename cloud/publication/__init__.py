"""From drafts to what the boxes sell by."""
