"""The model: the event of the contract, its story, and their JSON."""
