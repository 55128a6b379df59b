"""The web process: webhooks in, health and set-up out; it loads no engine and runs nothing."""
