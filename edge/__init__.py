"""The store box: sells with or without the internet, and keeps the journal of its store."""
