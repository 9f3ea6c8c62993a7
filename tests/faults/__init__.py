"""What goes wrong around the service, and what people see of it."""
