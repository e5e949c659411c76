"""Benchmarks: each figure beside its goal and beside a limit measured in the same run."""
