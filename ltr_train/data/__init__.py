"""Training data: annotated pictures and clips in, pairs of template and search crops out."""
