"""What stands behind the links of devices."""
