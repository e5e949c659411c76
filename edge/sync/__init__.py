"""Between box and cloud: facts go up, desired state comes down, each repaired by the next hello."""
