libbench_a_SOURCES += \
  bench/scenarios/break_even.c \
  bench/scenarios/channels.c \
  bench/scenarios/cluster.c \
  bench/scenarios/connect.c \
  bench/scenarios/deflate.c \
  bench/scenarios/fanout.c \
  bench/scenarios/handshake.c \
  bench/scenarios/idle.c \
  bench/scenarios/latency.c \
  bench/scenarios/net_bytes.c \
  bench/scenarios/net_connect.c \
  bench/scenarios/net_latency.c \
  bench/scenarios/net_publish.c \
  bench/scenarios/net_recovery.c \
  bench/scenarios/net_window.c bench/scenarios/net_window.h \
  bench/scenarios/opening.c \
  bench/scenarios/overhead.c \
  bench/scenarios/page.c \
  bench/scenarios/publish.c \
  bench/scenarios/registry.c \
  bench/scenarios/renewal.c \
  bench/scenarios/request.c \
  bench/scenarios/sessions.c \
  bench/scenarios/storm.c \
  bench/scenarios/switch.c \
  bench/scenarios/token.c \
  bench/scenarios/upgrade.c
