"""Everyone's door: web pages and the HTTP API. It parses a request, calls what the console calls, and renders."""
