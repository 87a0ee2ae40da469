"""Saved searches, and the alerts that they make (docs/alerts.md).

`saved` says what a saved search is and reads one that somebody sends, `matching` finds the searches that an event fits,
`decisions` says what follows of that, `schedule` when, `messages` what is written of it, `ports` where all of it is kept.
What sends messages to the world is `streams.alerts`.
"""
