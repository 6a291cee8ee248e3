"""`custody` and `custody explain`: the day on the screen, as JSON and as a page, what is kept of it, and how the program ends."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from custody import shown
from custody.shown import firm
from junbikin.rulebooks.load import load_rulebook

from .office import Office
from .runs import as_json, csv, program, refused, run, said

HOT, SHORT, LAST = str(shown.HOT), str(shown.SHORT), str(shown.LAST)
SEVERITIES = ["notice", "warning", "hole", "breach"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firm(tmp_path_factory.mktemp("custody") / "home").path


def test_the_day_is_printed_in_the_language_asked_for(home: Path) -> None:
    assert "breach  share not in cold storage 9%" in said("custody", "--as-of", HOT, home=home)
    assert re.search(r"コールド保管の割合 +違反", said("--lang", "ja", "custody", "--as-of", HOT, home=home))


def test_the_day_is_kept_once_under_its_digest(home: Path) -> None:
    kept = home / "custody"
    [day] = as_json(said("custody", "--as-of", SHORT, "--json", home=home))["days"]
    said("custody", "--as-of", SHORT, home=home)
    [file] = kept.glob(f"{SHORT}-jp-psa-*.json")
    assert file.name == f"{SHORT}-jp-psa-{day['digest'][:12]}.json"
    assert as_json(file.read_text(encoding="utf-8")) == day


def test_json_has_every_amount_as_text_and_says_what_was_found_since_when_and_by_when(home: Path) -> None:
    [day] = as_json(said("custody", "--as-of", SHORT, "--json", home=home))["days"]
    [money] = [duty for duty in day["custody"]["duties"] if duty["key"] == "money"]
    [found] = money["findings"]
    assert (found["code"], found["since"], found["cure_by"]) == ("money-short", "2026-03-05", "2026-03-09")
    assert found["cure_provenance"] == "text"
    assert day["figures"][found["amount"]]["value"] == "-100"
    assert all(figure["value"] is None or isinstance(figure["value"], str) for figure in day["figures"].values())


@pytest.mark.parametrize(("day", "codes"), [(LAST, [1, 1, 1, 0]), (SHORT, [1, 1, 1, 1])])
def test_the_program_ends_by_the_gravest_finding(home: Path, day: str, codes: list[int]) -> None:
    ended = [run("custody", "--as-of", day, "--fail-on", grave, home=home).exit_code for grave in SEVERITIES]
    assert ended == codes
    assert run("custody", "--as-of", day, home=home).exit_code == 0


def test_what_was_not_known_on_a_day_is_not_seen(home: Path) -> None:
    assert "0 of 9 duties kept" in said("custody", "--as-of", LAST, "--known-on", "2026-03-01", home=home)


def test_a_rulebook_that_lacks_a_number_is_told_and_stops_no_other(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    shutil.copytree(load_rulebook("hk-sfc").folder, folder)
    rules = (folder / "rulebook.toml").read_text(encoding="utf-8")
    unknown = 'values = [{ from = 2023-06-01, unknown = "not published" }]'
    (folder / "rulebook.toml").write_text(rules.replace('values = [{ from = 2023-06-01, value = "0.02" }]', unknown))
    words = ("custody", "--as-of", LAST, "--rulebook", "jp-psa", "--rulebook", str(folder))
    ended = program("--home", home, *words, "--fail-on", "hole")
    assert "· jp-psa" in ended.stdout
    assert "not assessed: hk-sfc: duties.hot.most is not known" in ended.stderr
    assert ended.returncode == 1
    assert "duties.hot.most" in refused(*words[:3], "--rulebook", str(folder), home=home).what


def test_several_rulebooks_are_judged_one_after_the_other(home: Path) -> None:
    text = said("custody", "--as-of", LAST, "--rulebook", "kr-vaupa", "--rulebook", "hk-sfc", home=home)
    assert text.index("· kr-vaupa") < text.index("· hk-sfc")
    assert "jp-psa" not in text


def test_the_page_is_written_where_asked_beside_the_screen(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "custody.html"
    result = run("custody", "--as-of", LAST, "--html", file, home=home)
    assert "8 of 9 duties kept" in result.stdout
    assert str(file) in result.stderr
    page = file.read_text(encoding="utf-8")
    assert 'id="custody-jp-psa"' in page
    assert "2026-03-02" in page


def test_the_report_of_a_home_with_customers_has_the_custody_page(home: Path, tmp_path: Path) -> None:
    said("assess", "--as-of", LAST, "--rulebook", "hk-sfc", "--html", tmp_path / "with.html", home=home)
    assert 'id="custody-jp-psa"' in (tmp_path / "with.html").read_text(encoding="utf-8")


def test_the_report_of_a_home_without_customers_has_none(tmp_path: Path) -> None:
    said("init", tmp_path / "home")
    said("ingest", "prices", csv(tmp_path, "prices", f"BTC,JPY,{LAST}T10:00:00+09:00,1,ours"), home=tmp_path / "home")
    file = tmp_path / "without.html"
    said("assess", "--as-of", LAST, "--rulebook", "jp-fiea-175", "--html", file, home=tmp_path / "home")
    page = file.read_text(encoding="utf-8")
    assert "jp-fiea-175" in page
    assert "custody-jp-psa" not in page


def test_the_report_as_known_earlier_shows_custody_as_known_earlier(tmp_path: Path) -> None:
    home = firm(tmp_path / "home").path
    page = tmp_path / "page.html"
    said("assess", "--as-of", LAST, "--known-on", "2026-03-01", "--rulebook", "jp-fiea-175", "--html", page, home=home)
    assert "custody-jp-psa" not in page.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_is_refused(home: Path, tmp_path: Path) -> None:
    assert (
        "cannot be written" in refused("custody", "--as-of", LAST, "--html", tmp_path / "no" / "p.html", home=home).what
    )


@pytest.mark.parametrize("day", ["2026-02-30", "today", "1.3.2026"])
def test_a_day_that_is_none_is_refused(home: Path, day: str) -> None:
    assert run("custody", "--as-of", day, home=home).exit_code == 2


def test_a_day_to_come_is_refused(home: Path) -> None:
    assert "has not come yet" in refused("custody", "--as-of", "2199-01-01", home=home).what


def test_a_rulebook_that_says_nothing_of_custody_is_refused(home: Path) -> None:
    assert "says nothing of custody" in refused("custody", "--as-of", LAST, "--rulebook", "jp-fiea-175", home=home).what


def test_a_home_without_a_custody_rulebook_says_which_setting_to_write(tmp_path: Path) -> None:
    said("init", tmp_path / "home")
    config = tmp_path / "home" / "junbikin.toml"
    config.write_text(
        config.read_text(encoding="utf-8").replace('custody = ["jp-psa"]', "custody = []"), encoding="utf-8"
    )
    for words in (["custody"], ["custody", "explain", "hot_share"]):
        problem = refused(*words, home=tmp_path / "home")
        assert "junbikin.toml" in problem.where
        assert 'custody = ["jp-psa"]' in problem.then


def test_a_home_without_facts_knows_nothing_and_says_what_to_ingest(tmp_path: Path) -> None:
    said("init", tmp_path / "home")
    text = said("custody", "--as-of", LAST, home=tmp_path / "home")
    assert "unknown" in text
    assert "no balances of customers known" in " ".join(text.split())
    said("custody", "--as-of", LAST, "--html", tmp_path / "empty.html", home=tmp_path / "home")
    assert 'id="custody-jp-psa"' in (tmp_path / "empty.html").read_text(encoding="utf-8")


# explain


def test_a_figure_opens_down_to_its_rule_and_its_facts(home: Path) -> None:
    text = said("custody", "explain", "hot_share", "--as-of", HOT, home=home)
    for words in ("jp-psa", "0.09", "hot.BTC", "holdings", "2026-03-03"):
        assert words in text
    text = said("custody", "explain", "hot_limit", "--as-of", HOT, home=home)
    assert "Crypto Ordinance 27(2)" in text


def test_a_figure_opens_as_deep_as_asked(home: Path) -> None:
    lines = [
        len(said("custody", "explain", "hot_share", "--as-of", LAST, "--depth", depth, home=home).splitlines())
        for depth in ("1", "2", "0")
    ]
    assert lines[0] < lines[1] < lines[2]


def test_a_figure_as_json_has_everything_under_it(home: Path) -> None:
    answer = as_json(said("custody", "explain", "money_gap", "--as-of", SHORT, "--json", home=home))
    assert answer["figures"][answer["root"]]["value"] == "-100"
    assert len(answer["figures"]) > 3


def test_a_figure_under_another_rulebook(home: Path) -> None:
    text = said("custody", "explain", "hot_limit", "--as-of", LAST, "--rulebook", "hk-sfc", home=home)
    assert "hk-sfc" in text


def test_a_misspelt_figure_is_refused_with_the_nearest(home: Path) -> None:
    problem = refused("custody", "explain", "hot_shre", "--as-of", LAST, home=home)
    assert "did you mean 'hot_share'?" in problem.then


@pytest.mark.parametrize("words", [["--as-of", HOT], ["--json"], ["--rulebook", "hk-sfc"]])
def test_an_option_before_explain_is_refused_rather_than_passed_over(home: Path, words: list[str]) -> None:
    problem = refused("custody", *words, "explain", "hot_share", home=home)
    assert f"junbikin custody explain {words[0]}" in problem.then


def test_the_program_prints_the_day_alone_on_standard_output(home: Path) -> None:
    ended = program("custody", "--as-of", LAST, "--json", home=home)
    assert ended.returncode == 0
    assert as_json(ended.stdout)["days"]


# Breaks on record


def test_the_screen_and_the_page_show_the_breaks_on_record_and_their_ages(office: Office, tmp_path: Path) -> None:
    said("ingest", "holdings", csv(tmp_path, "holdings", "2026-03-30,vault,BTC,7,customer,cold"), home=office.home)
    assert "Breaks" not in said("custody", "--as-of", "2026-03-30", home=office.home)
    said("custody", "reconcile", "--as-of", "2026-03-30", "--record", home=office.home)
    text = said("custody", "--as-of", "2026-03-31", "--html", tmp_path / "page.html", home=office.home)
    assert re.search(r"Breaks: \d+ in the reconciliation of 2026-03-30 \(record \d+\)", text)
    assert "nobody vouches for it" in text
    assert '<table class="breaks">' in (tmp_path / "page.html").read_text(encoding="utf-8")
