libsluice_a_SOURCES += \
  gateway/bus/args.c gateway/bus/args.h \
  gateway/bus/backend.h gateway/bus/backends.h \
  gateway/bus/bus.c gateway/bus/bus.h \
  gateway/bus/bus_log.c gateway/bus/bus_state.h \
  gateway/bus/bus_publish.c \
  gateway/bus/bus_read.c \
  gateway/bus/bus_shards.c \
  gateway/bus/cursor.c gateway/bus/cursor.h \
  gateway/bus/dedupe.c gateway/bus/dedupe.h \
  gateway/bus/history.c gateway/bus/history.h \
  gateway/bus/memory.c gateway/bus/memory.h \
  gateway/bus/message.c gateway/bus/message.h \
  gateway/bus/nats_ack.c gateway/bus/nats_ack.h \
  gateway/bus/nats_arrival.c gateway/bus/nats_arrival.h \
  gateway/bus/nats_hearing.c gateway/bus/nats_hearing.h \
  gateway/bus/nats_headers.c gateway/bus/nats_headers.h \
  gateway/bus/nats_names.c gateway/bus/nats_names.h \
  gateway/bus/nats_pending.c gateway/bus/nats_pending.h \
  gateway/bus/nats_reply.c gateway/bus/nats_reply.h \
  gateway/bus/nats_resync.c gateway/bus/nats_resync.h \
  gateway/bus/records.c gateway/bus/records.h

# The log on NATS JetStream, for --backend nats.
if NATS
libsluice_a_SOURCES += \
  gateway/bus/nats_backend.c gateway/bus/nats_backend.h \
  gateway/bus/nats_client.c gateway/bus/nats_client.h \
  gateway/bus/nats_inquiry.c gateway/bus/nats_inquiry.h \
  gateway/bus/nats_login.c gateway/bus/nats_login.h \
  gateway/bus/nats_loop.c gateway/bus/nats_loop.h \
  gateway/bus/nats_nkey.c gateway/bus/nats_nkey.h \
  gateway/bus/nats_envelope.c gateway/bus/nats_envelope.h \
  gateway/bus/nats_publisher.c gateway/bus/nats_publisher.h gateway/bus/nats_publisher_state.h \
  gateway/bus/nats_notices.c gateway/bus/nats_notices.h \
  gateway/bus/nats_inbox.c gateway/bus/nats_inbox.h \
  gateway/bus/nats_sender.c \
  gateway/bus/nats_waste.c gateway/bus/nats_waste.h \
  gateway/bus/nats_stay.c gateway/bus/nats_stay.h \
  gateway/bus/nats_stream.c gateway/bus/nats_stream.h \
  gateway/bus/nats_stream_info.c gateway/bus/nats_stream_info.h \
  gateway/bus/nats_batch.c gateway/bus/nats_batch.h \
  gateway/bus/nats_tail.c gateway/bus/nats_tail.h \
  gateway/bus/nats_worker.c gateway/bus/nats_worker.h
endif
