"""Who is this? SAS tokens and X.509 chains become a Principal here, and nowhere else."""
