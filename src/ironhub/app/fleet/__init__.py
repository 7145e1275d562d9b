"""Devices by the million, between files and a hub: what `ironhub device import` and `export` do."""
