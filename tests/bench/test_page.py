"""The scenarios page and publish: every file of the page arrives whole, every publish is taken."""


def write_page(folder):
    (folder / "demo").mkdir()
    (folder / "index.html").write_text("<!doctype html>")
    for number in range(20):
        (folder / "demo" / ("%d.js" % number)).write_text("// " + "x" * 1000 * number)


def test_a_page_is_loaded_with_all_its_files(run_bench, tmp_path):
    write_page(tmp_path)
    run = run_bench("--scenarios", "page", "--quick", "--web", tmp_path)
    assert run.status == 0, run.stdout + run.stderr
    figures = run.repeat("page")["figures"]
    assert figures["files"] == 21
    assert figures["samples"] > 0 and figures["cpu_us_per_page"] > 0, figures
    assert "wakeups_per_page" in figures and "server_sleeps_per_page" in figures, figures


def test_a_file_that_the_gateway_does_not_serve_fails_the_measurement(run_bench, tmp_path):
    write_page(tmp_path)
    (tmp_path / "elsewhere.js").write_text("// below neither client/ nor demo/")
    run = run_bench("--scenarios", "page", "--quick", "--web", tmp_path)
    assert run.status == 1, run.stdout
    assert "error" in run.repeat("page")


def test_a_folder_without_a_page_is_refused(run_bench, tmp_path):
    run = run_bench("--scenarios", "page", "--web", tmp_path)
    assert run.status == 2
    assert "there is no index.html" in run.stderr


def test_publishes_on_kept_connections_are_measured(run_bench):
    run = run_bench("--scenarios", "publish", "--quick")
    assert run.status == 0, run.stdout + run.stderr
    assert run.repeat("publish")["figures"]["cpu_us_per_publish"] > 0
