"""Second copies of entries that the cloud lacks, and their way there when a box is gone."""
