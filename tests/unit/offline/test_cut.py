"""The one file is what its modules say, and needs nothing but Python."""

import ast
import subprocess
import sys

from steward.offline import PROGRAM, cut

STANDARD = set(sys.stdlib_module_names)


def test_the_file_is_what_its_modules_say():
    assert PROGRAM.read_text(encoding="utf-8") == cut.whole(), "run python -m steward.offline.cut"


def test_it_imports_the_standard_library_and_its_own_parts():
    tree = ast.parse(PROGRAM.read_text(encoding="utf-8"))
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            roots.add((node.module or "").partition(".")[0])
    assert roots - STANDARD == {cut.PACKAGE}
    assert not roots & {"socket", "urllib", "http", "subprocess", "ctypes"}


def test_it_runs_without_site_packages():
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(PROGRAM), "--help"], capture_output=True, text=True, check=True
    )
    assert "--checkpoint" in done.stdout


def test_every_line_taken_stands_in_its_module():
    for part in cut.CUTS:
        source = set(cut._source(part.module).splitlines())
        body = [line for line in cut.taken(part).splitlines() if line.strip()]
        foreign = [line for line in body if line not in source and not line.startswith(("import ", "from ", '"""'))]
        assert foreign == [], part.module


def test_it_says_what_it_is_made_of():
    header = ast.get_docstring(ast.parse(PROGRAM.read_text(encoding="utf-8"))) or ""
    assert all(part.module in header for part in cut.CUTS)


def test_what_cannot_be_read_is_said(tmp_path):
    missing = [sys.executable, "-I", str(PROGRAM), str(tmp_path), "--checkpoint", "none", "--key", "none"]
    done = subprocess.run(missing, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")


def test_the_installed_command_runs_the_same_file():
    code = "import sys; sys.argv = ['steward-verify', '--help']; from steward.offline import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "usage: steward-verify" in done.stdout
