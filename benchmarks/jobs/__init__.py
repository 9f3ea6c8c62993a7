"""Five jobs of a back office, done by clicks in the panel and in Django's admin."""
