"""The web desk: pages, JSON API, health and metrics."""
