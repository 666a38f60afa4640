"""What `make check-deploy` does: each file of the deployment, looked at by a tool that knows its kind."""
