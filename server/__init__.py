"""Tracking for a browser: one page, and a WebSocket whose visitors' targets are tracked in one batch."""
