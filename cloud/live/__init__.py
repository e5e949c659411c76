"""What changes right now, pushed to the open consoles."""
