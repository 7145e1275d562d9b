"""Blobs of devices: their content in sealed files, and the accounts they are uploaded to."""
