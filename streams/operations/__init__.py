"""What an operator does from the desk, carried out in either runtime: see `sinks.desk.control`."""
