"""provdb keeps the provenance of telescope pipelines, and answers for it."""
