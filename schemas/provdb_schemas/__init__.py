"""The JSON Schemas of stored documents, one file a collection."""
