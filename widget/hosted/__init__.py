"""A page for each site, with the widget's choice in plain HTML: for visitors without script, posters and mail."""
