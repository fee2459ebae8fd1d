#!/usr/bin/env bash
# The clip ids of MUStARD are whole numbers to YAML and to papermill.
#
# Expected: 1_60 in a list of clips or after `-p clip` is text; it is no way to write a number.
# Seen:     PyYAML reads 1_60 as 160, and papermill passes 160 to the notebook, from -p as from -y.
#           Two ids may become one: 1_60 and 16_0. So do times: of 0:45, 1:30 and 01:30, the one in
#           the middle alone becomes a number, 90.
# Versions: PyYAML 6.0.3, papermill 2.7.0.
# Matters:  all 690 ids of MUStARD are digits, an underscore and digits, and its clips are files of
#           these names. Lists of excluded clips or splits in YAML match nothing, and report nothing.
#           Whoever writes transcript times as 1:30 gets seconds for some and text for others.
#           "1_60" in quotes is safe in YAML; papermill needs -r (raw) instead of -p.
# Source:   YAML 1.1's types int (underscores, base 60), which PyYAML implements; papermill's
#           cli._resolve_type tries int(value), and Python allows underscores.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  papermill==2.7.0 pyyaml==6.0.3 nbformat==5.11.1
cat > clip.py <<'PY'
import sys

import nbformat

if sys.argv[1] == "write":
    cell = nbformat.v4.new_code_cell('clip = "1_50"', metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata.kernelspec = {"name": "python3", "language": "python", "display_name": "3"}
    nbformat.write(notebook, "in.ipynb")
else:
    print(nbformat.read("out.ipynb", 4).cells[1].source.splitlines()[1])
PY
venv/bin/python - <<'PY'
import yaml

print("PyYAML", yaml.__version__)
for text, expected in {
    "[1_60, 16_0, 2_458]": [160, 160, 2458],
    '["1_60"]': ["1_60"],
    "[0:45, 1:30, 01:30]": ["0:45", 90, "01:30"],
}.items():
    values = yaml.safe_load(text)
    print(f"{text:20} is read as {values}")
    assert values == expected, f"{text} is now read as {values}"
PY
echo "papermill $(venv/bin/papermill --version | cut -d" " -f1)"
venv/bin/python clip.py write
for given in "-p clip 1_60" "-y clip:\ 1_60" "-r clip 1_60"; do
  eval "venv/bin/papermill in.ipynb out.ipynb --prepare-only --no-progress-bar $given" 2>log || {
    cat log
    exit 1
  }
  received=$(venv/bin/python clip.py read)
  expected='clip = 160'
  case $given in -r*) expected='clip = "1_60"' ;; esac
  echo "papermill $given: the notebook gets $received"
  [ "$received" = "$expected" ] || { echo "that was $expected before"; exit 1; }
done
echo "As recorded."
