"""What a chain needs on its worst day: check everything, make the books anew, restore, rehearse."""
