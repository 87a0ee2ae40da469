"""Sources beside feeds: APIs, mailboxes, file servers, buckets and queues, each behind one contract (`ports.Source`)."""
