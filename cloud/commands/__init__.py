"""What each command of `tillbox-cloud` does; each module imports only what its commands need."""
