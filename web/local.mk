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
  web/demo/transports/poll.js
