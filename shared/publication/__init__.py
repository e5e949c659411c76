"""What HQ publishes: records, revisions, manifests, and the planner that activates them."""
