"""Devices and modules: create, enable, disable, credentials."""
