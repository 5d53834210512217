"""The first word of a command line: found, imported when used, refused with a sentence."""

import subprocess
import sys
import types

import pytest

import streams
from streams import cli


@pytest.fixture
def word(monkeypatch):
    """A command `decide` whose work a test chooses."""

    def install(run, help_line="Decide offline."):
        module = types.ModuleType("streams.cli.decide")
        module.HELP = help_line
        module.configure = lambda parser: parser.add_argument("--limit", type=int, default=0)
        module.run = run
        monkeypatch.setitem(sys.modules, "streams.cli.decide", module)

    return install


def test_help_lists_every_word_with_its_line(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    assert [word for word, line in cli.WORDS.items() if f"{word} {line}" not in text] == []


def test_help_imports_no_command():
    probe = (
        "import sys\n"
        "from streams.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "print(sorted(m for m in sys.modules if m.startswith('streams.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['streams.cli']"


@pytest.mark.parametrize("package", ["streams", "streams.cli"])
def test_python_dash_m_is_the_same_command(package):
    done = subprocess.run([sys.executable, "-m", package, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"tropplein {streams.__version__}\n"


def test_a_word_runs_with_its_own_arguments_and_gives_its_exit_code(word):
    word(lambda args: args.limit)
    assert cli.main(["decide", "--limit", "1"]) == 1
    assert cli.main(["decide"]) == 0


def test_a_word_s_own_help_shows_its_sentence(word, capsys):
    word(lambda args: 0, help_line="Decide offline, without a broker.")
    with pytest.raises(SystemExit):
        cli.main(["decide", "--help"])
    shown = capsys.readouterr().out
    assert "Decide offline, without a broker." in shown
    assert "--limit LIMIT" in shown


def test_a_refusal_is_printed_as_a_sentence_and_ends_with_2(word, capsys):
    def refuse(args):
        raise cli.Refusal("there is no plan.yaml; write one or pass --plan FILE")

    word(refuse)
    assert cli.main(["decide"]) == cli.REFUSED == 2
    assert capsys.readouterr().err == "tropplein: there is no plan.yaml; write one or pass --plan FILE\n"


def test_control_c_ends_cleanly_with_130(word, capsys):
    def interrupted(args):
        raise KeyboardInterrupt

    word(interrupted)
    assert cli.main(["decide"]) == cli.INTERRUPTED == 130
    assert capsys.readouterr().err == "tropplein: interrupted\n"


def test_a_reader_that_goes_away_is_no_error():
    probe = (
        "import sys, types\n"
        "from streams import cli\n"
        "module = types.ModuleType('streams.cli.decide')\n"
        "module.HELP = ''\n"
        "module.configure = lambda parser: None\n"
        "module.run = lambda args: print('line\\n' * 1_000_000) or 0\n"
        "sys.modules['streams.cli.decide'] = module\n"
        "sys.exit(cli.main(['decide']))\n"
    )
    with subprocess.Popen([sys.executable, "-c", probe], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        complaint = process.stderr.read()
    assert (process.returncode, complaint) == (cli.DONE, b"")


@pytest.mark.parametrize("words", [[], ["dedice"], ["--loud", "dedice"]])
def test_a_wrong_command_line_is_refused_with_2(words, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 2
    assert "usage: tropplein" in capsys.readouterr().err
