"""The lab: prepares this machine and starts the real parts that demo, tests and benchmarks use."""
