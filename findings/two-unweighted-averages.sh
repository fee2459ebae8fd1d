#!/usr/bin/env bash
# scikit-learn's balanced accuracy and its macro recall differ where a fold lacks a class.
#
# Expected: both are the mean recall over classes (unweighted average recall, UAR), so they agree.
# Seen:     for a class that is predicted but not in the labels, balanced_accuracy_score leaves it
#           out, and recall_score(average="macro") counts it as 0: 0.875 against 0.583 for the same
#           eight predictions. One wrong prediction decides over a third of the score.
# Versions: scikit-learn 1.9.1, numpy 2.4.6.
# Matters:  emotion recognition reports UAR by speaker, session or fold, and few speakers show every
#           emotion. Of two papers that report UAR of the same predictions, one may be 29 points
#           higher; classification_report prints the lower one as "macro avg".
# Source:   the user guide defines balanced accuracy as the average of recall over classes. Remedy:
#           name the classes, recall_score(..., labels=classes, zero_division=np.nan).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
venv/bin/python -W ignore - <<'PY'
import numpy as np
import sklearn
from sklearn.metrics import balanced_accuracy_score, classification_report, recall_score

labels = ["anger"] * 4 + ["joy"] * 4  # this speaker is never sad
predictions = ["anger", "anger", "anger", "sadness", "joy", "joy", "joy", "joy"]
balanced = balanced_accuracy_score(labels, predictions)
macro = recall_score(labels, predictions, average="macro")
report = classification_report(labels, predictions, output_dict=True)["macro avg"]["recall"]
defined = recall_score(labels, predictions, average="macro", zero_division=np.nan)
print("scikit-learn", sklearn.__version__)
print(f"balanced_accuracy_score            {balanced:.3f}")
print(f"recall_score, macro                {macro:.3f}")
print(f"classification_report, macro avg   {report:.3f}")
print(f"recall_score, zero_division=nan    {defined:.3f}")
assert np.isclose(balanced, 0.875) and np.isclose(defined, 0.875), "the class is no longer left out"
assert np.isclose(macro, 1.75 / 3) and np.isclose(report, macro), "the class no longer counts as 0"

predictions[3] = "joy"  # another wrong prediction, of a class that the labels have
balanced = balanced_accuracy_score(labels, predictions)
macro = recall_score(labels, predictions, average="macro")
print(f"with joy for sadness: {balanced:.3f} and {macro:.3f}")
assert np.isclose(balanced, macro), "they no longer agree where every class has labels"
print("As recorded.")
PY
