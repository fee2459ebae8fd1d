"""Files that circulate: their SHA-256, and the extractor that a width of features tells."""

PUBLISHED = {
    "78e0f8b5ef8ff71558e7307848fc1fa929ecb078203f565ab22b9daab2e02524": (
        "CMU-MOSI unaligned_50.pkl of the MMSA toolkit"
    ),
    "d3994fd25681f9c7ad6e9c6596a6fe9b4beb85ff7d478ba978b124139002e5f9": (
        "CMU-MOSI aligned_50.pkl of the MMSA toolkit"
    ),
    "ad8b23d50557045e7d47959ce6c5b955d8d983f2979c7d9b7b9226f6dd6fec1f": (
        "CMU-MOSEI unaligned_50.pkl of the MMSA toolkit"
    ),
    "45eccfb748a87c80ecab9bfac29582e7b1466bf6605ff29d3b338a75120bf791": (
        "CMU-MOSEI aligned_50.pkl of the MMSA toolkit"
    ),
    "c9e20c13ec0454d98bb9c1e520e490c75146bfa2dfeeea78d84de047dbdd442f": (
        "CH-SIMS unaligned_39.pkl of the MMSA toolkit"
    ),
}
"""SHA-256 -> the file that has it, as the MMSA toolkit publishes them."""

UNPUBLISHED = "not one of the published files"

_EXTRACTORS = {
    ("acoustic", 5): "a selection from COVAREP, as MOSI circulates",
    ("acoustic", 33): "librosa: pitch, MFCC and chroma, as SIMS circulates",
    ("acoustic", 74): "COVAREP: pitch, voice quality, spectrum",
    ("visual", 20): "a selection from FACET, as MOSI circulates",
    ("visual", 35): "FACET 4.2, whose columns include estimates of emotions (anger, joy, ...)",
    ("visual", 47): "FACET 4.1, whose columns include estimates of emotions (anger, joy, ...)",
    ("visual", 709): "OpenFace 2: landmarks, head pose, gaze, action units",
    ("linguistic", 300): "GloVe vectors of words",
    ("linguistic", 768): "the last layer of a BERT of base size",
}


def extractor(modality: str, width: int) -> str:
    """Return the extractor that features of this width have in the field's files."""
    known = _EXTRACTORS.get((modality, width))
    return f"by its width {width}: {known}" if known else f"width {width}, of an unknown extractor"
