"""Training: the joint objective, the making of pairs, the trainer and its configuration."""
