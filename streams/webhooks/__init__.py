"""Routed stories posted to webhooks: one try (`delivery`), a target's stories in order (`courier`), the runtimes' ends."""
