"""Fuzzing: what is tried (`targets`), how (`engine`), and again (`replay`). Run by `python -m benchmarks.fuzz`."""
