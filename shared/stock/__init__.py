"""Stock: what a shelf holds against what the book says, and goods that must stay cold."""
