"""The scenario sessions: all that are opened and abandoned are gone, and what they had is used again; a flood takes
nothing from another client. Nothing is asserted on how long a handshake takes."""


def test_abandoned_sessions_are_gone_and_a_flood_takes_nothing_from_others(run_bench):
    run = run_bench("--scenarios", "sessions", "--repeats", 1, "--quick")
    assert run.status == 0, run.stdout + run.stderr
    abandoned, flood = [result["repeats"][0]["figures"] for result in run.results("sessions")]
    assert abandoned["count"] == 1000
    assert 0 < abandoned["process_kib"] < 1.5, abandoned  # a unit test knows it to the byte
    assert abandoned["again_kib"] < 0.3, abandoned
    assert abandoned["gone_us"] < 15e6, abandoned
    assert abandoned["expired"] >= 1000
    assert flood["count"] == 50 and flood["refused"] == flood["lost"] == 0, flood
    assert 0 < flood["flood_sessions"] <= 1000, flood
