#!/usr/bin/env bash
# statsmodels collects Python's garbage at each Holm correction, and at no other.
#
# Expected: correcting five p-values costs about as much by Holm as by any other method.
# Seen:     multipletests(method="holm") calls gc.collect(), which looks at every object that the
#           process holds; the eleven other methods do not, in the same function.
# Versions: statsmodels 0.15.0, numpy 2.4.6.
# Matters:  the time of a call follows the size of the process, not the number of tests. With torch,
#           transformers and a corpus loaded, simulations of error rates or bootstraps that correct
#           thousands of times spend nearly all their time there.
# Source:   statsmodels/stats/multitest.py, branch "holm". The documentation does not mention it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
venv/bin/python - <<'PY'
import gc

import statsmodels
from statsmodels.stats.multitest import multipletests

METHODS = ("bonferroni", "sidak", "holm-sidak", "holm", "simes-hochberg", "hommel")
METHODS += ("fdr_bh", "fdr_by", "fdr_tsbh", "fdr_tsbky", "fdr_gbs", "lfdr")
CALLS = 20
collections = 0


def count(phase, info):
    global collections
    collections += phase == "start" and info["generation"] == 2


gc.disable()  # what is left are collections that somebody asks for
gc.callbacks.append(count)
print("statsmodels", statsmodels.__version__, f"{len(gc.get_objects()):,} objects in this process")
for method in METHODS:
    collections = 0
    for _ in range(CALLS):
        multipletests([0.01, 0.02, 0.03, 0.04, 0.05], 0.05, method)
    print(f"{method:14} {collections:3} full collections in {CALLS} calls")
    expected = CALLS if method == "holm" else 0
    assert collections == expected, f"{method} no longer collects {expected} times"
print("As recorded.")
PY
