from __future__ import annotations

from cli_kit import Cli


def test_the_page_of_a_run_goes_where_it_is_told_and_takes_the_place_of_the_old_one(cli: Cli) -> None:
    run = cli("run", "mlp-mnist", "--steps", 30, "--out", "run", "--quiet", "--tech", "bottom-up-14nm")
    assert run.code == 0, run.err
    first = cli("report", "run", "--html")
    assert first.code == 0, first.err
    assert first.out.startswith("Page: run/report/report.html (")
    assert cli("report", "run", "--html", "--quiet").out == ""
    assert cli("report", "run", "--html", "--out", "mine.html").out.startswith("Page: mine.html (")
    assert cli("report", "run", "--html", "--out", "folder").out.startswith("Page: folder/report.html (")
    stranger = cli("report", "run", "--html", "--tech", "elsewhere/stranger.yaml")
    assert stranger.code == 2
    assert stranger.error.startswith("--tech: got 'elsewhere/stranger.yaml'; expected one this run was priced by")
