libsluice_a_SOURCES += \
  gateway/live/answer.c gateway/live/answer.h \
  gateway/live/catch_up.c gateway/live/catch_up.h \
  gateway/live/control.c gateway/live/control.h \
  gateway/live/delivery.c gateway/live/delivery.h \
  gateway/live/encoder.h \
  gateway/live/fanout.c gateway/live/fanout.h gateway/live/fanout_channel.h \
  gateway/live/framing.c gateway/live/framing.h \
  gateway/live/heartbeat.c gateway/live/heartbeat.h \
  gateway/live/intake.c gateway/live/intake.h \
  gateway/live/join.c gateway/live/join.h \
  gateway/live/kernel_memory.c gateway/live/kernel_memory.h \
  gateway/live/outage.c gateway/live/outage.h \
  gateway/live/lease.c gateway/live/lease.h \
  gateway/live/link.c gateway/live/link.h \
  gateway/live/outbox.c gateway/live/outbox.h \
  gateway/live/pace.c gateway/live/pace.h \
  gateway/live/permit.c gateway/live/permit.h \
  gateway/live/protocol.c gateway/live/protocol.h \
  gateway/live/publication.c gateway/live/publication.h \
  gateway/live/refusal.c gateway/live/refusal.h \
  gateway/live/session.c gateway/live/session.h \
  gateway/live/session_table.c gateway/live/session_table.h \
  gateway/live/share.c gateway/live/share.h \
  gateway/live/shard.c gateway/live/shard.h \
  gateway/live/subscriber.c gateway/live/subscriber_end.c gateway/live/subscriber.h \
  gateway/live/subscriptions.c \
  gateway/live/verbs.c gateway/live/verbs.h
