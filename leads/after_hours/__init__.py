"""When nobody is there: whoever is on call says that they have a lead, and managers learn days ahead of hours without
anybody."""
