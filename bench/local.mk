AM_CPPFLAGS += -DSLUICE_BENCH_DATA_DIR='"$(pkgdatadir)/bench"' \
  -DMICROHTTPD_VERSION='"$(MICROHTTPD_VERSION)"' -DCRYPTO_VERSION='"$(CRYPTO_VERSION)"'

noinst_LIBRARIES += libbench.a
libbench_a_SOURCES = \
  bench/against.c bench/against.h \
  bench/answer.c bench/answer.h \
  bench/budget.c bench/budget.h \
  bench/clients.c bench/clients.h \
  bench/cost.c bench/cost.h \
  bench/marker.c bench/marker.h \
  bench/options.c bench/options.h \
  bench/pairs.c bench/pairs.h \
  bench/peer.h \
  bench/plan.c bench/plan.h \
  bench/row.c bench/row.h \
  bench/scenario.h \
  bench/script.c bench/script.h \
  bench/settings.h \
  bench/together.c bench/together.h

include bench/lab/local.mk
include bench/load/local.mk
include bench/network/local.mk
include bench/peers/local.mk
include bench/results/local.mk
include bench/scenarios/local.mk
include bench/server/local.mk

bench_ldadd = libbench.a $(LDADD)

include bench/cluster/local.mk

bin_PROGRAMS += sluice-bench
sluice_bench_SOURCES = bench/main.c
sluice_bench_LDADD = $(bench_ldadd)

# What the program reads: bench-data/ beside it, pkgdatadir/bench once it is installed.
bench_report_files = bench/report/report.html.in bench/report/report.css bench/report/report.js \
  bench/report/bars.mjs bench/report/cluster_section.mjs \
  bench/report/comparison_sections.mjs bench/report/cost_sections.mjs \
  bench/report/elements.mjs bench/report/glance_section.mjs bench/report/head.mjs \
  bench/report/histogram.mjs bench/report/latency_section.mjs \
  bench/report/network_chart.mjs bench/report/network_section.mjs bench/report/networks.mjs \
  bench/report/page.mjs bench/report/picture.mjs bench/report/plots.mjs \
  bench/report/reasons.mjs bench/report/results.mjs bench/report/table_sections.mjs \
  bench/report/tables.mjs bench/report/timeline_section.mjs bench/report/verdict.mjs \
  bench/report/words.mjs
bench_peer_files = $(filter bench/peers/% bench/lab/%,$(EXTRA_DIST))
EXTRA_DIST += bench/budgets.txt scripts/assemble-report $(bench_report_files)

noinst_DATA = bench-data/budgets.txt
if WWW
noinst_DATA += bench-data/report.html
endif

bench-data/budgets.txt: bench/budgets.txt Makefile
	@$(MKDIR_P) bench-data && ln -sfn '$(abs_srcdir)/bench/peers' bench-data/peers && \
	  ln -sfn '$(abs_srcdir)/bench/lab' bench-data/lab
	$(AM_V_GEN)cp $(srcdir)/bench/budgets.txt $@

bench-data/report.html: $(bench_report_files) www.stamp scripts/assemble-report
	@$(MKDIR_P) bench-data
	$(AM_V_GEN)$(srcdir)/scripts/assemble-report $(abs_srcdir)/bench/report $(abs_builddir)/www-tools $@

install-data-local: install-bench-data
uninstall-local: uninstall-bench-data
clean-local: clean-bench-data
dist-hook: dist-bench-report

install-bench-data: bench-data/report.html
	$(MKDIR_P) '$(DESTDIR)$(pkgdatadir)/bench'
	$(INSTALL_DATA) bench-data/report.html $(srcdir)/bench/budgets.txt '$(DESTDIR)$(pkgdatadir)/bench/'
	cd $(srcdir)/bench && for file in $(bench_peer_files:bench/%=%); do \
	  $(MKDIR_P) "$(DESTDIR)$(pkgdatadir)/bench/$${file%/*}" && \
	  $(INSTALL_DATA) "$$file" "$(DESTDIR)$(pkgdatadir)/bench/$$file" || exit; done

uninstall-bench-data:
	rm -rf '$(DESTDIR)$(pkgdatadir)/bench'

clean-bench-data:
	rm -rf bench-data

dist-bench-report: bench-data/report.html
	cp bench-data/report.html '$(distdir)/bench/report/assembled.html'

.PHONY: install-bench-data uninstall-bench-data clean-bench-data dist-bench-report
