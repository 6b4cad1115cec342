"""Chaos: many clients of all transports, a gateway that has accidents, and a judge who knows what was
published. Clients and network never wait for each other: a process has one loop."""
