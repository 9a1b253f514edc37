"""One self-contained page that compares trackers, with the figures and tables that a paper takes."""
