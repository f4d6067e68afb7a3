"""The script that made `assets/words/words.txt`."""
