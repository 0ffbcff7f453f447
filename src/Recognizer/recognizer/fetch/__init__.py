"""An address -> bytes, from public addresses only and within limits of bytes, time and redirects."""
