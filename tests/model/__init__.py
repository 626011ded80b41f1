"""The runtime against a model in plain Python: values, types, ranges, histories."""
