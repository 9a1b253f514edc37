"""Evaluation: sequences in, boxes and figures out."""
