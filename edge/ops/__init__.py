"""How the box is: status strip, health, metrics."""
