# What the gateway serves at /, /check and below. www/ is made of it: the client minified, the
# page with uPlot and socket.io-client beside it, the check page as one file. A release brings www/ along, so that it
# needs no npm.
web_files = \
  web/check.html \
  web/index.html \
  web/check/advice.js \
  web/check/bars.js \
  web/check/cards.js \
  web/check/channel.js \
  web/check/check.css \
  web/check/check.js \
  web/check/classify.js \
  web/check/clean.js \
  web/check/code.js \
  web/check/elements.js \
  web/check/guard.js \
  web/check/listener.js \
  web/check/meter.js \
  web/check/package.json \
  web/check/page.js \
  web/check/report.js \
  web/check/rounds.js \
  web/check/share.js \
  web/check/text.js \
  web/check/view.js \
  web/check/words.js \
  web/check/write.js \
  web/demo/baseline.js \
  web/demo/bytes_bar.css \
  web/demo/bytes_bar.js \
  web/demo/colours.js \
  web/demo/compare.css \
  web/demo/compare.js \
  web/demo/elements.css \
  web/demo/format.js \
  web/demo/frame.css \
  web/demo/frames.js \
  web/demo/front.js \
  web/demo/icon.svg \
  web/demo/lane.css \
  web/demo/lane.js \
  web/demo/lane_view.js \
  web/demo/latency.js \
  web/demo/latency_chart.css \
  web/demo/latency_chart.js \
  web/demo/origins.js \
  web/demo/package.json \
  web/demo/page.css \
  web/demo/page.js \
  web/demo/panel.css \
  web/demo/panel.js \
  web/demo/panels.js \
  web/demo/sections.js \
  web/demo/timeline.css \
  web/demo/timeline.js \
  web/demo/tokens.css \
  web/demo/toolbar.css \
  web/demo/toolbar.js \
  web/demo/trace.js \
  web/demo/traffic.js \
  web/demo/vendor/socket.io/socket.io.esm.min.js \
  web/demo/vendor/uplot/uPlot.esm.js \
  web/demo/vendor/uplot/uPlot.min.css \
  web/demo/break/break.css \
  web/demo/break/break.js \
  web/demo/break/checker.js \
  web/demo/break/fault_list.css \
  web/demo/break/fault_list.js \
  web/demo/break/faults.js \
  web/demo/break/ladder.css \
  web/demo/break/ladder.js \
  web/demo/break/numbers.js \
  web/demo/break/strip.js \
  web/demo/break/strip_chart.css \
  web/demo/break/strip_chart.js \
  web/demo/break/tries.js \
  web/demo/break/ways.js \
  web/demo/clients/clients.css \
  web/demo/clients/clients.js \
  web/demo/clients/native.js \
  web/demo/clients/side.js \
  web/demo/clients/socketio.js \
  web/demo/cluster/cluster.css \
  web/demo/cluster/cluster.js \
  web/demo/cluster/processes.js \
  web/demo/cluster/reader.js \
  web/demo/cluster/view.js \
  web/demo/cluster/writer.js \
  web/demo/diagnose/diagnose.css \
  web/demo/diagnose/diagnose.js \
  web/demo/try/chat.css \
  web/demo/try/chat.js \
  web/demo/try/load.css \
  web/demo/try/load.js \
  web/demo/try/meter.js \
  web/demo/try/tokens.css \
  web/demo/try/tokens.js \
  web/demo/try/try.css \
  web/demo/wire/bits.js \
  web/demo/wire/bytes.js \
  web/demo/wire/chunk.js \
  web/demo/wire/content.js \
  web/demo/wire/conversation.js \
  web/demo/wire/detail.css \
  web/demo/wire/detail.js \
  web/demo/wire/frame.js \
  web/demo/wire/head.js \
  web/demo/wire/intake.js \
  web/demo/wire/list.js \
  web/demo/wire/notes.js \
  web/demo/wire/wire.css \
  web/demo/wire/wire.js \
  web/check/advice.js \
  web/check/channel.js \
  web/check/check.js \
  web/check/classify.js \
  web/check/clean.js \
  web/check/code.js \
  web/check/form.js \
  web/check/guard.js \
  web/check/listener.js \
  web/check/meter.js \
  web/check/package.json \
  web/check/report.js \
  web/check/rounds.js \
  web/check/text.js \
  web/check/write.js \
  web/client/ask.d.ts \
  web/client/ask.js \
  web/client/backoff.d.ts \
  web/client/backoff.js \
  web/client/base.d.ts \
  web/client/base.js \
  web/client/channels.d.ts \
  web/client/channels.js \
  web/client/clock.d.ts \
  web/client/clock.js \
  web/client/connection.d.ts \
  web/client/connection.js \
  web/client/deliver.d.ts \
  web/client/deliver.js \
  web/client/diagnose.d.ts \
  web/client/diagnose.js \
  web/client/diagnose_socket.d.ts \
  web/client/diagnose_socket.js \
  web/client/diagnose_stream.d.ts \
  web/client/diagnose_stream.js \
  web/client/evidence.d.ts \
  web/client/evidence.js \
  web/client/explain.d.ts \
  web/client/explain.js \
  web/client/explain_socket.d.ts \
  web/client/explain_socket.js \
  web/client/gates.d.ts \
  web/client/gates.js \
  web/client/ledger.d.ts \
  web/client/ledger.js \
  web/client/memory.d.ts \
  web/client/memory.js \
  web/client/pace.d.ts \
  web/client/pace.js \
  web/client/package.json \
  web/client/patience.d.ts \
  web/client/patience.js \
  web/client/policy.d.ts \
  web/client/policy.js \
  web/client/publisher.d.ts \
  web/client/publisher.js \
  web/client/recover.d.ts \
  web/client/recover.js \
  web/client/share.d.ts \
  web/client/share.js \
  web/client/sluice.d.ts \
  web/client/sluice.js \
  web/client/source.d.ts \
  web/client/source.js \
  web/client/token.d.ts \
  web/client/token.js \
  web/client/transports/index.d.ts \
  web/client/transports/index.js \
  web/client/transports/longpoll.d.ts \
  web/client/transports/longpoll.js \
  web/client/transports/poll.d.ts \
  web/client/transports/poll.js \
  web/client/transports/polled.d.ts \
  web/client/transports/polled.js \
  web/client/transports/request.d.ts \
  web/client/transports/request.js \
  web/client/transports/sse.d.ts \
  web/client/transports/sse.js \
  web/client/transports/stream.d.ts \
  web/client/transports/stream.js \
  web/client/transports/websocket.d.ts \
  web/client/transports/websocket.js \
  web/client/verdict.d.ts \
  web/client/verdict.js

