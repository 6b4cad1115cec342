"""The proof that nothing is lost when gateways and NATS servers die."""
