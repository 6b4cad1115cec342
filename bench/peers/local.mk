libbench_a_SOURCES += \
  bench/peers/engineio.c bench/peers/engineio.h \
  bench/peers/floor.c \
  bench/peers/floor_open.c \
  bench/peers/nchan.c \
  bench/peers/node.c bench/peers/node.h \
  bench/peers/pushpin.c \
  bench/peers/pushpin_origin.c bench/peers/pushpin_origin.h \
  bench/peers/registry.c \
  bench/peers/sluice.c \
  bench/peers/socketio.c \
  bench/peers/template.c bench/peers/template.h \
  bench/peers/ws.c

# The servers on Node.js; `make peers` installs them with what they need beside sluice-bench.
peers_node_files = \
  bench/peers/node/package-lock.json \
  bench/peers/node/package.json \
  bench/peers/node/publish.js \
  bench/peers/node/socketio.js \
  bench/peers/node/ws.js
EXTRA_DIST += $(peers_node_files) bench/peers/nchan.conf.in bench/peers/pushpin.conf.in

peers:
	$(MKDIR_P) peers
	$(in_srcdir) cp $(peers_node_files) $(abs_builddir)/peers/
	cd peers && npm ci --no-audit --no-fund

.PHONY: peers
