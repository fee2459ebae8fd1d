#!/usr/bin/env bash
# One undefined p-value voids the others in statsmodels, or only some answers, or none: by method.
#
# Expected: multipletests raises an error, or leaves the undefined p-value out, whatever the method;
#           and the two arrays that it returns agree.
# Seen:     with [0.001, 0.002, 0.03, NaN], NaN always counts as a test. Holm keeps the other three
#           adjusted values. Benjamini-Hochberg rejects three hypotheses, and all four adjusted
#           values are NaN. Hommel rejects none. No error, no warning.
# Versions: statsmodels 0.15.0, scipy 1.17.1 (whose false_discovery_control raises), numpy 2.4.6.
# Matters:  a model that predicts one value for all has no correlation and so no p-value. In a table
#           of claims, that one row changes the outcome of the rest: `adjusted < 0.05` finds nothing,
#           `reject` finds three, and a switch of method swaps the one for the other.
# Source:   statsmodels/stats/multitest.py sorts NaN last and takes running minima from there. The
#           documentation does not mention NaN.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
venv/bin/python - <<'PY'
import numpy as np
import scipy
import statsmodels
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

P = [0.001, 0.002, 0.03]
# method: rejected without the undefined value, rejected with it, adjusted values that stay numbers
SEEN = {
    "bonferroni": (2, 2, 3),
    "holm": (3, 2, 3),
    "simes-hochberg": (3, 2, 0),
    "hommel": (3, 0, 0),
    "fdr_bh": (3, 3, 0),
    "fdr_by": (2, 2, 0),
}
print("statsmodels", statsmodels.__version__, "scipy", scipy.__version__)
for method, seen in SEEN.items():
    complete = multipletests(P, 0.05, method)
    reject, adjusted = multipletests([*P, np.nan], 0.05, method)[:2]
    counts = (int(complete[0].sum()), int(reject.sum()), int(np.isfinite(adjusted).sum()))
    print(
        f"{method:14} rejects {counts[0]} of 3; with NaN beside them {counts[1]} of 4; "
        f"adjusted {np.round(adjusted, 4)}"
    )
    assert counts == seen, f"{method} now gives {counts}, not {seen}"
try:
    false_discovery_control([*P, np.nan])
except ValueError as error:
    print("scipy raises:", error)
else:
    raise SystemExit("scipy no longer raises")
print("As recorded.")
PY
