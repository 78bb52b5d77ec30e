"""A real account: two Regions write while replication is paused; nothing is lost, and everything is cleaned up."""
