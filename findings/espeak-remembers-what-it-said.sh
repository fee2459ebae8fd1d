#!/usr/bin/env bash
# eSpeak NG says a sentence differently the second time, and breathy voices draw on the clock.
#
# Expected: text and voice decide the samples, as in the command espeak-ng, which says one text a
#           process; espeak_Terminate and espeak_Initialize give a library as good as new.
# Seen:     as a library, the second time has another length and other samples. So has the third,
#           after the library was terminated and initialised again, with the same random seed. Voices
#           with breath, such as the variant f2, also differ from process to process.
# Versions: espeakng-loader 0.2.4 (eSpeak NG 1.52.0), numpy 2.4.6.
# Matters:  a spoken corpus depends on the order in which its clips are made: adding a clip changes
#           those after it, and so does resuming after an interruption. Two builds of a corpus with
#           breathy voices share no clip. Say each clip in a new copy of the library, with a seed
#           (espeak_ng_SetRandSeed).
# Source:   AdvanceParameters in src/libespeak-ng/wavegen.c keeps its place in the table of flutter
#           in a static variable that nothing resets. espeak_ng_Initialize seeds by time(NULL).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check espeakng-loader==0.2.4 numpy==2.4.6
cat >say.py <<'PY'
"""Say a sentence three times in a voice; print how long each is, and what tells it from others."""

import ctypes
import sys
import zlib

import espeakng_loader
import numpy as np

RETRIEVAL, KEEP_ALIVE, UTF8 = 1, 0x8000, 1
TEXT = b"I really liked this film."
library = ctypes.CDLL(espeakng_loader.get_library_path())
heard = []


def collect(samples, count, events):
    if samples and count > 0:
        heard.append(np.frombuffer(ctypes.string_at(samples, 2 * count), np.int16))
    return 0


callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(collect)


def start(seed):
    data = espeakng_loader.get_data_path().encode()
    assert library.espeak_Initialize(RETRIEVAL, 0, data, KEEP_ALIVE) == 22050
    library.espeak_SetSynthCallback(callback)
    if seed:
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))


def say(voice):
    heard.clear()
    assert library.espeak_SetVoiceByName(voice.encode()) == 0
    size = ctypes.c_size_t(len(TEXT) + 1)
    assert library.espeak_Synth(TEXT, size, 0, 0, 0, UTF8, None, None) == 0
    assert library.espeak_Synchronize() == 0
    samples = np.concatenate(heard)
    return f"{len(samples)}/{zlib.crc32(samples.tobytes()):08x}"


voice, seed = sys.argv[1], sys.argv[2] == "seed"
start(seed)
first, second = say(voice), say(voice)
library.espeak_Terminate()
start(seed)
print(first, second, say(voice))
PY
venv/bin/python - <<'PY'
import ctypes

import espeakng_loader

library = ctypes.CDLL(espeakng_loader.get_library_path())
library.espeak_Info.restype = ctypes.c_char_p
print("eSpeak NG", library.espeak_Info(None).decode())
PY

check() { # VOICE SEED, whether two processes are to agree
  local one other same=no
  one=$(venv/bin/python say.py "$1" "$2")
  sleep 1.1 # the seed is in seconds
  other=$(venv/bin/python say.py "$1" "$2")
  [ "$one" = "$other" ] && same=yes
  echo "$1, $2: samples/checksum of three times: $one; another process says the same: $same"
  [ "$same" = "$3" ] || { echo "that was $3 before"; exit 1; }
  [ "$(tr ' ' '\n' <<<"$one" | sort -u | wc -l)" = 3 ] || { echo "no longer three"; exit 1; }
}
check en-us no-seed yes
check en-us seed yes
check en-us+f2 no-seed no
check en-us+f2 seed yes
echo "As recorded."
