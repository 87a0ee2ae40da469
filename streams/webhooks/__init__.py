"""Routed stories posted to webhooks: who gets what (`targets`), one story at a time (`delivery`), in order (`courier`).

A webhook is no `sinks.ports.Sink`: its stories are finished out of order, one chain at a time, while others wait for
hours, so that its offsets follow the oldest unfinished story and not a batch.
"""
