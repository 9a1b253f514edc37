"""Configurations of the variants, one YAML file each; read as package data."""
