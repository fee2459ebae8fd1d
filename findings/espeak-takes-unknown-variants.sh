#!/usr/bin/env bash
# eSpeak NG takes a voice with a variant that it does not have, and speaks with the plain voice.
#
# Expected: a name that cannot be found is refused, as an unknown language is.
# Seen:     espeak_SetVoiceByName returns 0, success, for "en-us+zzz". What is said then equals
#           "en-us" in every sample. "en-us+f9" is such a name, and "en-us+F2" is where the names of
#           files have capitals. "xx-us" is refused with 2.
# Versions: espeakng-loader 0.2.4 (eSpeak NG 1.52.0).
# Matters:  a corpus with a table of speakers, each with a variant, has one voice for all those whose
#           variant is misspelt or left out of a build: speakers of other name and sex sound the same,
#           and a split by speaker has the same voice on both sides. Look in the folder of variants
#           (voices/!v) first.
# Source:   espeak_ng_SetVoiceByName in src/libespeak-ng/voices.c calls LoadVoice for the variant and
#           does not look at what it returns.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check espeakng-loader==0.2.4
cat >say.py <<'PY'
"""Choose a voice and say a sentence: what the choice returned, and a checksum of the samples."""

import ctypes
import sys
import zlib

import espeakng_loader

library = ctypes.CDLL(espeakng_loader.get_library_path())
library.espeak_Initialize(1, 0, espeakng_loader.get_data_path().encode(), 0x8000)
pieces = []


def collect(samples, count, events):
    if samples and count > 0:
        pieces.append(ctypes.string_at(samples, 2 * count))
    return 0


kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
callback = kind(collect)
library.espeak_SetSynthCallback(callback)
returned = library.espeak_SetVoiceByName(sys.argv[1].encode())
if returned == 0:
    text = b"I really liked this film."
    library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, 0, 0, 1, None, None)
    library.espeak_Synchronize()
library.espeak_Info.restype = ctypes.c_char_p
print(returned, f"{zlib.crc32(b''.join(pieces)):08x}", library.espeak_Info(None).decode())
PY
variants=$(venv/bin/python -c 'import espeakng_loader
print(espeakng_loader.get_data_path())')/voices/\!v
read -r _ plain version < <(venv/bin/python say.py en-us)
echo "eSpeak NG $version"

check() { # VOICE, what the choice returns, whether it sounds as en-us does
  local returned sum alike=no there=no
  read -r returned sum _ < <(venv/bin/python say.py "$1")
  [ "$sum" = "$plain" ] && alike=yes
  [ -f "$variants/${1#*+}" ] && there=yes
  echo "$1: there is such a variant: $there; returned $returned; equal to en-us: $alike"
  [ "$returned $alike" = "$2 $3" ] || { echo "that was $2, $3 before"; exit 1; }
}
check en-us+f4 0 no
check en-us+zzz 0 yes
check en-us+f9 0 yes
check xx-us 2 no
echo "As recorded."
