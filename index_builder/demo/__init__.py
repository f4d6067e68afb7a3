"""The embedded default: scripts that make `assets/demo/` by hand; never run at set-up. See docs/demo.md."""
