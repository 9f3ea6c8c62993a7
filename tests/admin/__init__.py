"""The panel, as a browser without JavaScript sees it, on both back ends."""
