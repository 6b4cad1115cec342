# What tests alone need of a backend, and sluice-slow: the gateway with `--backend=slow`. Its table
# of backends stands in for the one in libsluice.a, which the linker then leaves out.
slow_backend = tests/backend/slow.c tests/backend/slow.h
both_backends = tests/backend/backends.c $(slow_backend)

noinst_PROGRAMS += sluice-slow
sluice_slow_SOURCES = gateway/main.c $(both_backends)

# A nats-server that a test starts for itself; it needs the program, not its library.
nats_server = tests/backend/nats_server.c tests/backend/nats_server.h
# Backends on it. Builds without the library say so when a test asks for one.
nats_stage = tests/backend/nats_stage.c tests/backend/nats_stage.h $(nats_server)
