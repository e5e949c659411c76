"""What must not change unnoticed: journal and wire forms, and the receipt."""
