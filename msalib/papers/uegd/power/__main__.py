"""Calibrate on the records of CMU-MOSI, then simulate at the sizes of both data sets."""

from msalib.base.errors import UserError
from msalib.papers.uegd.power.calibration import calibrate, errors, population, rounded
from msalib.papers.uegd.power.cases import ACOUSTIC, LINGUISTIC
from msalib.papers.uegd.power.record import RECORD
from msalib.papers.uegd.power.simulation import DATASETS, measure
from msalib.runs import records
from msalib.runs.query import Runs
from msalib.runs.records import Setting


def main() -> None:
    """Calibrate and simulate; raises ``UserError`` without the records of a data set."""
    runs_of = {
        name: Runs(records.find("uegd", Setting(dataset, "minilm", "release", "full")))
        for name, dataset in DATASETS.items()
    }
    for name, runs in runs_of.items():
        if not runs.systems:
            raise UserError(
                f"records of {DATASETS[name]}",
                found="none",
                expected="those of the transcripts with MiniLM, for labels and errors",
                remedy="Restore them, or make them again: make records-uegd.",
            )
    noise = {"mosi": calibrate(runs_of["mosi"], "linguistic", ACOUSTIC + LINGUISTIC, 0.5)}
    try:
        errors_of_mosei = rounded(errors(runs_of["mosei"], "linguistic"))
    except UserError:  # its runs take long; without them it scatters like the other
        errors_of_mosei = {}
    noise["mosei"] = noise["mosi"].model_copy(update=errors_of_mosei)
    measure(noise, {name: population(runs) for name, runs in runs_of.items()}, RECORD.path)


if __name__ == "__main__":
    main()
