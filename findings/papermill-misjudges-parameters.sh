#!/usr/bin/env bash
# papermill runs with a misspelt parameter, and calls a correct one unknown.
#
# Expected: a name that the notebook does not have stops the run; a name that it has is accepted.
# Seen:     `-p sed 7` logs "Passed unknown parameter: sed" and runs with the default seed, exit 0.
#           `-p keep ...` logs the same words, though the notebook has it and it takes effect,
#           because its default, "label != 0", contains an equals sign.
# Versions: papermill 2.7.0.
# Matters:  a typing error in a sweep over seeds or models gives as many copies of the default run,
#           each with the wrong seed in its file name. A wrapper that turns the warning into an error
#           refuses correct names. Selections such as "label != 0" (the usual non-zero accuracy of
#           CMU-MOSI) are just the defaults that contain equals signs.
# Source:   papermill/execute.py only logs; PythonTranslator.inspect in papermill/translators.py skips
#           a line with two equals signs, inside strings too.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  papermill==2.7.0 nbformat==5.11.1 ipykernel==7.4.0
export IPYTHONDIR=$work JUPYTER_RUNTIME_DIR=$work JUPYTER_CONFIG_DIR=$work
venv/bin/python - <<'PY'
import nbformat

new = nbformat.v4.new_code_cell
notebook = nbformat.v4.new_notebook(
    cells=[
        new('seed = 1\nkeep = "label != 0"', metadata={"tags": ["parameters"]}),
        new("print(seed, keep)"),
    ]
)
notebook.metadata.kernelspec = {"name": "python3", "language": "python", "display_name": "3"}
nbformat.write(notebook, "in.ipynb")
PY
echo "papermill $(venv/bin/papermill --version | cut -d" " -f1)"

check() { # NAME VALUE, whether it is called unknown, what the notebook prints
  venv/bin/papermill in.ipynb out.ipynb --no-progress-bar -p "$1" "$2" 2>log || { cat log; exit 1; }
  local unknown=no printed
  grep -q "Passed unknown parameter: $1" log && unknown=yes
  printed=$(venv/bin/python -c 'import json
for cell in json.load(open("out.ipynb"))["cells"]:
    for output in cell.get("outputs", []):
        print("".join(output["text"]).strip())')
  echo "papermill -p $1 '$2': exit 0, called unknown: $unknown, the notebook has: $printed"
  [ "$unknown $printed" = "$3 $4" ] || { echo "that was $3, $4 before"; exit 1; }
}
check seed 7 no "7 label != 0"
check sed 7 yes "1 label != 0"
check keep "label > 0" yes "1 label > 0"
echo "As recorded."
