# What the gateway serves at / and below, installed with its folders.
webdir = $(pkgdatadir)
nobase_dist_web_DATA = \
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
  web/client/memory.d.ts \
  web/client/memory.js \
  web/client/package.json \
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
