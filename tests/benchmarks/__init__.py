"""The benchmarks run and count rightly; how fast anything is, no test asserts."""
