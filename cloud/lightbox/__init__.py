"""Light boxes: thousands of simulated stores that speak the real protocol to a real cloud."""
