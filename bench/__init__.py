"""Benchmarks: the product beside the usual practice with the same guarantees, interleaved in one run."""
