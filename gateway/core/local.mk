libsluice_a_SOURCES += \
  gateway/core/buckets.c gateway/core/owner_state.h \
  gateway/core/listener.c gateway/core/listener.h \
  gateway/core/loop.c gateway/core/loop.h \
  gateway/core/mailbox.c gateway/core/mailbox.h \
  gateway/core/owners.c gateway/core/owners.h \
  gateway/core/socket.c gateway/core/socket.h \
  gateway/core/timer.c gateway/core/timer.h \
  gateway/core/tls.c gateway/core/tls.h \
  gateway/core/tls_bytes.c gateway/core/tls_bytes.h \
  gateway/core/tls_context.c gateway/core/tls_context.h \
  gateway/core/tls_file.c gateway/core/tls_file.h \
  gateway/core/tls_groups.c gateway/core/tls_groups.h \
  gateway/core/tls_names.c gateway/core/tls_names.h \
  gateway/core/tls_pair.c gateway/core/tls_pair.h \
  gateway/core/tls_shard.c gateway/core/tls_shard.h \
  gateway/core/tls_tickets.c gateway/core/tls_tickets.h
