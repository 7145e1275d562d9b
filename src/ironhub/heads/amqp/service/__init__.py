"""What stands behind the links of services."""
