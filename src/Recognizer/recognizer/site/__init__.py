"""The page and the API's description: what is the same for every request."""
