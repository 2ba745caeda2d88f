"""What is promised about a lead, and what happens until somebody answers it.

A lead is decided with a promise: its rule's `sla`, else the workspace's. The promise is copied onto the lead with the
instants that follow from it, so that publishing changes nothing that runs. Its clock runs from when the lead came in;
where the visitor was told that nobody is there until an opening, from that opening, or from when somebody gets the
lead before it. So waiting for a colleague's free place counts, and a night that was announced as one does not. What
agents do is counted from when they get the lead: the re-routing after silence, the acknowledgement by whoever is on
call. Leads in the nurture queue are promised nothing until somebody takes them.

Everything stops at the first human response and at closing. `breached_at` is the deadline itself, whenever the sweep
came by; an answer that is reported late but was given in time takes it back.
"""
