"""Ways into other people's toolkits and servers: got10k's experiments, TraX and the VOT toolkit, submissions."""
