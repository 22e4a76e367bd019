"""Everyone's door: web pages and HTTP API (a later step; its place is kept free)."""