EXTRA_DIST += $(web_files) web/client/README.md web/package.json web/package-lock.json scripts/assemble-web \
  scripts/bundle-page.mjs

# A build with sanitizers is for tests, which bring a folder of their own. Where npm could not
# install, the build succeeds; its last words say what is missing.
if WWW
all-local: www.stamp $(PROGRAMS) $(DATA)
	@if test -e www.incomplete; then cat www.incomplete >&2; fi
endif

www.stamp: $(web_files) web/package-lock.json scripts/assemble-web scripts/bundle-page.mjs
	$(AM_V_GEN)$(srcdir)/scripts/assemble-web $(abs_srcdir)/web $(abs_builddir)/www-tools \
	  $(abs_builddir)/www
	@touch $@

# By name it is tried again.
.PHONY: www
www:
	@if test -e www.incomplete; then rm -f www.stamp; fi
	@$(MAKE) $(AM_MAKEFLAGS) www.stamp bench-data/report.html
	@if test -e www.incomplete; then cat www.incomplete >&2; exit 1; fi

install-data-local: www.stamp
	$(MKDIR_P) '$(DESTDIR)$(pkgdatadir)/web'
	cp -R www/. '$(DESTDIR)$(pkgdatadir)/web/'
	@if test -e www.incomplete; then cat www.incomplete >&2; fi

uninstall-local:
	rm -rf '$(DESTDIR)$(pkgdatadir)/web'

# A release is complete.
dist-hook: www.stamp
	@if test -e www.incomplete; then cat www.incomplete >&2; exit 1; fi
	rm -rf '$(distdir)/web/assembled'
	cp -R www '$(distdir)/web/assembled'
