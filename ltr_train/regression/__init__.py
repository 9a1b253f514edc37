"""The regression experiments of the paper in one dimension and on pictures, learned with the joint objective."""
