"""Speed to lead: when things happened to a lead, how long the first human answer took, and sums of that by the hour.

The first response is the earliest human answer, whoever gave it and however late it was reported; automatic ones never
count, and a lead that is opened again keeps its own. `response.first_response` is the one place that says so: promises,
reminders and reports ask it, or read what it wrote.
"""
