"""The chain's own certificates: who is a box of ours, and what a tablet may trust."""
