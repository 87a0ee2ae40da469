"""The distributed runtime: Faust agents built from the topology."""
