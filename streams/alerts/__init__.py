"""The messages of alerts sent to the world: when and in which order (`courier`), by webhook, mail or a service (`senders`).

What an alert is, and what is written of it, is `sinks.alerts`.
"""
