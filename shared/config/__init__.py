"""What head office sets up for tills beside goods and people: dated, and on four levels."""
