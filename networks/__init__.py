"""What is computed: boxes, features, proposal, energy, posterior, and the weights that hold them."""
