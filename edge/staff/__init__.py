"""Who may sign in at a lane."""
