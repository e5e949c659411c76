"""Members as this box may know them: by hashes, with no name and no number."""
