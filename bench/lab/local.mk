# The lab: scripts for Node.js, no package of npm. Installed as they are.
EXTRA_DIST += \
  bench/lab/arrivals.mjs \
  bench/lab/certificate.mjs \
  bench/lab/check_code.mjs \
  bench/lab/check_report.mjs \
  bench/lab/check_terminal.mjs \
  bench/lab/fetch.mjs \
  bench/lab/frames.mjs \
  bench/lab/gateway.mjs \
  bench/lab/lab.mjs \
  bench/lab/matrix.mjs \
  bench/lab/network.mjs \
  bench/lab/obstacle.mjs \
  bench/lab/options.mjs \
  bench/lab/page.mjs \
  bench/lab/paths.mjs \
  bench/lab/plan.mjs \
  bench/lab/probe.mjs \
  bench/lab/process.mjs \
  bench/lab/profiles.json \
  bench/lab/quick.txt \
  bench/lab/random.mjs \
  bench/lab/route.mjs \
  bench/lab/session.mjs \
  bench/lab/soak.mjs \
  bench/lab/table.mjs \
  bench/lab/tap.mjs \
  bench/lab/verdict.mjs \
  bench/lab/web_stream.mjs \
  bench/lab/websocket.mjs \
  bench/lab/proxies/apache.mjs \
  bench/lab/proxies/caddy.mjs \
  bench/lab/proxies/expected.mjs \
  bench/lab/proxies/haproxy.mjs \
  bench/lab/proxies/index.mjs \
  bench/lab/proxies/nginx.mjs \
  bench/lab/proxies/privoxy.mjs \
  bench/lab/proxies/proxy.mjs \
  bench/lab/proxies/squid.mjs \
  bench/lab/proxies/tinyproxy.mjs \
  bench/lab/proxies/varnish.mjs

lab: all
	./sluice-bench lab --json=lab.json --html=lab.html

.PHONY: lab
