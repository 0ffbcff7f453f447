"""Pixels -> detections: the model on disk, the engines that run it, and what comes before and after the network."""
