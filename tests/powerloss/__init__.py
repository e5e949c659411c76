"""What is on the disk after the power went, for every instant of a recorded run."""
