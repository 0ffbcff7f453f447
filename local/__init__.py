"""The local server: HTTP in, API Gateway event to the very handler that Lambda calls, HTTP out."""
