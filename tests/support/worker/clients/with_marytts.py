"""The library of Home Assistant's MaryTTS integration: `... URL TEXT FILE` writes the speech into the file."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from speak2mary import MaryTTS

if __name__ == "__main__":
    url, text, file = sys.argv[1:]
    address = urlsplit(url)
    Path(file).write_bytes(MaryTTS(address.hostname, address.port).speak(text))
