"""The register of members: who they are (sealed), what they agreed to, what is told of them."""
