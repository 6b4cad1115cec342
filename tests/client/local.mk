# Run by scripts/check, in a copy: the packages that npm installs do not belong in the source.
EXTRA_DIST += \
  tests/client/package.json \
  tests/client/package-lock.json \
  tests/client/tsconfig.json \
  tests/client/setup.mjs \
  tests/client/certificates.mjs \
  tests/client/clock.mjs \
  tests/client/types.mjs \
  tests/client/certificates.test.mjs \
  tests/client/channels.test.mjs \
  tests/client/check_setup.mjs \
  tests/client/check_code.test.mjs \
  tests/client/check_commands.test.mjs \
  tests/client/check_paths.test.mjs \
  tests/client/check_report.test.mjs \
  tests/client/checker.test.mjs \
  tests/client/meter.test.mjs \
  tests/client/wire.test.mjs \
  tests/client/connection.test.mjs \
  tests/client/deflate.test.mjs \
  tests/client/diagnose.test.mjs \
  tests/client/limits.test.mjs \
  tests/client/outage.test.mjs \
  tests/client/pace.test.mjs \
  tests/client/policy.test.mjs \
  tests/client/polled.test.mjs \
  tests/client/publish.test.mjs \
  tests/client/readme.test.mjs \
  tests/client/share.test.mjs \
  tests/client/size.test.mjs \
  tests/client/door.mjs \
  tests/client/token.test.mjs \
  tests/client/tokens.test.mjs \
  tests/client/tls.test.mjs \
  tests/client/tls_client.mjs \
  tests/client/sluice.test.mjs \
  tests/client/verify.test.mjs
