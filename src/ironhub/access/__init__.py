"""May they? Permissions, policies, and the Grant that opens a service."""
