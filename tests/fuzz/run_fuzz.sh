#!/bin/sh
# Runs fuzz targets one after the other: run_fuzz.sh SECONDS CORPORA TARGET...
# A target fuzz_x starts from CORPORA/x; what it finds stays in the build folder. A crash
# leaves its input there too: add it to the corpus with the fix.
seconds=$1 corpora=$2
shift 2
[ $# -gt 0 ] || { echo "fuzz: no targets"; exit 1; }
status=0
for target; do
	name=$(basename "$target")
	seeds=$corpora/${name#fuzz_}
	found=$target.found
	mkdir -p "$found"
	if [ ! -d "$seeds" ]; then
		echo "fuzz: $seeds is missing"
		echo "fuzz: $name FAILED"
		status=1
	elif "./$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 \
		-verbosity=0 -artifact_prefix="$found-" "$found" "$seeds" >"$target.log" 2>&1; then
		echo "fuzz: $name passed"
	else
		tail -n 40 "$target.log"
		echo "fuzz: $name FAILED"
		status=1
	fi
done
exit $status
