"""Detections on pixels: boxes and labels drawn, objects hidden, objects cut out."""
