"""What all pages of the panel stand in: views, forms, languages, how values are written."""
