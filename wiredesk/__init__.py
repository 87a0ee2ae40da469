"""What programs of others import: `wiredesk.client` reads stories. The pipeline itself is in the packages beside this one."""
