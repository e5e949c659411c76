"""Who may do what at a till."""
