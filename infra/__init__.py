"""What is deployed, and the tools that check, package, deploy and try it."""
