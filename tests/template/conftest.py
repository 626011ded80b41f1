"""What pytest must not collect here: the projects in `first/` are data."""

collect_ignore = ["first"]
