# What the gateway serves at / and below. www/ is made of it: the client without its comments,
# the page with uPlot beside it. A release brings www/ along, so that it needs no npm.
web_files = \
  web/index.html \
  web/demo/icon.svg \
  web/demo/lane.js \
  web/demo/page.css \
  web/demo/page.js \
  web/demo/transports/check.js \
  web/demo/transports/index.js \
  web/demo/transports/websocket.js \
  web/demo/transports/sse.js \
  web/demo/transports/stream.js \
  web/demo/transports/longpoll.js \
  web/demo/transports/poll.js \
  web/client/backoff.d.ts \
  web/client/backoff.js \
  web/client/connection.d.ts \
  web/client/connection.js \
  web/client/deliver.d.ts \
  web/client/deliver.js \
  web/client/gates.d.ts \
  web/client/gates.js \
  web/client/memory.d.ts \
  web/client/memory.js \
  web/client/package.json \
  web/client/patience.d.ts \
  web/client/patience.js \
  web/client/policy.d.ts \
  web/client/policy.js \
  web/client/publisher.d.ts \
  web/client/publisher.js \
  web/client/share.d.ts \
  web/client/share.js \
  web/client/sluice.d.ts \
  web/client/sluice.js \
  web/client/transports/index.d.ts \
  web/client/transports/index.js \
  web/client/transports/longpoll.d.ts \
  web/client/transports/longpoll.js \
  web/client/transports/poll.d.ts \
  web/client/transports/poll.js \
  web/client/transports/request.d.ts \
  web/client/transports/request.js \
  web/client/transports/sse.d.ts \
  web/client/transports/sse.js \
  web/client/transports/stream.d.ts \
  web/client/transports/stream.js \
  web/client/transports/websocket.d.ts \
  web/client/transports/websocket.js

EXTRA_DIST += $(web_files) web/package.json web/package-lock.json scripts/assemble-web

# A build with sanitizers is for tests, which bring a folder of their own.
if WWW
all-local: www.stamp
endif

.PHONY: www
www: www.stamp

www.stamp: $(web_files) web/package-lock.json scripts/assemble-web
	$(AM_V_GEN)$(srcdir)/scripts/assemble-web $(abs_srcdir)/web $(abs_builddir)/www-tools \
	  $(abs_builddir)/www
	@touch $@

install-data-local: www.stamp
	$(MKDIR_P) '$(DESTDIR)$(pkgdatadir)/web'
	cp -R www/. '$(DESTDIR)$(pkgdatadir)/web/'

uninstall-local:
	rm -rf '$(DESTDIR)$(pkgdatadir)/web'

dist-hook: www.stamp
	rm -rf '$(distdir)/web/assembled'
	cp -R www '$(distdir)/web/assembled'
